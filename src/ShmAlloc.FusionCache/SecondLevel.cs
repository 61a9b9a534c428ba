using Microsoft.Extensions.Caching.Distributed;
using ShmAlloc.Caching;
using ShmAlloc.Extensions.Caching.Distributed;

namespace ShmAlloc.FusionCache;

/// <summary>
/// The second level of one FusionCache. When a tag was removed is an entry like others to FusionCache: see <see cref="PinnedTags"/>.
/// </summary>
/// <param name="space">Where it lies.</param>
/// <param name="cacheName">The FusionCache: others in the same file do not see its entries.</param>
internal sealed class SecondLevel(FusionSpace space, string cacheName) : SynchronousDistributedCache
{
    internal const char Part = 'v';

    private readonly PinnedTags _tags = new(space.Space, space.KeyOf('p', cacheName, "bytes"));

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
        bool isTag = PinnedTags.IsTagOfFusion(key, value.Length);
        CacheEntryOptions entry = Expiry.Of(options, space.Clock.GetUtcNow());
        string inner = KeyOf(key);
        try
        {
            if (space.Current is not { } cache)
            {
                space.Space.NoteMissed(inner);
                return;
            }

            CacheStatus status = isTag ? _tags.Set(cache, inner, new(value), entry) : cache.Set(inner, value, entry);
            if (status != CacheStatus.Ok)
            {
                space.Metrics.Reject(status);
                if (!isTag)
                {
                    _tags.Drop(inner, isTag: false, status, value.Length);
                }
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
}
