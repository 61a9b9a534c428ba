using System.Globalization;
using ShmAlloc.Benchmarks.Flights.Measuring;
using ShmAlloc.Benchmarks.Measuring;
using ShmAlloc.Benchmarks.Web.Driving;

namespace ShmAlloc.Benchmarks.Web.Measuring;

/// <summary>Three processes with the same entries: memory that they take in all, and for how long the collector stops them.</summary>
internal static class MemoryMeasurement
{
    internal const string Title = "memory: three processes with the same entries of 10,000 B, 5 % of the calls replace one";
    internal const string Ours = "ShmAlloc";
    internal const string Private = "a MemoryCache in each";

    private const int Processes = 3;
    private const int ValueBytes = 10_000;

    /// <summary>What the private caches take of the memory that there is: the rest is for everybody else, and for garbage.</summary>
    private const double Share = 0.5;

    internal static string MemoryOf(string name) => $"{name}: memory of all";

    internal static string PauseOf(string name) => $"{name}: longest pause of the collector";

    internal static IEnumerable<FlightSeries> Measure(WebEffort effort)
    {
        int entries = effort.Entries;
        while ((double)entries * ValueBytes * Processes > HeapSizes.AvailableMemory() * Share)
        {
            entries /= 2;
        }

        yield return new FlightSeries(Title, "entries", "", [entries]);
        foreach ((string name, string kind) in ((string, string)[])[(Ours, MemoryDriver.Ours), (Private, MemoryDriver.MemoryCache)])
        {
            foreach (FlightSeries series in Measure(name, kind, entries, effort))
            {
                yield return series;
            }
        }
    }

    private static List<FlightSeries> Measure(string name, string kind, int entries, WebEffort effort)
    {
        using Place place = new();
        List<DriverProcess> drivers = [];
        try
        {
            for (int process = 0; process < Processes; process++)
            {
                drivers.Add(new DriverProcess(name, DriverProcess.OfThisProgram("memory-driver", kind, place.Heap, $"{entries}", $"{ValueBytes}")));
                drivers[^1].Expect("ready", "starting");

                // What one process has put into shared memory, all have.
                if (process == 0 || kind != MemoryDriver.Ours)
                {
                    drivers[^1].Tell("fill");
                    drivers[^1].Expect("filled", "filling");
                }
            }

            string[][][] rounds = [.. Enumerable.Range(0, effort.WorkRounds).Select(_ => Work(drivers, effort))];
            double SumOf(int word) => rounds.Sum(answers => answers.Sum(answer => Parse(answer[word])));
            double ownBytes = drivers.Sum(driver => ProcessMemory.Own(driver.ProcessId));
            double shared = File.Exists(place.Heap) ? new FileInfo(place.Heap).Length : 0;
            return
            [
                new FlightSeries(Title, MemoryOf(name), "MiB", [(ownBytes + shared) / (1 << 20)]),
                new FlightSeries(Title, $"{name}: of that, shared memory", "MiB", [shared / (1 << 20)]),
                new FlightSeries(Title, PauseOf(name), "µs", [.. rounds.Select(answers => answers.Max(answer => Parse(answer[5])))]),
                new FlightSeries(Title, $"{name}: collections", "", [SumOf(7)]),
                new FlightSeries(Title, $"{name}: calls", "", [SumOf(1)]),
                new FlightSeries(Title, $"{name}: calls that found nothing", "", [SumOf(3)]),
            ];
        }
        finally
        {
            drivers.ForEach(driver => driver.Dispose());
        }
    }

    /// <summary>
    /// All work at once. More processes than processors work, so that some rounds have a process that the kernel stops in the midst of a collection: the
    /// median of the rounds tells what the collector does.
    /// </summary>
    /// <returns>What each process answers, in words.</returns>
    private static string[][] Work(List<DriverProcess> drivers, WebEffort effort)
    {
        drivers.ForEach(driver => driver.Tell($"work {(int)(effort.WorkSeconds * 1000)}"));
        return [.. drivers.Select(driver => driver.Hear().Split(' '))];
    }

    private static double Parse(string word) => double.Parse(word, CultureInfo.InvariantCulture);
}
