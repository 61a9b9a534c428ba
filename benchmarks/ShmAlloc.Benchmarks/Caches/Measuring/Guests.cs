using System.Globalization;
using ShmAlloc.Benchmarks.Caches.Driving;
using ShmAlloc.Benchmarks.Measuring;

namespace ShmAlloc.Benchmarks.Caches.Measuring;

/// <summary>Who can be filled with a data set at the same time, in the memory that there is.</summary>
/// <param name="Seats">Subjects, and with how many processes.</param>
/// <param name="Notes">What was left out.</param>
internal sealed record Guests(IReadOnlyList<(CacheSubject Subject, int Processes)> Seats, IReadOnlyList<string> Notes)
{
    private const int MostProcesses = 2;

    /// <summary>The rest is for everybody else.</summary>
    private const double Share = 0.8;

    /// <summary>A second copy of the data only if there is room for all of them.</summary>
    internal static Guests Invite(List<CacheSubject> subjects, DataSet data)
    {
        double room = HeapSizes.AvailableMemory() * Share;
        bool hasRoomForCopies = subjects.Sum(subject => Need(subject, data, MostProcesses)) <= room;
        List<(CacheSubject, int)> seats = [];
        List<string> notes = [];
        foreach (CacheSubject subject in subjects.OrderBy(subject => subject.YieldsMemory))
        {
            int processes = subject.IsPrivate && !hasRoomForCopies ? 1 : MostProcesses;
            double need = Need(subject, data, processes);
            if (need > room)
            {
                notes.Add($"{subject.Name} is left out: its {Gib(need)} do not fit in memory beside the others.");
                continue;
            }

            room -= need;
            seats.Add((subject, processes));
        }

        string copies = hasRoomForCopies
            ? "In two processes ConcurrentDictionary, MemoryCache and BitFaster share nothing: each process has a copy of all data."
            : "A second copy of all data, for a second process with ConcurrentDictionary, MemoryCache or BitFaster, does not fit in memory.";
        return new Guests([.. seats.OrderBy(seat => subjects.IndexOf(seat.Item1))], [copies, .. notes]);
    }

    private static double Need(CacheSubject subject, DataSet data, int processes)
    {
        // A process keeps its orders of keys, and a garbage collector leaves what was replaced for a while.
        const double bytesOfDraw = 60;
        double orders = KeyOrder.LengthFor((uint)data.Keys) * bytesOfDraw * 2 * processes;
        double items = (double)data.Keys * (data.ValueBytes + subject.OverheadBytes);
        return subject.Sharing switch
        {
            Sharing.Yardstick => orders,
            Sharing.None => orders + (items * 1.4 * processes),
            Sharing.SharedMemory => orders + (items * 1.5),
            _ => orders + (items * 1.2),
        };
    }

    private static string Gib(double bytes) => (bytes / (1 << 30)).ToString("F1", CultureInfo.InvariantCulture) + " GiB";
}
