using Microsoft.Extensions.Caching.Hybrid;
using ShmAlloc.Benchmarks.Caches.Driving;

namespace ShmAlloc.Benchmarks.Hybrid.Driving;

/// <summary>Hits of a <see cref="HybridCache"/>.</summary>
/// <param name="cache">The cache.</param>
/// <param name="make">The value of a key.</param>
/// <param name="indexOf">The key that a value is of.</param>
/// <param name="hasSpans">Whether keys are given as characters and not as strings.</param>
internal sealed class HybridHits<T>(HybridCache cache, Func<uint, T> make, Func<T, uint> indexOf, bool hasSpans) : IHits
{
    private const int Readings = 4;

    private static readonly HybridCacheEntryOptions Long = new() { Expiration = TimeSpan.FromHours(10), LocalCacheExpiration = TimeSpan.FromHours(10) };

    public void Load(uint index)
    {
        string key = Key.TextOf(index);
        Wait(cache.SetAsync(key, make(index), Long));
        for (int reading = 0; reading < Readings; reading++)
        {
            Get(new Key(index, key, default));
        }
    }

    public long Make(KeyOrder order, int position, int count)
    {
        long failures = 0;
        for (int call = 0; call < count; call++)
        {
            Key key = order[position + call];
            failures += indexOf(Get(key)) == key.Index ? 0 : 1;
        }

        return failures;
    }

    private T Get(Key key)
    {
        // A factory that runs gives what no key has.
        ValueTask<T> get = hasSpans
            ? cache.GetOrCreateAsync(key.Text.AsSpan(), make, static (make, _) => new ValueTask<T>(make(uint.MaxValue)), Long)
            : cache.GetOrCreateAsync(key.Text, make, static (make, _) => new ValueTask<T>(make(uint.MaxValue)), Long);
        return get.IsCompletedSuccessfully ? get.Result : get.AsTask().GetAwaiter().GetResult();
    }

    private static void Wait(ValueTask task)
    {
        if (!task.IsCompletedSuccessfully)
        {
            task.AsTask().GetAwaiter().GetResult();
        }
    }
}
