using System.Text;
using ShmAlloc.Caching;
using ShmAlloc.Memory;
using ShmAlloc.Tests.Support;

namespace ShmAlloc.Tests.Caching;

/// <summary>What is done for a value that has no room, and what not.</summary>
public sealed class RoomTests
{
    private const int MiB = 1 << 20;

    [Fact]
    public void F30_large_values_that_are_read_stay_beside_small_ones_that_nobody_reads()
    {
        using TestCache test = new(heap: new ShmHeapOptions { SizeBytes = 64 * MiB });
        for (var number = 0; number < 119_000; number++)
        {
            test.Cache.Set($"{number}", new byte[430]);
        }

        var value = new byte[MiB];
        var survivors = 0;
        for (var set = 1; set <= 20; set++)
        {
            Assert.Equal(CacheStatus.Ok, test.Cache.Set($"large {set}", value));
            survivors = Enumerable.Range(1, set).Count(number => test.Cache.TryGet($"large {number}", value, out _));
        }

        Assert.InRange(survivors, 18, 20);
    }

    [Fact]
    public void F30_what_has_expired_makes_room_for_a_large_value_and_what_is_used_stays()
    {
        ManualClock clock = new();
        using TestCache test = new(new SharedCacheOptions { Clock = clock }, new ShmHeapOptions { SizeBytes = 16 * MiB });
        for (var number = 0; number < 12_000; number++)
        {
            var isShort = number is > 2000 and < 9000;
            test.Cache.Set($"{number}", new byte[1000], new() { Lifetime = isShort ? TimeSpan.FromMinutes(1) : null });
            test.Cache.Get($"{number}");
        }

        clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(CacheStatus.Ok, test.Cache.Set("large"u8, new byte[6 * MiB]));
        Assert.Equal(0, test.Cache.GetStatistics().EvictionsForRoom);
    }

    /// <summary>It would make no room: its memory is not free before the lease ends.</summary>
    [Fact]
    public void F30_what_is_leased_is_not_dropped_for_a_large_value_while_there_are_others()
    {
        using TestCache test = new(heap: new ShmHeapOptions { SizeBytes = 16 * MiB });
        List<CacheLease> leases = [];
        for (var number = 0; number < 14_000; number++)
        {
            test.Cache.Set($"{number}", new byte[1000]);
            if (number % 700 == 0)
            {
                Assert.Equal(CacheStatus.Ok, test.Cache.Lease(Encoding.UTF8.GetBytes($"{number}"), out var lease));
                leases.Add(lease);
            }
        }

        for (var large = 0; large < 20; large++)
        {
            Assert.Equal(CacheStatus.Ok, test.Cache.Set($"large {large}", new byte[MiB / 2]));
            Assert.All(Enumerable.Range(0, leases.Count), lease => Assert.NotNull(test.Cache.Get($"{lease * 700}")));
        }

        leases.ForEach(lease => lease.Dispose());
    }

    [Fact]
    public void F31_a_large_value_gets_what_is_left_to_grow_by_and_what_can_be_dropped_beside_it()
    {
        using TestCache test = new(heap: new ShmHeapOptions { SizeBytes = 4 * MiB, MaximumSizeBytes = 16 * MiB });
        for (var number = 0; number < 6000; number++)
        {
            test.Cache.Set($"{number}", new byte[500]);
        }

        Assert.Equal(CacheStatus.Ok, test.Cache.Set("large"u8, TestCache.Value(14 * MiB, 1)));
        Bytes.Equal(TestCache.Value(14 * MiB, 1), test.Cache.Get("large"u8));
    }

    /// <summary>Two threads replace small values all the time, so that each block has something that was replaced just now.</summary>
    [Fact]
    public void F31_garbage_is_not_in_the_way_of_a_large_value()
    {
        using TestCache test = new(heap: new ShmHeapOptions { SizeBytes = 32 * MiB });
        var isOver = false;
        Threads.Run(3, number =>
        {
            if (number == 0)
            {
                for (var round = 0; round < 20; round++)
                {
                    var status = test.Cache.Set($"large {round}", new byte[8 * MiB]);
                    Volatile.Write(ref isOver, status != CacheStatus.Ok || round == 19);
                    Assert.Equal(CacheStatus.Ok, status);
                }

                return;
            }

            for (var round = 0; !Volatile.Read(ref isOver); round++)
            {
                test.Cache.Set(BitConverter.GetBytes((number * 100_000) + (round % 8000)), new byte[1000]);
            }
        });
    }

    /// <summary>It is no value any more, and its memory is not free before the lease ends.</summary>
    [Fact]
    public void F31_what_is_leased_and_was_replaced_is_passed_over()
    {
        using TestCache test = new(heap: new ShmHeapOptions { SizeBytes = 16 * MiB });
        test.Cache.Set("leased"u8, TestCache.Value(3 * MiB, 1));
        Assert.Equal(CacheStatus.Ok, test.Cache.Lease("leased"u8, out var lease));
        using (lease)
        {
            test.Cache.Set("leased"u8, "small"u8);
            for (var round = 0; round < 20; round++)
            {
                for (var number = 0; number < 12_000; number++)
                {
                    test.Cache.Set($"{number}", new byte[1000]);
                    test.Cache.Get($"{number}");
                }

                Assert.Equal(CacheStatus.Ok, test.Cache.Set($"large {round}", TestCache.Value(5 * MiB, round)));
                Bytes.Equal(TestCache.Value(5 * MiB, round), test.Cache.Get($"large {round}"));
            }

            Bytes.Equal(TestCache.Value(3 * MiB, 1), lease.Value);
        }

        Assert.Equal(CacheStatus.Ok, test.Cache.Set("largest"u8, new byte[14 * MiB]));
    }

    /// <summary>One that is refused because it is larger than what is left, and then many that are not.</summary>
    [Fact]
    public void F32_a_heap_grows_after_a_value_was_refused()
    {
        using TestCache test = new(heap: new ShmHeapOptions { SizeBytes = 4 * MiB, MaximumSizeBytes = 16 * MiB });
        Assert.Equal(CacheStatus.TooLarge, test.Cache.Set("large"u8, new byte[17 * MiB]));
        var committed = test.Heap.CommittedBytes;
        Assert.NotEqual(CacheStatus.Ok, test.Cache.Set("large"u8, new byte[(16 * MiB) - 1000]));
        Assert.Equal(committed, test.Heap.CommittedBytes);
        for (var number = 0; number < 12_000; number++)
        {
            Assert.Equal(CacheStatus.Ok, test.Cache.Set($"{number}", new byte[1000]));
        }

        Assert.Equal(0, test.Cache.GetStatistics().EvictionsForRoom);
    }

    [Fact]
    public void F33_that_there_is_no_room_is_remembered_until_there_is()
    {
        using TestCache test = new();
        while (test.Cache.Set(Guid.NewGuid().ToByteArray(), new byte[10_000], new() { Pinned = true }) == CacheStatus.Ok)
        {
        }

        test.Cache.Set("small"u8, new byte[100], new() { Pinned = true });
        Assert.Equal(CacheStatus.NoRoom, test.Cache.Set("key"u8, new byte[20_000]));
        Assert.True(Remembers(test, 20_000) && !Remembers(test, 10));
        Assert.Equal(CacheStatus.NoRoom, test.Cache.Set("key"u8, new byte[20_000]));
        foreach (var entry in test.Cache.Enumerate().Where(entry => entry.LengthBytes == 10_000).ToList())
        {
            test.Cache.Remove(entry.Key.Span);
        }

        Assert.False(Remembers(test, 20_000));
        Assert.Equal(CacheStatus.Ok, test.Cache.Set("key"u8, new byte[20_000]));
    }

    /// <summary>So a process spends a small part of its time on searches in vain, however large the heap.</summary>
    [Theory]
    [InlineData(0, 100)]
    [InlineData(5, 100)]
    [InlineData(50, 800)]
    [InlineData(100_000, 10_000)]
    public unsafe void F33_the_longer_a_search_took_the_longer_it_is_remembered_that_there_is_no_room(int tookMilliseconds, int remembered)
    {
        using TestCache test = new();
        var before = Hardware.TickMilliseconds();
        Refusals<Hardware>.Note(test.Heap.Attachment, 1000, before - (ulong)tookMilliseconds);
        var after = Hardware.TickMilliseconds();
        Assert.InRange(test.Heap.Attachment->RefusedUntil, before + (ulong)remembered, after + (ulong)remembered + (16 * (after - before)));
    }

    /// <summary>So that what it costs goes with the cache, and not with the heap.</summary>
    [Fact]
    public unsafe void F33_a_limit_is_kept_without_a_walk_over_the_heap()
    {
        using TestCache test = new(heap: new ShmHeapOptions { SizeBytes = 32 * MiB });
        for (var number = 0; number < 20_000; number++)
        {
            test.Cache.Set($"{number}", new byte[1000]);
        }

        var small = SharedCache.Open(test.Heap, "small", new() { LimitBytes = MiB });
        Assert.InRange(small.GetStatistics().Capacity, MiB / 128, (MiB / 128) + 7);
        test.Heap.Attachment->Header->Hand = 7;
        for (var number = 0; number < 5000; number++)
        {
            Assert.Equal(CacheStatus.Ok, small.Set($"{number}", new byte[1000]));
        }

        var statistics = small.GetStatistics();
        Assert.InRange(statistics.Bytes, MiB / 2, MiB + (MiB / 64) + 2000);
        Assert.InRange(statistics.EvictionsForLimit, 4000, 4500);
        Assert.Equal(7UL, test.Heap.Attachment->Header->Hand);
    }

    [Fact]
    public void F33_what_is_used_stays_within_a_limit_while_there_is_something_that_is_not()
    {
        using TestCache test = new(new SharedCacheOptions { LimitBytes = MiB });
        for (var number = 0; number < 20_000; number++)
        {
            Assert.Equal(CacheStatus.Ok, test.Cache.Set($"{number}", new byte[1000]));
            test.Cache.Get($"{number % 100}");
        }

        Assert.InRange(Enumerable.Range(0, 100).Count(number => test.Cache.Get($"{number}") != null), 95, 100);
    }

    /// <summary>Whatever the sequence of blocks, a pinned value lies in it.</summary>
    [Fact]
    public void F34_nothing_is_dropped_for_what_does_not_fit_all_the_same()
    {
        using TestCache test = new(heap: new ShmHeapOptions { SizeBytes = 16 * MiB });
        for (var number = 0; number < 14_000; number++)
        {
            test.Cache.Set($"{number}", new byte[1000], new() { Pinned = number % 1500 == 0 });
        }

        var before = test.Cache.GetStatistics().Entries;
        for (var time = 0; time < 20; time++)
        {
            Assert.Equal(CacheStatus.NoRoom, test.Cache.Set("large"u8, new byte[8 * MiB]));
        }

        Assert.Equal(before, test.Cache.GetStatistics().Entries);
    }

    /// <summary>Smaller than a block, and larger than what lies between two that stay.</summary>
    [Theory]
    [InlineData(14_800, 44_000, false)]
    [InlineData(1000, 4000, false)]
    [InlineData(14_800, 44_000, true)]
    public void F34_nothing_is_dropped_for_what_has_no_place_in_any_block(int length, int lengthInVain, bool isLeased)
    {
        using TestCache test = new(heap: new ShmHeapOptions { SizeBytes = MiB, BlockBytes = MiB / 16 });
        List<CacheLease> leases = [];
        for (var number = 0; test.Cache.GetStatistics().EvictionsForRoom == 0; number++)
        {
            var key = BitConverter.GetBytes(number);
            test.Cache.Set(key, new byte[length], new() { Pinned = number % 3 == 0 && !isLeased });
            if (number % 3 == 0 && isLeased)
            {
                Assert.Equal(CacheStatus.Ok, test.Cache.Lease(key, out var lease));
                leases.Add(lease);
            }
        }

        var before = test.Cache.GetStatistics();
        Assert.Equal(CacheStatus.NoRoom, test.Cache.Set("large"u8, new byte[lengthInVain]));
        var after = test.Cache.GetStatistics();
        Assert.Equal((before.Entries, before.EvictionsForRoom), (after.Entries, after.EvictionsForRoom));
        leases.ForEach(lease => lease.Dispose());
    }

    [Fact]
    public void F35_a_value_that_is_larger_than_the_limit_is_refused_and_drops_nothing()
    {
        using TestCache test = new(new SharedCacheOptions { LimitBytes = 2 * MiB });
        for (var number = 0; number < 1000; number++)
        {
            test.Cache.Set($"{number}", new byte[1000]);
        }

        var before = test.Cache.GetStatistics().Entries;
        Assert.Equal(CacheStatus.TooLarge, test.Cache.Set("large"u8, new byte[3 * MiB]));
        Assert.Equal(CacheStatus.TooLarge, test.Cache.Reserve("large"u8, 3 * MiB, out _));
        Assert.Equal(before, test.Cache.GetStatistics().Entries);
    }

    [Fact]
    public void F37_a_second_cache_finds_room_in_a_heap_full_of_entries()
    {
        using TestCache test = new(heap: new ShmHeapOptions { SizeBytes = 8 * MiB });
        for (var number = 0; number < 20_000; number++)
        {
            test.Cache.Set($"{number}", new byte[1000]);
        }

        var other = SharedCache.Open(test.Heap, "other", new() { Capacity = 100_000 });
        Assert.Equal(CacheStatus.Ok, other.Set("key"u8, "value"u8));
        Assert.NotEqual(0, test.Cache.GetStatistics().Entries);
    }

    private static unsafe bool Remembers(TestCache test, int bytes) =>
        Refusals<Hardware>.Remembers(test.Heap.Attachment, test.Heap.Attachment->UnitsFor((ulong)bytes));
}
