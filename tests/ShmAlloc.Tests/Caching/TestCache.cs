using ShmAlloc.Caching;
using ShmAlloc.Tests.Support;

namespace ShmAlloc.Tests.Caching;

/// <summary>A heap of its own with one cache in it.</summary>
internal sealed class TestCache : IDisposable
{
    internal const int DefaultBytes = 8 << 20;

    private readonly TestHeap _heap;
    private readonly List<SharedCache> _others = [];

    internal TestCache(SharedCacheOptions? options = null, ShmHeapOptions? heap = null)
    {
        _heap = new TestHeap(heap ?? new ShmHeapOptions { SizeBytes = DefaultBytes });
        try
        {
            Cache = SharedCache.Open(_heap.Heap, "default", options);
        }
        catch
        {
            _heap.Dispose();
            throw;
        }
    }

    internal ShmHeap Heap => _heap.Heap;

    internal SharedCache Cache { get; }

    internal string Path => _heap.Path;

    public void Dispose()
    {
        _others.ForEach(other => other.Heap.Dispose());
        _heap.Dispose();
    }

    /// <summary>"tag 0" and so on, without those that share a place with an earlier one: which do, is chance.</summary>
    internal static string[] TagsApart(SharedCache cache, int count) =>
    [
        .. Enumerable.Range(0, 1000)
            .Select(number => $"tag {number}")
            .DistinctBy(name => cache.CaptureTags(name).Captured![0] >> 32)
            .Take(count),
    ];

    /// <summary>Bytes that tell which they are.</summary>
    internal static byte[] Value(int length, int seed)
    {
        var value = new byte[length];
        new Random(seed).NextBytes(value);
        return value;
    }

    /// <summary>The same cache, as another attachment of the file sees it.</summary>
    internal SharedCache OpenElsewhere(SharedCacheOptions? options = null) => Remember(ShmHeap.Attach(Path), options);

    internal SharedCache OpenReadOnly(SharedCacheOptions? options = null) => Remember(ShmHeap.AttachReadOnly(Path), options);

    /// <summary>When nobody holds anything: every unit but those of the table can be handed out.</summary>
    internal void AssertNothingIsLost()
    {
        // Everybody has to tell what it has counted; who leaves does.
        _others.ForEach(other => other.Heap.Dispose());
        Assert.Equal(CacheStatus.Ok, Cache.Clear());
        Assert.Equal(1, Heap.GetStatistics().Allocations);
        var statistics = Cache.GetStatistics();
        Assert.Equal((0, 0), (statistics.Entries, statistics.Bytes));
        TestHeap.AssertSound(Heap);
        var free = (Heap.MaximumBytes - Heap.GetStatistics().UsedBytes) / Heap.UnitBytes;
        var units = TestHeap.Fill(Heap, 1);
        Assert.Equal(free, units.Count);
        Assert.All(units, unit => Assert.Equal(ShmStatus.Ok, Heap.Free(unit)));
    }

    private SharedCache Remember(ShmHeap heap, SharedCacheOptions? options)
    {
        var cache = SharedCache.Open(heap, "default", options);
        _others.Add(cache);
        return cache;
    }
}
