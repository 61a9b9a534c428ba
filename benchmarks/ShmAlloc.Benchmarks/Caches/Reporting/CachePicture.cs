using ShmAlloc.Benchmarks.Caches.Measuring;
using ShmAlloc.Benchmarks.Measuring;
using ShmAlloc.Benchmarks.Reporting;

namespace ShmAlloc.Benchmarks.Caches.Reporting;

/// <summary>The picture of the caches: gets and sets by one thread and by two processes.</summary>
internal static class CachePicture
{
    private static readonly SvgChart Chart = new(
        "One operation",
        (20, 200_000),
        [
            (CacheSubject.OursUtf8.Name, "#1b6ca8"), (CacheSubject.OursText.Name, "#69b3e7"), (CacheSubject.Dictionary.Name, "#9a9a9a"),
            (CacheSubject.MemoryCache.Name, "#e0a526"), (CacheSubject.BitFaster.Name, "#b86b25"), (CacheSubject.Lmdb.Name, "#4f8f5b"),
            (CacheSubject.Redis.Name, "#b03a48"), (CacheSubject.Memcached.Name, "#7a4f8f"),
        ]);

    internal static void Write(string path, IEnumerable<CacheResult> results, Clock clock) => Chart.Write(
        path,
        results.Where(result => result.Workload.Threads == 1 && (result.Workload.Operation == Operation.Get || result.Workload.Operation == Operation.Set)),
        clock);
}
