using System.Diagnostics;
using System.Diagnostics.Metrics;
using ShmAlloc.Caching;
using ShmAlloc.Extensions.Caching.Heaps;

namespace ShmAlloc.Extensions.Caching.Diagnostics;

/// <summary>
/// What one cache tells to <c>System.Diagnostics.Metrics</c>. What this process did is counted, so that sums over processes are right; what belongs to the
/// host is a gauge, of which each process tells the same.
/// </summary>
internal sealed class CacheMetrics : IDisposable
{
    internal const string MeterName = "ShmAlloc.Caching";

    internal static readonly ActivitySource Activities = new(MeterName);

    /// <summary>Of a backend's answers. Without advice an exporter takes borders that are meant for milliseconds.</summary>
    private static readonly double[] Seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    private readonly Meter _meter;
    private readonly string _name;
    private readonly CacheSpace _space;
    private readonly Counter<long> _rejections;
    private readonly Counter<long> _flights;
    private readonly Histogram<double> _computing;
    private readonly ThreadCounts _counts = new();

    /// <param name="meters">What makes meters; null if there is nothing that does.</param>
    /// <param name="space">What is counted.</param>
    /// <param name="hasFirstLevel">Whether there are objects of this process as well.</param>
    internal CacheMetrics(IMeterFactory? meters, CacheSpace space, bool hasFirstLevel)
    {
        (_space, _name) = (space, space.Name);
        _meter = meters?.Create(MeterName) ?? new Meter(MeterName);
        _meter.CreateObservableCounter(
            "dotnet.cache.requests",
            (Func<IEnumerable<Measurement<long>>>)(() => [Request("hit", RequestCount.Hit, RequestCount.LocalHit), Request("miss", RequestCount.Miss)]),
            "{request}",
            "Requests to the cache by this process.");
        if (hasFirstLevel)
        {
            _meter.CreateObservableCounter(
                "shmalloc.cache.local.requests",
                (Func<IEnumerable<Measurement<long>>>)(() =>
                    [Local("current", RequestCount.LocalHit), Local("stale", RequestCount.LocalStale), Local("miss", RequestCount.LocalMiss)]),
                "{request}",
                "Requests to the first level, the objects of this process.");
        }

        _meter.CreateObservableCounter(
            "dotnet.cache.evictions",
            () => new Measurement<long>(space.Evictions, new KeyValuePair<string, object?>("dotnet.cache.name", _name)),
            "{eviction}",
            "Entries that this process has dropped for want of room.");
        _meter.CreateObservableGauge(
            "shmalloc.heap.committed", () => Measure(space, cache => cache.Heap.CommittedBytes), "By", "Size of the shared memory, of the host.");
        _meter.CreateObservableGauge(
            "shmalloc.heap.entries", () => Measure(space, cache => cache.GetStatistics().Entries), "{entry}", "Entries of the cache, of the host.");
        _meter.CreateObservableGauge(
            "shmalloc.heap.used",
            () => Measure(space, cache => cache.Heap.GetStatistics().UsedBytes),
            "By",
            "Bytes of the shared memory that are in use, by all caches in it, of the host.");
        _meter.CreateObservableGauge(
            "shmalloc.heap.pinned",
            () => Measure(space, cache => space.PinnedBytes(cache, out _)),
            "By",
            "Bytes of the cache that are pinned so that no room is made of them, of the host.");
        _meter.CreateObservableGauge(
            "shmalloc.heap.participants",
            () => Measure(space, cache => CacheSpace.ParticipantsOf(cache.Heap)),
            "{participant}",
            "Processes that have a participant slot of the shared memory, of the host.");
        _rejections = _meter.CreateCounter<long>("shmalloc.cache.rejections", "{value}", "Values that could not be stored.");
        _flights = _meter.CreateCounter<long>("shmalloc.cache.flights", "{flight}", "Values that were worked out, or waited for.");
        _computing = _meter.CreateHistogram<double>(
            "shmalloc.cache.compute.duration", "s", "How long factories took.", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = Seconds });
    }

    /// <summary>Counts a request that the first level has not answered.</summary>
    internal void Count(bool isHit) => _counts.Add(isHit ? RequestCount.Hit : RequestCount.Miss);

    /// <summary>Counts a request that the first level has answered.</summary>
    internal void CountLocalHit() => _counts.Add(RequestCount.LocalHit);

    /// <summary>Counts what the first level did not have; the request itself is counted by its outcome.</summary>
    internal void CountLocalMiss(bool isStale) => _counts.Add(isStale ? RequestCount.LocalStale : RequestCount.LocalMiss);

    internal void Reject(CacheStatus reason)
    {
        _space.Rejections.Note(reason);
        _rejections.Add(1, new("dotnet.cache.name", _name), new("reason", reason.ToString()));
    }

    internal void Flight(string outcome) => _flights.Add(1, new("dotnet.cache.name", _name), new("outcome", outcome));

    /// <summary>A factory of this process runs.</summary>
    internal Activity? BeginComputing() => Told(Activities.StartActivity("cache compute"));

    /// <summary>A caller waits for a factory that somebody else runs, in whatever process.</summary>
    /// <param name="since">Since when, if it was not known at once.</param>
    internal Activity? BeginWaiting(DateTimeOffset since = default) =>
        Told(Activities.StartActivity(ActivityKind.Internal, default, startTime: since, name: "cache wait"));

    internal void Computed(long since) =>
        _computing.Record(Stopwatch.GetElapsedTime(since).TotalSeconds, new KeyValuePair<string, object?>("dotnet.cache.name", _name));

    public void Dispose() => _meter.Dispose();

    private Activity? Told(Activity? activity) => activity?.SetTag("dotnet.cache.name", _name);

    private Measurement<long> Request(string result, params ReadOnlySpan<RequestCount> counts) =>
        new(_counts.Sum(counts), new("dotnet.cache.name", _name), new("dotnet.cache.request.result", result));

    private Measurement<long> Local(string result, RequestCount count) =>
        new(_counts.Sum(count), new("dotnet.cache.name", _name), new("result", result));

    private IEnumerable<Measurement<long>> Measure(CacheSpace space, Func<SharedCache, long> read)
    {
        try
        {
            return space.Current is { } cache ? [new(read(cache), new KeyValuePair<string, object?>("dotnet.cache.name", _name))] : [];
        }
        catch (ObjectDisposedException)
        {
            return [];
        }
    }
}
