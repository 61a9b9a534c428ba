using ShmAlloc.Caching;

namespace ShmAlloc.Tests.Caching;

/// <summary>Uses a cache that may be damaged in every way there is. Any status may come back.</summary>
internal static class CacheExercise
{
    private const int Steps = 80;

    private static readonly CacheFlightOptions Impatient = new() { WaitLimit = TimeSpan.Zero, AllowStale = true };

    internal static void OpenAndUse(ShmHeap heap, int seed)
    {
        try
        {
            Use(SharedCache.Open(heap, "scribbled"), seed);
        }
        catch (InvalidOperationException) when (!IsThere(heap))
        {
            // What its name leads to makes no sense, and there is no room for another.
        }
    }

    internal static void Use(SharedCache cache, int seed)
    {
        Random random = new(seed);
        var buffer = new byte[2000];
        for (var step = 0; step < Steps; step++)
        {
            var key = System.Text.Encoding.UTF8.GetBytes($"key {random.Next(30)}");
            switch (random.Next(14))
            {
                case 0:
                    cache.Get(key, buffer, out _, out CacheVersion _);
                    break;
                case 1:
                    cache.Get(key);
                    break;
                case 2 or 3:
                    cache.Set(key, new byte[random.Next(random.Next(8) == 0 ? 20_000 : 900)]);
                    break;
                case 4:
                    cache.Add(key, buffer.AsSpan(0, random.Next(500)));
                    break;
                case 5:
                    cache.Get(key, [], out _, out var version);
                    cache.Replace(key, buffer.AsSpan(0, random.Next(500)), version);
                    break;
                case 6:
                    cache.Remove(key);
                    break;
                case 7:
                    cache.Increment(key, 1, out _);
                    break;
                case 8:
                    cache.Refresh(key);
                    break;
                case 9:
                    cache.GetOrAdd(key, 100, length => new byte[length], default, Impatient);
                    break;
                case 10 when cache.Lease(key, out var lease) == CacheStatus.Ok:
                    lease.Value.Contains((byte)7);
                    lease.Dispose();
                    break;
                case 11 when cache.Reserve(key, random.Next(3000), out var reservation) == CacheStatus.Ok:
                    reservation!.Value.Fill(7);
                    _ = random.Next(2) == 0 ? reservation.Commit() : CacheStatus.Ok;
                    reservation.Dispose();
                    break;
                case 12:
                    cache.RemoveByTag("one");
                    break;
                default:
                    cache.Contains(key);
                    break;
            }
        }

        foreach (var entry in cache.Enumerate())
        {
            cache.Get(entry.Key.Span);
        }

        cache.GetStatistics();
        cache.GetProcessStatistics();
        cache.Heap.Verify();
        cache.Heap.RecoverDead();
        cache.Clear();
        cache.Set("key"u8, new byte[5000]);
        cache.GetStatistics();
    }

    private static bool IsThere(ShmHeap heap)
    {
        using var other = ShmHeap.AttachReadOnly(heap.Path);
        try
        {
            return SharedCache.Open(other, "scribbled") != null;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }
}
