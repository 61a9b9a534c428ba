using ShmAlloc.Benchmarks.Caches.Driving;
using ShmAlloc.Caching;

namespace ShmAlloc.Benchmarks.Caches.Alone.Driving;

/// <summary>Sets of ever other keys in a cache with a limit, beside another cache that fills the heap.</summary>
internal sealed class LimitedCalls : ICalls
{
    private const long LimitBytes = 4 << 20;

    /// <summary>Far more than the limit has room for.</summary>
    private const uint Keys = 100_000;

    private readonly SharedCache _cache;
    private readonly byte[] _value;
    private readonly byte[] _key = new byte[Key.Length];
    private uint _next;

    internal LimitedCalls(ShmHeap heap, AloneParameters parameters)
    {
        _value = new byte[parameters.ValueBytes];
        _cache = SharedCache.Open(heap, "limited", new SharedCacheOptions { LimitBytes = LimitBytes });
        SharedCache other = SharedCache.Open(heap, "other");
        long entries = parameters.HeapBytes / _value.Length;
        for (long number = 0; number < entries; number++)
        {
            other.Set($"{number}", _value);
        }

        Make(2 * (int)LimitBytes / _value.Length);
    }

    public long Make(int count)
    {
        long failures = 0;
        for (int call = 0; call < count; call++)
        {
            Key.WriteUtf8(_next++ % Keys, _key);
            failures += _cache.Set(_key, _value) == CacheStatus.Ok ? 0 : 1;
        }

        return failures;
    }
}
