using BitFaster.Caching;
using BitFaster.Caching.Lfu;
using BitFaster.Caching.Lru;
using BitFaster.Caching.Scheduler;

namespace ShmAlloc.Benchmarks.HitRates.Policies;

/// <summary>
/// A cache of BitFaster.Caching, which is bounded by a number of entries and keeps the sizes as its values. <see cref="Replay"/> tries numbers until
/// the resident bytes are, on average, those of the others.
/// </summary>
internal sealed class CountBound : IEvictionPolicy
{
    /// <summary>Both caches need three entries.</summary>
    internal const int LeastEntries = 3;

    private readonly ICache<ulong, int> _cache;
    private bool _isMiss;

    private CountBound(ICache<ulong, int> cache) => _cache = cache;

    /// <summary>Goes through all entries: to be asked now and then.</summary>
    public long ResidentBytes => _cache.Sum(entry => (long)entry.Value);

    /// <summary>A pseudo-LRU of three queues (hot, warm, cold), like the one of memcached; capacity in entries.</summary>
    internal static CountBound ConcurrentLru(int entries) => new(new ConcurrentLru<ulong, int>(1, entries, EqualityComparer<ulong>.Default));

    /// <summary>W-TinyLFU (Einziger, Friedman, Manes, ACM TOS 2017); its maintenance is done by the caller, so that every run is the same.</summary>
    internal static CountBound ConcurrentLfu(int entries) =>
        new(new ConcurrentLfu<ulong, int>(1, entries, new ForegroundScheduler(), EqualityComparer<ulong>.Default));

    public bool Request(ulong key, int sizeBytes)
    {
        _isMiss = false;
        _cache.GetOrAdd(key, static (_, miss) => miss.Cache.Miss(miss.SizeBytes), (Cache: this, SizeBytes: sizeBytes));
        return !_isMiss;
    }

    private int Miss(int sizeBytes)
    {
        _isMiss = true;
        return sizeBytes;
    }
}
