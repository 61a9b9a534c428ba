using System.Buffers;
using Microsoft.Extensions.Caching.Distributed;
using ShmAlloc.Caching;
using ShmAlloc.Extensions.Caching.Diagnostics;
using ShmAlloc.Extensions.Caching.Heaps;

namespace ShmAlloc.Extensions.Caching.Distributed;

/// <summary>
/// <see cref="IDistributedCache"/> in shared memory. All of it is done when the call returns, also where it returns a task. Without shared memory gets miss,
/// and sets do nothing. Safe for all threads.
/// </summary>
internal sealed class SharedMemoryDistributedCache(CacheSpace space, CacheMetrics metrics, TimeProvider clock)
    : SynchronousDistributedCache, IBufferDistributedCache, IDisposable
{
    /// <summary>None that a caller's key could become: what begins like this and is a caller's goes on with a number.</summary>
    private const string PinnedBytes = "\u001fpinned";

    private readonly CacheKeys _keys = new(space.Options);
    private readonly PinnedTags _tags = new(space, PinnedBytes);

    internal CacheSpace Space => space;

    public override byte[]? Get(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        byte[]? value = null;
        try
        {
            value = space.Current?.Get(_keys.Of(key));
        }
        catch (ObjectDisposedException)
        {
            // The application ends, or the file was replaced just now.
        }

        metrics.Count(isHit: value != null);
        return value;
    }

    public bool TryGet(string key, IBufferWriter<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(destination);
        bool isHit = false;
        SharedCache? cache = space.Current;
        try
        {
            isHit = cache?.TryGet(_keys.Of(key), destination) == true;
        }
        catch (ObjectDisposedException) when (CacheSpace.HasEnded(cache))
        {
            // Not the writer, whose exceptions are its caller's.
        }

        metrics.Count(isHit);
        return isHit;
    }

    public override void Set(string key, byte[] value, DistributedCacheEntryOptions options)
    {
        ArgumentNullException.ThrowIfNull(value);
        Set(key, new ReadOnlySequence<byte>(value), options);
    }

    public void Set(string key, ReadOnlySequence<byte> value, DistributedCacheEntryOptions options)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(options);
        bool isTag = PinnedTags.IsTag(key, value.Length);
        CacheEntryOptions entry = Expiry.Of(options, clock.GetUtcNow());
        string inner = _keys.Of(key);
        if (space.Current is not { } cache)
        {
            space.NoteMissed(inner);
            return;
        }

        try
        {
            CacheStatus status = value.Length > int.MaxValue ? CacheStatus.TooLarge
                : isTag ? _tags.Set(cache, inner, value, entry)
                : value.IsSingleSegment ? cache.Set(inner, value.FirstSpan, entry)
                : cache.Set(inner, value, entry);
            if (status != CacheStatus.Ok)
            {
                metrics.Reject(status);
                if (!isTag)
                {
                    _tags.Drop(inner, isTag: false, status, value.Length);
                }
            }
        }
        catch (ObjectDisposedException) when (CacheSpace.HasEnded(cache))
        {
            space.NoteMissed(inner);
        }
    }

    public override void Refresh(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        try
        {
            space.Current?.Refresh(_keys.Of(key));
        }
        catch (ObjectDisposedException)
        {
        }
    }

    public override void Remove(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        space.Remove(_keys.Of(key));
    }

    public ValueTask<bool> TryGetAsync(string key, IBufferWriter<byte> destination, CancellationToken token = default) =>
        token.IsCancellationRequested ? ValueTask.FromCanceled<bool>(token) : ValueTask.FromResult(TryGet(key, destination));

    public ValueTask SetAsync(string key, ReadOnlySequence<byte> value, DistributedCacheEntryOptions options, CancellationToken token = default)
    {
        if (token.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(token);
        }

        Set(key, value, options);
        return ValueTask.CompletedTask;
    }

    public void Dispose()
    {
        metrics.Dispose();
        space.Dispose();
    }
}
