using ShmAlloc.Caching;
using ShmAlloc.Tests.Support;

namespace ShmAlloc.Tests.Caching;

/// <summary>A heap that is attached read-only: its caches can be read, and nothing else.</summary>
public sealed class ReadOnlyCacheTests : IDisposable
{
    private const int LongestValue = 70_000;

    private readonly ManualClock _clock = new();
    private readonly TestCache _test;
    private readonly SharedCache _reader;

    public ReadOnlyCacheTests()
    {
        SharedCacheOptions options = new() { Clock = _clock };
        _test = new TestCache(options);
        _test.Cache.Set("key"u8, "value"u8);
        _reader = _test.OpenReadOnly(options);
    }

    public void Dispose() => _test.Dispose();

    [Fact]
    public void It_reads_what_there_is()
    {
        Bytes.Equal("value"u8, _reader.Get("key"u8));
        Assert.True(_reader.Contains("key"u8));
        Assert.False(_reader.Contains("missing"u8));
        Bytes.Equal("key"u8, Assert.Single(_reader.Enumerate()).Key.Span);
        var value = TestCache.Value(300_000, 1);
        _test.Cache.Set("run"u8, value);
        Bytes.Equal(value, _reader.Get("run"u8));
    }

    [Fact]
    public void It_cannot_write()
    {
        _reader.Get("key"u8, out var version);
        Assert.Equal(CacheStatus.ReadOnly, _reader.Set("key"u8, "other"u8));
        Assert.Equal(CacheStatus.ReadOnly, _reader.Set("run"u8, new byte[200_000]));
        Assert.Equal(CacheStatus.ReadOnly, _reader.Add("key"u8, "other"u8));
        Assert.Equal(CacheStatus.ReadOnly, _reader.Replace("key"u8, "other"u8, version));
        Assert.Equal(CacheStatus.ReadOnly, _reader.Increment("number"u8, 1, out _));
        Assert.Equal(CacheStatus.ReadOnly, _reader.Remove("key"u8));
        Assert.Equal(CacheStatus.ReadOnly, _reader.RemoveByTag("tag"));
        Assert.Equal(CacheStatus.ReadOnly, _reader.Clear());
        Assert.Equal(CacheStatus.ReadOnly, _reader.Lease("key"u8, out _));
        Assert.Equal(CacheStatus.ReadOnly, _reader.Reserve("key"u8, 10, out _));
        Bytes.Equal("value"u8, _test.Cache.Get("key"u8));
    }

    [Fact]
    public void It_does_not_renew_a_sliding_expiry()
    {
        _test.Cache.Set("key"u8, "value"u8, new() { SlidingExpiration = TimeSpan.FromMilliseconds(100) });
        _clock.Advance(90);
        Assert.True(_reader.Contains("key"u8));
        Assert.Equal(CacheStatus.Ok, _reader.Refresh("key"u8));
        _clock.Advance(10);
        Assert.False(_reader.Contains("key"u8));
        Assert.False(_test.Cache.Contains("key"u8));
    }

    [Fact]
    public void It_sees_the_figures_of_the_others()
    {
        _test.Cache.Get("key"u8);
        _test.Cache.GetStatistics();
        var statistics = _reader.GetStatistics();
        Assert.Equal((1, 1, 1), (statistics.Entries, statistics.Sets, statistics.Hits));
        _reader.Get("key"u8);
        Assert.Equal(1, _reader.GetStatistics().Hits);
        Assert.Equal(0, _reader.GetProcessStatistics().Hits);
    }

    [Fact]
    public void It_opens_no_cache_that_is_not_there()
    {
        var refused = Assert.Throws<InvalidOperationException>(() => SharedCache.Open(_reader.Heap, "other"));
        Assert.Contains("read-only", refused.Message, StringComparison.Ordinal);
        SharedCache.Open(_test.Heap, "other");
        Assert.NotNull(SharedCache.Open(_reader.Heap, "other"));
    }

    [Fact]
    public void It_follows_a_heap_that_grows()
    {
        using TestCache test = new(heap: new() { SizeBytes = 1 << 20, MaximumSizeBytes = 16 << 20 });
        var reader = test.OpenReadOnly();
        for (var number = 0; number < 8; number++)
        {
            var value = TestCache.Value(1_000_000, number);
            Assert.Equal(CacheStatus.Ok, test.Cache.Set($"{number}", value));
            Bytes.Equal(value, reader.Get($"{number}"));
        }
    }

    [Fact]
    public void It_reads_whole_values_while_others_replace_them()
    {
        const int keys = 4;
        var reads = TestSupport.Effort.Choose(20_000, 1_000_000);
        var isDone = false;
        Replace(new Random(1), keys);
        var join = Threads.Start(1, _ =>
        {
            for (Random random = new(2); !Volatile.Read(ref isDone);)
            {
                Replace(random, keys);
            }
        });
        try
        {
            var buffer = new byte[LongestValue];
            for (var read = 0; read < reads; read++)
            {
                var status = _reader.Get(BitConverter.GetBytes(read % keys), buffer, out var length, out CacheVersion _);
                Assert.True(status is CacheStatus.Ok or CacheStatus.Contended, $"{status}");
                Assert.False(buffer.AsSpan(0, length).ContainsAnyExcept((byte)length));
            }
        }
        finally
        {
            Volatile.Write(ref isDone, true);
            join();
        }
    }

    /// <summary>Every value consists of bytes that tell its length.</summary>
    private void Replace(Random random, int keys)
    {
        for (var key = 0; key < keys; key++)
        {
            var value = new byte[random.Next(20) == 0 ? LongestValue : random.Next(1, 3000)];
            value.AsSpan().Fill((byte)value.Length);
            Assert.Equal(CacheStatus.Ok, _test.Cache.Set(BitConverter.GetBytes(key), value));
        }
    }
}
