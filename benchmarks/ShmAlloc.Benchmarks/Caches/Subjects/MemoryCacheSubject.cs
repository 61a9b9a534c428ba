using Microsoft.Extensions.Caching.Memory;
using ShmAlloc.Benchmarks.Caches.Driving;

namespace ShmAlloc.Benchmarks.Caches.Subjects;

/// <summary>What ASP.NET applications use in one process; without a size limit and without expiry.</summary>
internal sealed class MemoryCacheSubject : ICache
{
    private readonly MemoryCache _cache = new(new MemoryCacheOptions());

    public string Version => CacheSubjects.PackageOf(typeof(MemoryCache));

    public bool WantsText => true;

    public bool TryGet(Key key, Span<byte> destination, out int lengthBytes)
    {
        if (!_cache.TryGetValue(key.Text, out byte[]? value) || value is null)
        {
            lengthBytes = 0;
            return false;
        }

        lengthBytes = value.Length;
        value.CopyTo(destination);
        return true;
    }

    public bool Set(Key key, byte[] value)
    {
        _cache.Set(key.Text, value.AsSpan().ToArray());
        return true;
    }

    public void Dispose() => _cache.Dispose();
}
