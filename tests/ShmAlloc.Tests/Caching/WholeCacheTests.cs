using ShmAlloc.Caching;

namespace ShmAlloc.Tests.Caching;

/// <summary>Looking at a cache as a whole: clearing, enumerating, figures.</summary>
public sealed class WholeCacheTests : IDisposable
{
    private readonly ManualClock _clock = new();
    private readonly TestCache _test;

    public WholeCacheTests() => _test = new TestCache(new SharedCacheOptions { Clock = _clock });

    private SharedCache Cache => _test.Cache;

    public void Dispose() => _test.Dispose();

    [Fact]
    public void Clearing_removes_everything_and_gives_its_room_back()
    {
        for (var number = 0; number < 1000; number++)
        {
            Cache.Set($"{number}", TestCache.Value(number * 3, number), new() { Pinned = number % 2 == 0 });
        }

        Cache.Set("run"u8, new byte[200_000]);
        Assert.Equal(CacheStatus.Ok, Cache.Clear());
        Assert.Empty(Cache.Enumerate());
        Assert.All(Enumerable.Range(0, 1000), number => Assert.False(Cache.TryGet($"{number}", [], out _)));
        _test.AssertNothingIsLost();
    }

    [Fact]
    public void A_cache_that_was_cleared_goes_on()
    {
        for (var round = 0; round < 5; round++)
        {
            Cache.Set("key"u8, [(byte)round]);
            Bytes.Equal([(byte)round], Cache.Get("key"u8));
            Cache.Clear();
        }
    }

    [Fact]
    public void Every_entry_is_enumerated_once_with_what_there_is_to_know()
    {
        var expires = _clock.Now.AddMinutes(1);
        Dictionary<string, CacheEntry> expected = [];
        for (var number = 0; number < 500; number++)
        {
            var key = $"key {number}";
            Cache.Set(key, new byte[number], new() { Pinned = number % 3 == 0, AbsoluteExpiration = number % 2 == 0 ? expires : null });
            Cache.Get(System.Text.Encoding.UTF8.GetBytes(key), out var version);
            expected.Add(key, new CacheEntry(default, number, version, number % 2 == 0 ? expires : null, number % 3 == 0));
        }

        foreach (var entry in Cache.Enumerate())
        {
            Assert.True(expected.Remove(System.Text.Encoding.UTF8.GetString(entry.Key.Span), out var known));
            Assert.Equal(known, entry with { Key = default });
        }

        Assert.Empty(expected);
    }

    [Fact]
    public void Entries_may_be_removed_while_they_are_enumerated()
    {
        for (var number = 0; number < 300; number++)
        {
            Cache.Set($"{number}", "value"u8);
        }

        Assert.All(Cache.Enumerate(), entry => Assert.Equal(CacheStatus.Ok, Cache.Remove(entry.Key.Span)));
        Assert.Empty(Cache.Enumerate());
    }

    [Fact]
    public async Task Waiting_for_a_value_counts_once_however_often_one_looks()
    {
        var cancellation = TestContext.Current.CancellationToken;
        using ManualResetEventSlim entered = new();
        using ManualResetEventSlim goOn = new();
        var first = Task.Run(
            () => Cache.GetOrAdd("key", _ =>
            {
                entered.Set();
                goOn.Wait(cancellation);
                return [1];
            }),
            cancellation);
        entered.Wait(cancellation);

        // Looks again now and then, and has waited long enough when it works the value out itself.
        Cache.GetOrAdd("key", _ => [2], flight: new CacheFlightOptions { WaitLimit = TimeSpan.FromMilliseconds(50) });
        goOn.Set();
        await first;
        var statistics = Cache.GetStatistics();
        Assert.Equal((0, 2), (statistics.Hits, statistics.Misses));
    }

    [Fact]
    public void Hits_misses_sets_and_removals_are_counted()
    {
        Cache.Set("one"u8, "value"u8);
        Cache.Add("two"u8, "value"u8);
        Cache.Add("two"u8, "value"u8);
        Cache.Get("one"u8);
        Cache.Contains("one"u8);
        Cache.TryGet("two"u8, [], out _);
        Cache.Get("three"u8);
        Cache.Remove("two"u8);
        Cache.Remove("two"u8);
        var statistics = Cache.GetStatistics();
        Assert.Equal((2, 1), (statistics.Sets, statistics.Removals));
        Assert.Equal(1, statistics.Misses);
        Assert.InRange(statistics.Hits, 3, 4);
        Assert.Equal(1, statistics.Entries);
    }

    [Fact]
    public void The_hit_rate_is_hits_of_all_gets()
    {
        Assert.Equal(0, Cache.GetStatistics().HitRate);
        Cache.Set("key"u8, []);
        Cache.Get("key"u8);
        Cache.Get("key"u8);
        Cache.Get("key"u8);
        Cache.Get("missing"u8);
        Assert.Equal(0.75, Cache.GetStatistics().HitRate);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(5000)]
    [InlineData(49_000)]
    [InlineData(60_000)]
    [InlineData(70_000)]
    [InlineData(1_000_000)]
    public void Bytes_are_what_the_entries_take_of_the_heap(int length)
    {
        var table = _test.Heap.GetStatistics().UsedBytes;
        Cache.Set("one"u8, new byte[length]);
        Cache.Set("two"u8, new byte[length]);
        Cache.Set("two"u8, new byte[length]);
        Assert.Equal(_test.Heap.GetStatistics().UsedBytes - table, Cache.GetStatistics().Bytes);
        Assert.Equal(2, Cache.GetStatistics().Entries);
        Cache.Remove("one"u8);
        Assert.Equal(_test.Heap.GetStatistics().UsedBytes - table, Cache.GetStatistics().Bytes);
        Cache.Clear();
        Assert.Equal(0, Cache.GetStatistics().Bytes);
        Assert.Equal(0, Cache.GetStatistics().Entries);
    }

    [Fact]
    public void The_figures_of_a_process_are_its_own()
    {
        var other = _test.OpenElsewhere(new SharedCacheOptions { Clock = _clock });
        Cache.Set("key"u8, "value"u8);
        Cache.Get("key"u8);
        other.Get("key"u8);
        other.Get("key"u8);
        other.Get("missing"u8);
        other.Remove("key"u8);
        var (mine, its) = (Cache.GetProcessStatistics(), other.GetProcessStatistics());
        Assert.Equal((1, 1, 0, 1, 0), (mine.Entries, mine.Hits, mine.Misses, mine.Sets, mine.Removals));
        Assert.Equal((-1, 2, 1, 0, 1), (its.Entries, its.Hits, its.Misses, its.Sets, its.Removals));
        var all = Cache.GetStatistics();
        Assert.Equal((0, 3, 1, 1, 1), (all.Entries, all.Hits, all.Misses, all.Sets, all.Removals));
        Assert.Equal(0, all.Bytes);
    }

    [Fact]
    public void The_figures_outlive_those_who_made_them()
    {
        var other = _test.OpenElsewhere();
        other.Set("key"u8, "value"u8);
        other.Get("key"u8);
        other.Heap.Dispose();
        Assert.Equal((1, 1, 1), Cache.GetStatistics() is var statistics ? (statistics.Entries, statistics.Hits, statistics.Sets) : default);
    }

    [Fact]
    public void What_is_dropped_after_its_time_counts_as_expired()
    {
        // An index with room to spare: nothing is dropped because of full buckets.
        using TestCache test = new(new SharedCacheOptions { Clock = _clock, Capacity = 28_000 });
        for (var number = 0; number < 12_000; number++)
        {
            test.Cache.Set($"{number}", new byte[500], new() { Lifetime = TimeSpan.FromSeconds(1) });
        }

        Assert.Equal(12_000, test.Cache.GetStatistics().Entries);
        _clock.Advance(1000);
        for (var number = 0; number < 5000; number++)
        {
            Assert.Equal(CacheStatus.Ok, test.Cache.Set($"new {number}", new byte[500]));
        }

        var statistics = test.Cache.GetStatistics();
        Assert.True(statistics.Expirations is >= 1000 and <= 12_000, $"{statistics}");
        Assert.InRange(statistics.EvictionsForRoom, 0, statistics.Expirations);
    }

    [Fact]
    public void After_the_heap_was_disposed_everything_says_so()
    {
        Cache.Set("key"u8, "value"u8);
        _test.Heap.Dispose();
        Action[] calls =
        [
            () => Cache.Get("key"u8),
            () => Cache.Get("key"),
            () => Cache.TryGet("key"u8, [], out _),
            () => Cache.TryGet("key"u8, new System.Buffers.ArrayBufferWriter<byte>()),
            () => Cache.Contains("key"u8),
            () => Cache.Refresh("key"u8),
            () => Cache.Set("key"u8, []),
            () => Cache.Add("key"u8, []),
            () => Cache.Replace("key"u8, [], default),
            () => Cache.Increment("key"u8, 1, out _),
            () => Cache.Remove("key"u8),
            () => Cache.RemoveByTag("tag"),
            () => Cache.Clear(),
            () => Cache.Enumerate().Count(),
            () => Cache.GetStatistics(),
            () => Cache.GetProcessStatistics(),
            () => Cache.Lease("key"u8, out CacheLease _),
            () => Cache.Reserve("key"u8, 1, out _),
            () => Cache.GetOrAdd("key", _ => []),
            () => SharedCache.Open(_test.Heap, "other"),
        ];
        Assert.All(calls, call => Assert.Throws<ObjectDisposedException>(call));
    }

    public static TheoryData<string, SharedCacheOptions> OtherOptions => new()
    {
        { "Capacity = 700", new() { Capacity = 7000 } },
        { "LimitBytes = none", new() { LimitBytes = 1 << 20 } },
        { "TagSlots = 4096", new() { TagSlots = 64 } },
        { "Checksums = false", new() { Checksums = true } },
    };

    [Theory]
    [MemberData(nameof(OtherOptions))]
    public void F61_a_cache_that_exists_is_not_opened_with_options_that_it_does_not_have(string sentence, SharedCacheOptions options)
    {
        using TestCache test = new(new SharedCacheOptions { Capacity = 700 });
        Assert.Contains(sentence, Assert.Throws<InvalidOperationException>(() => test.OpenElsewhere(options)).Message, StringComparison.Ordinal);
        Assert.Contains(sentence, Assert.Throws<InvalidOperationException>(() => test.OpenReadOnly(options)).Message, StringComparison.Ordinal);
        test.OpenElsewhere(new SharedCacheOptions { Capacity = 699, TagSlots = 4000 }).Set("key"u8, "value"u8);
        Assert.True(test.OpenElsewhere().Contains("key"u8));
    }
}
