using ShmAlloc.Benchmarks.Caches.Measuring;
using ShmAlloc.Benchmarks.Flights.Measuring;
using ShmAlloc.Benchmarks.Measuring;
using ShmAlloc.Benchmarks.Web.Driving;

namespace ShmAlloc.Benchmarks.Web.Measuring;

/// <summary>Many small entries: by how much all that holds them has grown.</summary>
internal static class EntryMeasurement
{
    internal const string Title = "bytes of an entry: 100 B under a key of 25 B, all told";

    private static readonly (string Name, string Kind, ServerKind? Server)[] All =
    [
        ("ShmAlloc", EntryDriver.Ours, null),
        ("memcached", EntryDriver.Memcached, ServerKind.Memcached),
        ("Redis, as plain strings", EntryDriver.Redis, ServerKind.Redis),
        ("Redis, through RedisCache", EntryDriver.RedisCache, ServerKind.Redis),
        ("MemoryCache, in one process", EntryDriver.MemoryCache, null),
    ];

    internal static string Ours => BytesOf(All[0].Name);

    internal static IEnumerable<string> Others => All.Skip(1).Select(each => BytesOf(each.Name));

    internal static IEnumerable<FlightSeries> Measure(WebEffort effort)
    {
        yield return new FlightSeries(Title, "small entries", "", [effort.SmallEntries]);
        foreach ((string name, string kind, ServerKind? server) in All)
        {
            FlightSeries? series = null;
            try
            {
                series = new FlightSeries(Title, BytesOf(name), "B", [Measure(name, kind, server, effort.SmallEntries)]);
            }
            catch (BenchmarkException failure)
            {
                Console.Error.WriteLine($"Left out: {failure.Message}");
            }

            if (series != null)
            {
                yield return series;
            }
        }
    }

    private static string BytesOf(string name) => $"{name}: bytes of an entry";

    private static double Measure(string name, string kind, ServerKind? kindOfServer, int entries)
    {
        using Place place = new();
        using Server? server = kindOfServer is { } serves ? new Server(serves, new DataSet(entries, 100)) : null;
        using DriverProcess driver = new(name, DriverProcess.OfThisProgram("entry-driver", kind, place.Heap, $"{server?.Port ?? 0}", $"{entries}"));
        driver.Expect("ready", "starting");

        // The index, and what else the file began with, are counted as well.
        double before = Bytes(server, driver, place) - Length(place);
        driver.Tell("fill");
        driver.Expect("filled 1000", "filling");
        return (Bytes(server, driver, place) - before) / entries;
    }

    /// <summary>Of a server, its memory: a client's is no entry's.</summary>
    private static double Bytes(Server? server, DriverProcess driver, Place place) =>
        server != null ? ProcessMemory.Own(server.ProcessId) : ProcessMemory.Own(driver.ProcessId) + Length(place);

    private static double Length(Place place) => File.Exists(place.Heap) ? new FileInfo(place.Heap).Length : 0;
}
