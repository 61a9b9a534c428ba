using BitFaster.Caching.Lru;
using ShmAlloc.Benchmarks.Caches.Driving;

namespace ShmAlloc.Benchmarks.Caches.Subjects;

/// <summary>BitFaster's ConcurrentLru in one process.</summary>
/// <param name="keys">How many keys there will be. Its queues are bounded one by one, so that only twice the capacity keeps all of them.</param>
internal sealed class BitFasterSubject(int keys) : ICache
{
    private readonly ConcurrentLru<string, byte[]> _cache = new(Environment.ProcessorCount, Math.Max(2 * keys, 64), StringComparer.Ordinal);

    public string Version => CacheSubjects.PackageOf(_cache.GetType());

    public bool WantsText => true;

    public bool TryGet(Key key, Span<byte> destination, out int lengthBytes)
    {
        if (!_cache.TryGet(key.Text, out byte[]? value))
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
        _cache.AddOrUpdate(key.Text, value.AsSpan().ToArray());
        return true;
    }

    public void Dispose()
    {
    }
}
