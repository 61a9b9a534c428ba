using System.Diagnostics;
using System.Globalization;

namespace ShmAlloc.ProcessTests.Forks;

/// <summary>
/// <c>visits path count</c>: so many processes attach, use the heap a little and end, a few at a time: most in order, some without a word,
/// some killed while they hold a reservation.
/// </summary>
internal static class VisitCommand
{
    private const int AtOnce = 4;
    private const int Slots = 8;
    private const uint LongestLifeSeconds = 3600;

    internal static int Run(string[] arguments)
    {
        var path = arguments[0];
        var count = int.Parse(arguments[1], CultureInfo.InvariantCulture);
        var watch = Stopwatch.StartNew();
        using var heap = ShmHeap.Create(path, new ShmHeapOptions { SizeBytes = 1 << 20, MaximumSizeBytes = 64 << 20, MaxParticipants = Slots });

        // In this process first, which thereby compiles all that its children will need.
        Enumerable.Range(0, 5).ToList().ForEach(number => Visit(path, number));
        var lengthBefore = new FileInfo(path).Length;
        var faults = new List<string>();
        var mostParticipants = 0;
        var running = new Queue<(int Child, int Expected)>();
        for (var number = 0; number < count; number++)
        {
            if (running.Count == AtOnce)
            {
                Reap(running, faults);
                mostParticipants = Math.Max(mostParticipants, heap.GetStatistics().Participants);
            }

            var visit = number;
            running.Enqueue((Child.Start(LongestLifeSeconds, () => Visit(path, visit)), visit % 8 == 7 ? Child.Killed : Child.OrderlyExit));
        }

        while (running.Count > 0)
        {
            Reap(running, faults);
        }

        if (new FileInfo(path).Length != lengthBefore)
        {
            faults.Add($"the file has grown from {lengthBefore} to {new FileInfo(path).Length} bytes");
        }

        faults.AddRange(Judge.Examine(heap, 0, 0));
        faults.ForEach(fault => Console.WriteLine($"fault: {fault}"));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{count} processes, at most {mostParticipants} participants, in {watch.Elapsed.TotalSeconds:f1} s, {faults.Count} faults"));
        return faults.Count == 0 ? 0 : 1;
    }

    private static void Reap(Queue<(int Child, int Expected)> running, List<string> faults)
    {
        var (child, expected) = running.Dequeue();
        if (Child.End(child) is var end && end != expected)
        {
            faults.Add($"a process ended with {end}, not {expected}");
        }
    }

    private static void Visit(string path, int number)
    {
        var heap = ShmHeap.Attach(path);
        if (heap.ParticipantSlot == null)
        {
            throw new InvalidOperationException("There is no slot.");
        }

        var offset = heap.Malloc(100 + (number * 37 % 5000), out var status);
        if (status != ShmStatus.Ok || heap.Free(offset) != ShmStatus.Ok || heap.Reserve(1 + (number % 3 * 40_000), out var reservation) != ShmStatus.Ok)
        {
            throw new InvalidOperationException($"Not served: {status}.");
        }

        switch (number % 8)
        {
            case 7:
                Child.KillSelf();
                break;
            case 6:
                // It exits without a word.
                break;
            default:
                heap.Abandon(reservation);
                heap.Dispose();
                break;
        }
    }
}
