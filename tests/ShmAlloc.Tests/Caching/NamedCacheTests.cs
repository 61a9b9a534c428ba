using System.Text;
using ShmAlloc.Caching;
using ShmAlloc.Tests.Support;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Tests.Caching;

/// <summary>The caches of a heap, and how they are made.</summary>
public sealed class NamedCacheTests : IDisposable
{
    private const int Most = 16;

    private static readonly SharedCacheOptions Small = new() { Capacity = 14, TagSlots = 16 };

    private readonly TestHeap _test = TestHeap.OfSize(4 << 20);

    public void Dispose() => _test.Dispose();

    [Fact]
    public void Caches_of_different_names_know_nothing_of_each_other()
    {
        var one = SharedCache.Open(_test.Heap, "one");
        var two = SharedCache.Open(_test.Heap, "two");
        one.Set("key"u8, "one"u8);
        two.Set("key"u8, "two"u8);
        Bytes.Equal("one"u8, one.Get("key"u8));
        Bytes.Equal("two"u8, two.Get("key"u8));
        one.Remove("key"u8);
        Assert.True(two.Contains("key"u8));
        one.Set("key"u8, "one"u8);
        two.Clear();
        Assert.True(one.Contains("key"u8));
        Assert.Equal((1, 0), (one.GetStatistics().Entries, two.GetStatistics().Entries));
    }

    [Fact]
    public void A_name_means_the_same_cache_in_every_attachment()
    {
        using var other = _test.Attach();
        SharedCache.Open(_test.Heap, "name").Set("key"u8, "value"u8);
        Bytes.Equal("value"u8, SharedCache.Open(other, "name").Get("key"u8));
        Bytes.Equal("value"u8, SharedCache.Open(_test.Heap, "name").Get("key"u8));
        Assert.Null(SharedCache.Open(other, "another").Get("key"u8));
    }

    [Fact]
    public void A_heap_has_up_to_16_caches()
    {
        for (var number = 0; number < Most; number++)
        {
            SharedCache.Open(_test.Heap, $"cache {number}", Small).Set("key"u8, [(byte)number]);
        }

        var refused = Assert.Throws<InvalidOperationException>(() => SharedCache.Open(_test.Heap, "one more", Small));
        Assert.Contains("one more", refused.Message, StringComparison.Ordinal);
        using var other = _test.Attach();
        for (var number = 0; number < Most; number++)
        {
            Bytes.Equal([(byte)number], SharedCache.Open(other, $"cache {number}").Get("key"u8));
        }
    }

    [Fact]
    public void Of_many_who_make_a_cache_one_does_and_all_have_it()
    {
        const int threads = 4;
        for (var round = 0; round < Most; round++)
        {
            using Barrier barrier = new(threads);
            Threads.Run(threads, number =>
            {
                using var heap = _test.Attach();
                barrier.SignalAndWait();
                var cache = SharedCache.Open(heap, $"{round}", Small);
                while (cache.Increment("key"u8, 1, out _) is CacheStatus.Contended)
                {
                    Thread.Yield();
                }
            });
            Assert.Equal(BitConverter.GetBytes((long)threads), SharedCache.Open(_test.Heap, $"{round}").Get("key"u8));
        }

        Assert.Equal(2 * Most, _test.Heap.GetStatistics().Allocations);
    }

    [Theory]
    [InlineData("a")]
    [InlineData("Größe")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123")]
    public void A_name_has_up_to_64_bytes_of_utf8(string name)
    {
        var cache = SharedCache.Open(_test.Heap, name, Small);
        Assert.Equal(name, cache.Name);
        Assert.Same(_test.Heap, cache.Heap);
        cache.Set("key"u8, Encoding.UTF8.GetBytes(name));
        Bytes.Equal(Encoding.UTF8.GetBytes(name), SharedCache.Open(_test.Heap, name).Get("key"u8));
    }

    [Theory]
    [InlineData("")]
    [InlineData("01234567890123456789012345678901234567890123456789012345678901234")]
    [InlineData("äääääääääääääääääääääääääääääääää")]
    public void Other_names_are_misuse(string name) => Assert.Throws<ArgumentException>(() => SharedCache.Open(_test.Heap, name));

    [Theory]
    [InlineData(1, 14)]
    [InlineData(14, 14)]
    [InlineData(15, 21)]
    [InlineData(1000, 1001)]
    public void The_capacity_is_rounded_up(int asked, long given) =>
        Assert.Equal(given, SharedCache.Open(_test.Heap, "name", new() { Capacity = asked }).GetStatistics().Capacity);

    [Fact]
    public void Options_out_of_range_are_misuse_and_make_no_cache()
    {
        SharedCacheOptions[] wrong =
        [
            new() { Capacity = 0 },
            new() { Capacity = -1 },
            new() { Capacity = long.MaxValue },
            new() { TagSlots = 0 },
            new() { TagSlots = (1 << 24) + 1 },
            new() { LimitBytes = 0 },
            new() { LimitBytes = -5 },
        ];
        Assert.All(wrong, options => Assert.ThrowsAny<ArgumentOutOfRangeException>(() => SharedCache.Open(_test.Heap, "name", options)));
        Assert.Equal(0, _test.Heap.GetStatistics().Allocations);
    }

    [Fact]
    public void A_cache_keeps_the_options_that_it_was_made_with()
    {
        SharedCache.Open(_test.Heap, "name", new() { Capacity = 14, LimitBytes = 5000 });
        var statistics = SharedCache.Open(_test.Heap, "name").GetStatistics();
        Assert.Equal((14, 5000), (statistics.Capacity, statistics.LimitBytes));
    }

    [Fact]
    public void An_index_for_which_there_is_no_room_is_refused_and_leaves_nothing()
    {
        var refused = Assert.Throws<InvalidOperationException>(() => SharedCache.Open(_test.Heap, "name", new() { Capacity = 1_000_000 }));
        Assert.Contains("Capacity", refused.Message, StringComparison.Ordinal);
        _test.Heap.Malloc(2 << 20);
        Assert.Throws<InvalidOperationException>(() => SharedCache.Open(_test.Heap, "name", new() { Capacity = 250_000 }));
        Assert.Equal(1, _test.Heap.GetStatistics().Allocations);
        Assert.NotNull(SharedCache.Open(_test.Heap, "name", Small));
    }

    [Fact]
    public void A_cache_outlives_all_attachments()
    {
        using TemporaryHeapPath path = new();
        using (var heap = ShmHeap.Create(path.Value, new() { SizeBytes = 1 << 20 }))
        {
            SharedCache.Open(heap, "name").Set("key"u8, "value"u8, new() { Lifetime = TimeSpan.FromHours(1) });
        }

        using var again = ShmHeap.Attach(path.Value);
        Bytes.Equal("value"u8, SharedCache.Open(again, "name").Get("key"u8));
    }
}
