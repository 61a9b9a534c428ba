using Microsoft.Extensions.Caching.Distributed;
using ShmAlloc.Caching;
using ShmAlloc.Extensions.Caching.Distributed;

namespace ShmAlloc.FusionCache;

/// <summary>
/// The second level of one FusionCache. When a tag was removed is an entry like others to FusionCache; if such an entry were dropped for want of room, the
/// values that were removed would be back. So these are pinned; where there is no room for one more, everything is removed instead.
/// </summary>
/// <param name="space">Where it lies.</param>
/// <param name="cacheName">The FusionCache: others in the same file do not see its entries.</param>
internal sealed class SecondLevel(FusionSpace space, string cacheName) : SynchronousDistributedCache
{
    internal const char Part = 'v';

    /// <summary>Of the room that there is, tags have at most this part of it.</summary>
    private const int PinnedPart = 8;

    /// <summary>What FusionCache's keys of tags contain: by default, and with "safe strings".</summary>
    private static readonly string[] TagMarks = ["__fc:t:", "__fc-t-"];

    private static readonly CacheEntryOptions Pinned = new() { Pinned = true };

    private readonly string _pinnedBytes = space.KeyOf('p', cacheName, "bytes");

    public override byte[]? Get(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        byte[]? value = null;
        try
        {
            value = space.Current?.Get(KeyOf(key));
        }
        catch (ObjectDisposedException)
        {
            // The application ends, or the file was replaced just now.
        }

        space.Metrics.Count(isHit: value != null);
        return value;
    }

    public override void Set(string key, byte[] value, DistributedCacheEntryOptions options)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(value);
        ArgumentNullException.ThrowIfNull(options);
        bool isTag = Array.Exists(TagMarks, mark => key.Contains(mark, StringComparison.Ordinal));
        CacheEntryOptions entry = Expiry.Of(options, space.Clock.GetUtcNow()) with { Pinned = isTag };
        string inner = KeyOf(key);
        try
        {
            if (space.Current is not { } cache)
            {
                space.Space.NoteMissed(inner);
                return;
            }

            bool hasRoom = !isTag || HasRoomForTag(cache, inner, value.Length);
            CacheStatus status = hasRoom ? cache.Set(inner, value, entry) : CacheStatus.NoRoom;
            if (status != CacheStatus.Ok)
            {
                Drop(inner, isTag, status, value.Length);
            }
        }
        catch (ObjectDisposedException)
        {
            space.Space.NoteMissed(inner);
        }
    }

    public override void Refresh(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        try
        {
            space.Current?.Refresh(KeyOf(key));
        }
        catch (ObjectDisposedException)
        {
            // The application ends, or the file was replaced just now.
        }
    }

    public override void Remove(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        space.Space.Remove(KeyOf(key));
    }

    private string KeyOf(string key) => space.KeyOf(Part, cacheName, key);

    /// <summary>Counts what is pinned. Tags that have expired are counted on: too early is coarse, and never wrong.</summary>
    private bool HasRoomForTag(SharedCache cache, string inner, int valueBytes)
    {
        long most = (space.Space.Options.LimitBytes ?? cache.Heap.MaximumBytes) / PinnedPart;
        return cache.Contains(inner)
            || (cache.Increment(_pinnedBytes, inner.Length + valueBytes, out long pinned, Pinned) == CacheStatus.Ok && pinned <= most);
    }

    private void Drop(string inner, bool isTag, CacheStatus status, int valueBytes)
    {
        space.Metrics.Reject(status);
        space.Space.Log.Dropped(isTag ? $"{status} for a tag, so everything is removed" : status.ToString(), valueBytes, space.Space.Path);
        if (isTag)
        {
            space.Space.RemoveAll();
        }
        else
        {
            // An older value must not be taken for this one.
            space.Space.Supersede(inner);
        }
    }
}
