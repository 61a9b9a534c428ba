using ShmAlloc.Benchmarks.Caches.Driving;
using ShmAlloc.Caching;

namespace ShmAlloc.Benchmarks.Caches.Subjects;

/// <summary>This library: the cache in a file that all processes map.</summary>
internal sealed class SharedCacheSubject : ICache
{
    private const long Mib = 1L << 20;

    /// <summary>Room for what the cache keeps beside a key and a value.</summary>
    private const long OverheadBytes = 128;

    private readonly ShmHeap _heap;
    private readonly SharedCache _cache;

    internal SharedCacheSubject(CacheParameters parameters, bool wantsText)
    {
        WantsText = wantsText;

        // Half as much again as the items need: nothing may be evicted, and a set needs room before the old value is given back.
        long sizeBytes = (((parameters.PayloadBytes + (parameters.Keys * OverheadBytes)) * 3 / 2 / Mib) + 32) * Mib;
        _heap = ShmHeap.Open(parameters.Path, new ShmHeapOptions { SizeBytes = sizeBytes });
        _cache = SharedCache.Open(_heap, "bench", new SharedCacheOptions { Capacity = parameters.Keys * 3 / 2 });
    }

    public string Version => CacheSubjects.PackageOf(typeof(SharedCache));

    public bool WantsText { get; }

    public bool TryGet(Key key, Span<byte> destination, out int lengthBytes) =>
        WantsText ? _cache.TryGet(key.Text, destination, out lengthBytes) : _cache.TryGet(key.Utf8, destination, out lengthBytes);

    public bool Set(Key key, byte[] value) => (WantsText ? _cache.Set(key.Text, value) : _cache.Set(key.Utf8, value)) == CacheStatus.Ok;

    public void Dispose() => _heap.Dispose();
}
