using ShmAlloc.Benchmarks.Caches.Driving;
using ZiggyCreatures.Caching.Fusion;

namespace ShmAlloc.Benchmarks.Hybrid.Driving;

/// <summary>Hits of FusionCache, by its own interface.</summary>
/// <param name="cache">The cache.</param>
/// <param name="make">The value of a key.</param>
/// <param name="indexOf">The key that a value is of.</param>
/// <param name="clones">Whether each caller gets an object of its own.</param>
internal sealed class FusionHits<T>(IFusionCache cache, Func<uint, T> make, Func<T, uint> indexOf, bool clones) : IHits
{
    private readonly FusionCacheEntryOptions _options = new(TimeSpan.FromHours(10)) { EnableAutoClone = clones };

    public void Load(uint index)
    {
        string key = Key.TextOf(index);
        cache.Set(key, make(index), _options);
        Get(key);
    }

    public long Make(KeyOrder order, int position, int count)
    {
        long failures = 0;
        for (int call = 0; call < count; call++)
        {
            Key key = order[position + call];
            failures += indexOf(Get(key.Text)) == key.Index ? 0 : 1;
        }

        return failures;
    }

    private T Get(string key)
    {
        ValueTask<T> get = cache.GetOrSetAsync<T>(key, (_, _) => Task.FromResult(make(uint.MaxValue)), _options);
        return get.IsCompletedSuccessfully ? get.Result : get.AsTask().GetAwaiter().GetResult();
    }
}
