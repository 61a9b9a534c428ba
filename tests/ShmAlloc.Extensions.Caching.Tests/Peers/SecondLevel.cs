using System.Collections.Concurrent;
using Microsoft.Extensions.Caching.Distributed;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>What lies below Microsoft's <c>HybridCache</c>, so that it does what it does only then; and fails if it is told to.</summary>
internal sealed class SecondLevel : IDistributedCache
{
    private readonly ConcurrentDictionary<string, byte[]> _values = new(StringComparer.Ordinal);

    internal bool Fails { get; set; }

    internal int Count => _values.Count;

    public byte[]? Get(string key) => Usable.GetValueOrDefault(key);

    public Task<byte[]?> GetAsync(string key, CancellationToken token = default) => Task.FromResult(Get(key));

    public void Refresh(string key)
    {
    }

    public Task RefreshAsync(string key, CancellationToken token = default) => Task.CompletedTask;

    public void Remove(string key) => Usable.TryRemove(key, out _);

    public Task RemoveAsync(string key, CancellationToken token = default)
    {
        Remove(key);
        return Task.CompletedTask;
    }

    public void Set(string key, byte[] value, DistributedCacheEntryOptions options) => Usable[key] = value;

    public Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default)
    {
        Set(key, value, options);
        return Task.CompletedTask;
    }

    private ConcurrentDictionary<string, byte[]> Usable => Fails ? throw new IOException("The second level fails.") : _values;
}
