using Microsoft.Extensions.Logging;
using ShmAlloc.Caching;
using ZiggyCreatures.Caching.Fusion.Locking.Distributed;

namespace ShmAlloc.FusionCache;

/// <summary>
/// Locks of which one caller on the host has each: it is the one that works out the value of a key under the lock's name. If its process dies, the next one has
/// the lock at once; if it takes longer than 30 seconds, another one may have it, too. Safe for all threads.
/// </summary>
/// <param name="space">Where they lie.</param>
internal sealed class Locker(FusionSpace space) : IFusionCacheDistributedLocker
{
    private const char Part = 'l';

    public async ValueTask<object?> AcquireLockAsync(
        string cacheName, string cacheInstanceId, string operationId, string key, string lockName, TimeSpan timeout, ILogger? logger, CancellationToken token)
    {
        token.ThrowIfCancellationRequested();
        string name = space.KeyOf(Part, cacheName, lockName);
        try
        {
            return space.Current is not { } cache ? null
                : TryBegin(cache, name) is { } atOnce ? atOnce
                : timeout == TimeSpan.Zero ? null
                : await HeldLock.WaitAsync(cache, name, timeout, token).ConfigureAwait(false);
        }
        catch (ObjectDisposedException)
        {
            // Without shared memory each process works for itself.
            return null;
        }
    }

    public object? AcquireLock(
        string cacheName, string cacheInstanceId, string operationId, string key, string lockName, TimeSpan timeout, ILogger? logger, CancellationToken token)
    {
        return AcquireLockAsync(cacheName, cacheInstanceId, operationId, key, lockName, timeout, logger, token).AsTask().GetAwaiter().GetResult();
    }

    public ValueTask ReleaseLockAsync(
        string cacheName, string cacheInstanceId, string operationId, string key, string lockName, object? lockObj, ILogger? logger, CancellationToken token)
    {
        ReleaseLock(cacheName, cacheInstanceId, operationId, key, lockName, lockObj, logger, token);
        return ValueTask.CompletedTask;
    }

    /// <summary>Also if the caller has left: the lock is not his any more.</summary>
    public void ReleaseLock(
        string cacheName, string cacheInstanceId, string operationId, string key, string lockName, object? lockObj, ILogger? logger, CancellationToken token)
    {
        try
        {
            (lockObj as CacheFlight)?.Abandon();
            (lockObj as HeldLock)?.Dispose();
        }
        catch (ObjectDisposedException)
        {
            // It is gone with the file.
        }
    }

    private static CacheFlight? TryBegin(SharedCache cache, string name) =>
        cache.BeginFlight(name, out CacheFlight? flight, retryAfter: TimeSpan.Zero) == CacheStatus.Ok ? flight : null;
}
