using Microsoft.Extensions.Caching.Distributed;

namespace ShmAlloc.Extensions.Caching.Distributed;

/// <summary>An <see cref="IDistributedCache"/> that waits for nothing: its asynchronous forms have ended when they return.</summary>
internal abstract class SynchronousDistributedCache : IDistributedCache
{
    public abstract byte[]? Get(string key);

    public abstract void Set(string key, byte[] value, DistributedCacheEntryOptions options);

    public abstract void Refresh(string key);

    public abstract void Remove(string key);

    public Task<byte[]?> GetAsync(string key, CancellationToken token = default) =>
        token.IsCancellationRequested ? Task.FromCanceled<byte[]?>(token) : Task.FromResult(Get(key));

    public Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default)
    {
        if (token.IsCancellationRequested)
        {
            return Task.FromCanceled(token);
        }

        Set(key, value, options);
        return Task.CompletedTask;
    }

    public Task RefreshAsync(string key, CancellationToken token = default)
    {
        if (token.IsCancellationRequested)
        {
            return Task.FromCanceled(token);
        }

        Refresh(key);
        return Task.CompletedTask;
    }

    public Task RemoveAsync(string key, CancellationToken token = default)
    {
        if (token.IsCancellationRequested)
        {
            return Task.FromCanceled(token);
        }

        Remove(key);
        return Task.CompletedTask;
    }
}
