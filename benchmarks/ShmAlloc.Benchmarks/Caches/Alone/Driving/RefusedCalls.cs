using ShmAlloc.Caching;

namespace ShmAlloc.Benchmarks.Caches.Alone.Driving;

/// <summary>Sets in a heap in which nothing may be dropped.</summary>
internal sealed class RefusedCalls : ICalls
{
    private static readonly int[] Fillings = [4000, 1000, 100, 1];

    private readonly SharedCache _cache;
    private readonly byte[] _value;

    internal RefusedCalls(ShmHeap heap, AloneParameters parameters)
    {
        _cache = SharedCache.Open(heap, "pinned");
        _value = new byte[parameters.ValueBytes];
        foreach (int bytes in Fillings)
        {
            byte[] filling = new byte[bytes];
            for (int number = 0; _cache.Set($"{bytes}, {number}", filling, new CacheEntryOptions { Pinned = true }) == CacheStatus.Ok; number++)
            {
                // Until there is no room for another one.
            }
        }
    }

    public long Make(int count)
    {
        long failures = 0;
        for (int call = 0; call < count; call++)
        {
            failures += _cache.Set("refused"u8, _value) == CacheStatus.NoRoom ? 0 : 1;
        }

        return failures;
    }
}
