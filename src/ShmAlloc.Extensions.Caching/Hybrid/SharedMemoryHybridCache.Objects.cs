using System.Runtime.CompilerServices;
using Microsoft.Extensions.Caching.Hybrid;
using ShmAlloc.Caching;

namespace ShmAlloc.Extensions.Caching.Hybrid;

/// <content>The objects of this process.</content>
internal sealed partial class SharedMemoryHybridCache
{
    private static readonly TimeSpan BetweenSweeps = TimeSpan.FromMinutes(1);

    internal FirstLevel Objects => _objects;

    /// <summary>From now on, objects that are not used are forgotten after a while.</summary>
    internal SharedMemoryHybridCache Sweeping()
    {
        // Of no caller's: the caller that asks first would be kept as long as the application runs.
        using (ExecutionContext.IsFlowSuppressed() ? default(AsyncFlowControl?) : ExecutionContext.SuppressFlow())
        {
            _sweeper = new Timer(static cache => ((SharedMemoryHybridCache)cache!).Sweep(), this, BetweenSweeps, BetweenSweeps);
        }

        return this;
    }

    internal void Sweep() => _objects.Sweep(IsCurrent);

    /// <summary>A hit of the first level: nearly all calls. Counts it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryHit<T>(ReadOnlySpan<char> key, HybridCacheEntryOptions? entry, out T value)
    {
        Unsafe.SkipInit(out value);
        return (FlagsOf(entry) & HybridCacheEntryFlags.DisableLocalCacheRead) == 0
            && FindCurrent(key) is { } item
            && TryUse(item, out value);
    }

    /// <summary>The object of a key, if there is one that counts; if not, that is counted.</summary>
    private FirstLevel.Item? FindCurrent(ReadOnlySpan<char> key)
    {
        FirstLevel.Item? item = _objects.Find(key, FirstLevel.HashOf(key));
        if (item != null && IsCurrent(item))
        {
            return item;
        }

        if (item != null)
        {
            _objects.Drop(item);
        }

        metrics.CountLocalMiss(isStale: item != null);
        return null;
    }

    private bool TryUse<T>(FirstLevel.Item item, out T value)
    {
        bool isHit = TryGet(item, out value);
        if (isHit)
        {
            item.Use();
            metrics.CountLocalHit();
        }
        else
        {
            metrics.CountLocalMiss(isStale: true);
        }

        return isHit;
    }

    private bool TryGet<T>(FirstLevel.Item item, out T value)
    {
        if (item.Value is not FirstLevel.BytesOfValue bytes)
        {
            return item.TryGet(out value);
        }

        value = default!;
        return item.Is<T>() && serialization.For<T>() is { } serializer && TryRead(serializer, bytes.Value, out value);
    }

    private bool IsCurrent(FirstLevel.Item item)
    {
        try
        {
            return space.Current is { } cache && item.IsCurrent(cache) && (item.Until == long.MaxValue || clock.GetUtcNow().UtcTicks < item.Until);
        }
        catch (ObjectDisposedException)
        {
            // The application ends, or the file was replaced just now.
            return false;
        }
    }

    /// <summary>Keeps an object in this process, for as long as its key has what it has now in shared memory.</summary>
    /// <returns>Whether it is kept.</returns>
    private bool KeepHere<T>(string key, byte[] bytes, TypeSerializer<T> serializer, HybridCacheEntryOptions? options, string[] tags)
    {
        try
        {
            if (ExpirationOf(options) > TimeSpan.Zero
                && space.Current is { } cache
                && cache.CaptureTags(tags) is var captured
                && TryRead(serializer, bytes, out T copy))
            {
                return Keep(key, copy, bytes, serializer, MarkWhatIsThere(cache, _keys.Of(key), options, adds: true), captured, options);
            }
        }
        catch (ObjectDisposedException)
        {
            // The application ends, or the file was replaced just now.
        }

        return false;
    }

    /// <summary>Keeps an object for all callers; of a type whose objects can be changed, the bytes that each caller's own is made of.</summary>
    /// <returns>Whether it is kept: it is not too large, and its key still has what it was made for.</returns>
    private bool Keep<T>(
        string key, T value, byte[] bytes, TypeSerializer<T> serializer, in CacheMark mark, in CacheTags tags, HybridCacheEntryOptions? options)
    {
        if (bytes.Length > FirstLevel.LargestValueBytes || IsTooLarge(bytes.Length) || !IsKeptHere(options))
        {
            return false;
        }

        object? kept = serializer.IsReusable ? value : new FirstLevel.BytesOfValue(bytes);
        FirstLevel.Item item = new(key, FirstLevel.HashOf(key), kept, bytes.Length, typeof(T), mark, EndOf(options), tags);

        // An object that has been overtaken already would push out the object of its key that counts.
        return IsCurrent(item) && _objects.Keep(item);
    }

    private bool IsKeptHere(HybridCacheEntryOptions? options) => LocalOf(options) is not { } local || local > TimeSpan.Zero;

    /// <summary>When an object ends that is kept in this process only, in ticks of universal time.</summary>
    private long EndOf(HybridCacheEntryOptions? entry) => Math.Min(UntilOf(entry), After(ExpirationOf(entry)));

    /// <summary>The local lifetime of an object, where it is shorter than that of its value.</summary>
    private long UntilOf(HybridCacheEntryOptions? entry) => LocalOf(entry) is { } local && local < ExpirationOf(entry) ? After(local) : long.MaxValue;

    private TimeSpan? LocalOf(HybridCacheEntryOptions? entry) => entry?.LocalCacheExpiration ?? options.DefaultEntryOptions?.LocalCacheExpiration;

    /// <summary>A moment that no calendar has is never.</summary>
    private long After(TimeSpan time)
    {
        long now = clock.GetUtcNow().UtcTicks;
        return time.Ticks > DateTime.MaxValue.Ticks - now ? long.MaxValue : now + Math.Max(0, time.Ticks);
    }
}
