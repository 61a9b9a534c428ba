using ShmAlloc.Caching;
using ShmAlloc.Tests.Support;

namespace ShmAlloc.Tests.Caching;

/// <summary>A full cache makes room; it does not fail.</summary>
public sealed class EvictionTests
{
    /// <summary>Geometries in which the last unit, the last word or the last block is a special case sooner or later.</summary>
    public static TheoryData<int, int> Geometries => new() { { 16, 4096 }, { 32, 4096 }, { 32, 65_536 }, { 64, 16_384 }, { 4096, 131_072 } };

    [Fact]
    public void Large_values_find_room_among_small_ones()
    {
        using TestCache test = new();
        FillWith(test.Cache, 40_000, 100);
        for (var number = 0; number < 30; number++)
        {
            var value = TestCache.Value(1 << 20, number);
            Assert.Equal(CacheStatus.Ok, test.Cache.Set($"large {number}", value));
            Bytes.Equal(value, test.Cache.Get($"large {number}"));
        }

        Assert.NotEqual(0, test.Cache.GetStatistics().EvictionsForRoom);
        test.AssertNothingIsLost();
    }

    [Fact]
    public void Small_values_find_room_among_large_ones()
    {
        using TestCache test = new();
        FillWith(test.Cache, 20, 1 << 20);
        FillWith(test.Cache, 40_000, 100);
        test.AssertNothingIsLost();
    }

    [Theory]
    [MemberData(nameof(Geometries))]
    public void Values_of_all_sizes_find_room(int unit, int block)
    {
        using TestCache test = new(heap: new() { SizeBytes = 2 << 20, UnitBytes = unit, BlockBytes = block, MaxParticipants = 4 });
        Random random = new(1);
        for (var number = 0; number < 6000; number++)
        {
            var value = TestCache.Value(random.Next(1 << random.Next(3, 19)), number);
            Assert.Equal(CacheStatus.Ok, test.Cache.Set($"{random.Next(2000)}", value));
            if (number % 100 == 0)
            {
                Assert.Equal(CacheStatus.Ok, test.Cache.Set("key", value));
                Bytes.Equal(value, test.Cache.Get("key"));
            }
        }

        Assert.NotEqual(0, test.Cache.GetStatistics().EvictionsForRoom);
        test.AssertNothingIsLost();
    }

    [Theory]
    [MemberData(nameof(Geometries))]
    public void What_others_have_allocated_is_never_touched(int unit, int block)
    {
        using TestCache test = new(heap: new() { SizeBytes = 2 << 20, UnitBytes = unit, BlockBytes = block, MaxParticipants = 4 });
        Random random = new(1);
        List<(ShmOffset Offset, int Length)> others = [];
        for (var number = 0; number < 400; number++)
        {
            // In between each other, down to the last unit of the heap.
            FillWith(test.Cache, 10, random.Next(2000));
            var length = random.Next(1, random.Next(50) == 0 ? 20_000 : 1500);
            if (test.Heap.Malloc(length) is { IsNull: false } offset)
            {
                test.Heap.GetSpan(offset, length).Fill((byte)number);
                others.Add((offset, length));
            }
        }

        others.AddRange(TestHeap.Fill(test.Heap, unit).Select(offset => (offset, unit)));
        others.ForEach(other => test.Heap.GetSpan(other.Offset, other.Length).Fill((byte)other.Length));
        for (var number = 0; number < 3000; number++)
        {
            test.Cache.Set($"{number}", new byte[random.Next(1 << random.Next(1, 17))]);
        }

        Assert.All(others, other => Assert.False(test.Heap.GetReadOnlySpan(other.Offset, other.Length).ContainsAnyExcept((byte)other.Length)));
        Assert.All(others, other => Assert.Equal(ShmStatus.Ok, test.Heap.Free(other.Offset)));
        test.AssertNothingIsLost();
    }

    [Fact]
    public void What_looks_like_an_item_and_is_none_is_never_touched()
    {
        using TestCache test = new();
        test.Cache.Set("key"u8, TestCache.Value(500, 1));
        test.Cache.Lease("key"u8, out var lease);
        ShmOffset copy = test.Heap.Malloc(700);
        test.Heap.GetSpan(OffsetOf(test, lease, back: 64), 600).CopyTo(test.Heap.GetSpan(copy, 600));
        var before = test.Heap.GetReadOnlySpan(copy, 600).ToArray();
        lease.Dispose();
        FillWith(test.Cache, 100, 300_000);
        Assert.Equal(before, test.Heap.GetReadOnlySpan(copy, 600));
        Assert.Equal(ShmStatus.Ok, test.Heap.Free(copy));
        test.AssertNothingIsLost();
    }

    [Fact]
    public void Pinned_entries_stay()
    {
        using TestCache test = new();
        for (var number = 0; number < 100; number++)
        {
            test.Cache.Set($"pinned {number}", TestCache.Value(number * 200, number), new() { Pinned = true });
        }

        FillWith(test.Cache, 10_000, 3000);
        for (var number = 0; number < 100; number++)
        {
            Bytes.Equal(TestCache.Value(number * 200, number), test.Cache.Get($"pinned {number}"));
        }
    }

    /// <summary>Of a clock that is ahead of the other by years, and one that is behind.</summary>
    [Theory]
    [InlineData(-10)]
    [InlineData(10)]
    public void F17_a_cache_with_a_clock_of_its_own_drops_nothing_of_others_as_expired_nor_do_they(int years)
    {
        ManualClock clock = new() { Now = DateTimeOffset.UtcNow.AddYears(years) };
        using TestCache test = new();
        SharedCache other = SharedCache.Open(test.Heap, "other", new SharedCacheOptions { Clock = clock });
        CacheEntryOptions pinned = new() { Pinned = true, Lifetime = TimeSpan.FromHours(1) };
        for (var number = 0; number < 100; number++)
        {
            test.Cache.Set($"{number}", TestCache.Value(500, number), pinned);
            other.Set($"{number}", TestCache.Value(500, number), pinned);
        }

        FillWith(test.Cache, 10_000, 3000);
        FillWith(other, 10_000, 3000);
        for (var number = 0; number < 100; number++)
        {
            Bytes.Equal(TestCache.Value(500, number), test.Cache.Get($"{number}"));
            Bytes.Equal(TestCache.Value(500, number), other.Get($"{number}"));
        }
    }

    [Fact]
    public void When_all_is_pinned_there_is_no_room_and_the_old_value_stays()
    {
        using TestCache test = new();
        test.Cache.Set("key"u8, "old"u8, new() { Pinned = true });
        var number = 0;
        while (test.Cache.Set($"{number}", new byte[50_000], new() { Pinned = true }) is var status)
        {
            if (status != CacheStatus.Ok)
            {
                Assert.Equal(CacheStatus.NoRoom, status);
                break;
            }

            number++;
        }

        Assert.Equal(CacheStatus.NoRoom, test.Cache.Set("key"u8, new byte[60_000]));
        Bytes.Equal("old"u8, test.Cache.Get("key"u8));
        Assert.Equal(number + 1, test.Cache.Enumerate().Count());
        test.AssertNothingIsLost();
    }

    [Fact]
    public void Where_others_have_everything_there_is_no_room()
    {
        using TestCache test = new();
        TestHeap.Fill(test.Heap, 32);
        Assert.Equal(CacheStatus.NoRoom, test.Cache.Set("key"u8, "value"u8));
        Assert.Equal(CacheStatus.NoRoom, test.Cache.Reserve("key"u8, 100_000, out _));
        Assert.Null(test.Cache.Get("key"u8));
    }

    [Fact]
    public void What_is_read_all_the_time_stays()
    {
        using TestCache test = new();
        Random random = new(1);
        test.Cache.Set("hot"u8, "value"u8);
        for (var number = 0; number < 20_000; number++)
        {
            Assert.Equal(CacheStatus.Ok, test.Cache.Set($"{number}", new byte[random.Next(3000)]));
            Assert.True(test.Cache.Contains("hot"u8), $"after {number}");
        }
    }

    [Fact]
    public void A_heap_grows_before_anything_is_dropped()
    {
        using TestCache test = new(heap: new() { SizeBytes = 1 << 20, MaximumSizeBytes = 8 << 20 });
        FillWith(test.Cache, 6000, 1000);
        var statistics = test.Cache.GetStatistics();
        Assert.Equal((0, 6000), (statistics.EvictionsForRoom, statistics.Entries));
        FillWith(test.Cache, 20_000, 1000);
        Assert.Equal(test.Heap.MaximumBytes, test.Heap.CommittedBytes);
        Assert.NotEqual(0, test.Cache.GetStatistics().EvictionsForRoom);
    }

    [Fact]
    public void All_caches_of_a_heap_make_room_for_each_other()
    {
        using TestCache test = new(new() { Capacity = 10_000 });
        var other = SharedCache.Open(test.Heap, "other", new() { Capacity = 10_000 });
        FillWith(test.Cache, 6000, 1000);
        FillWith(other, 20, 1 << 20);
        FillWith(test.Cache, 6000, 1000);
        Assert.Equal(CacheStatus.Ok, other.Clear());
        Assert.NotEqual(0, test.Cache.GetStatistics().EvictionsForRoom + other.GetStatistics().EvictionsForRoom);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(3000)]
    [InlineData(60_000)]
    public void A_limit_in_bytes_is_kept_roughly(int length)
    {
        const int limit = 1 << 20;
        using TestCache test = new(new() { LimitBytes = limit });
        var free = SharedCache.Open(test.Heap, "free", new() { Capacity = 100 });
        Assert.Equal(CacheStatus.Ok, free.Set("key"u8, new byte[1000]));
        for (var number = 0; number < 4 * limit / (length + 100); number++)
        {
            Assert.Equal(CacheStatus.Ok, test.Cache.Set($"{number}", new byte[length]));
            if (number % 64 == 0)
            {
                Assert.InRange(test.Cache.GetStatistics().Bytes, 0, limit + (limit / 64) + length + 1000);
            }
        }

        var statistics = test.Cache.GetStatistics();
        Assert.InRange(statistics.Bytes, limit / 2, limit + (limit / 64) + length + 1000);
        Assert.Equal(0, statistics.EvictionsForRoom);
        Assert.NotEqual(0, statistics.EvictionsForLimit);
        Assert.True(free.Contains("key"u8));
    }

    [Fact]
    public void When_both_places_of_a_key_are_taken_another_entry_goes()
    {
        using TestCache test = new(new() { Capacity = 14 });
        for (var number = 0; number < 200; number++)
        {
            Assert.Equal(CacheStatus.Ok, test.Cache.Set($"{number}", [(byte)number]));
            Bytes.Equal([(byte)number], test.Cache.Get($"{number}"));
        }

        var statistics = test.Cache.GetStatistics();
        Assert.Equal((14, 200 - 14), (statistics.Entries, statistics.EvictionsForEntry));
        test.AssertNothingIsLost();
    }

    [Fact]
    public void When_both_places_of_a_key_are_pinned_there_is_no_room()
    {
        using TestCache test = new(new() { Capacity = 14 });
        for (var number = 0; number < 14; number++)
        {
            Assert.Equal(CacheStatus.Ok, test.Cache.Set($"{number}", [], new() { Pinned = true }));
        }

        Assert.Equal(CacheStatus.NoRoom, test.Cache.Set("one more", []));
        Assert.Equal(CacheStatus.Ok, test.Cache.Set("7", "again"u8, new() { Pinned = true }));
        Assert.Equal(14, test.Cache.Enumerate().Count());
        test.AssertNothingIsLost();
    }

    [Fact]
    public void Many_threads_make_room_at_once()
    {
        using TestCache test = new();
        SharedCache[] caches = [test.Cache, test.OpenElsewhere()];
        Threads.Run(4, thread =>
        {
            Random random = new(thread);
            for (var number = 0; number < TestSupport.Effort.Choose(3000, 100_000); number++)
            {
                var length = random.Next(20) == 0 ? random.Next(400_000) : random.Next(5000);
                var status = caches[thread % 2].Set(BitConverter.GetBytes(random.Next(5000)), new byte[length]);
                Assert.True(status is CacheStatus.Ok or CacheStatus.Contended, $"{status} for {length} bytes");
            }
        });
        test.AssertNothingIsLost();
    }

    private static void FillWith(SharedCache cache, int count, int length)
    {
        for (var number = 0; number < count; number++)
        {
            Assert.Equal(CacheStatus.Ok, cache.Set($"{length} {number}", TestCache.Value(length, number)));
        }
    }

    private static unsafe ShmOffset OffsetOf(TestCache test, CacheLease lease, ulong back)
    {
        fixed (byte* value = lease.Value)
        {
            var offset = test.Heap.OffsetOf(value).Value - back;
            return new ShmOffset(offset & ~31UL);
        }
    }
}
