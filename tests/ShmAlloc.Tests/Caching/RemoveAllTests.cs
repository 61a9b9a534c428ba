using System.Text;
using ShmAlloc.Caching;
using ShmAlloc.Tests.Support;

namespace ShmAlloc.Tests.Caching;

/// <summary>Removing everything in one step.</summary>
public sealed class RemoveAllTests : IDisposable
{
    private static readonly SharedCacheOptions Removable = new() { AllowsRemoveAll = true };

    private readonly TestCache _test = new(Removable);

    private SharedCache Cache => _test.Cache;

    public void Dispose() => _test.Dispose();

    [Fact]
    public void Everything_is_gone_for_all_and_what_is_set_afterwards_stays()
    {
        var other = _test.OpenElsewhere();
        var reader = _test.OpenReadOnly();
        for (var round = 0; round < 3; round++)
        {
            foreach (var number in Enumerable.Range(0, 100))
            {
                Cache.Set($"{number}", "value"u8, new() { Pinned = number % 2 == 0, Tags = number % 3 == 0 ? CacheTags.Of($"{number}") : default });
                Assert.True(other.Contains($"{number}") && reader.Contains($"{number}"));
            }

            Assert.Equal(CacheStatus.Ok, (round == 0 ? Cache : other).RemoveAll());
            Assert.All(Enumerable.Range(0, 100), number => Assert.False(Cache.Contains($"{number}") || other.Contains($"{number}") || reader.Contains($"{number}")));
            Assert.Empty(Cache.Enumerate());
        }

        Assert.Equal(CacheStatus.ReadOnly, reader.RemoveAll());
        _test.AssertNothingIsLost();
    }

    [Fact]
    public void Other_caches_keep_what_they_have()
    {
        var other = SharedCache.Open(_test.Heap, "other", Removable);
        other.Set("key", "value"u8);
        Cache.RemoveAll();
        Assert.True(other.Contains("key"));
    }

    [Fact]
    public void Removing_a_tag_takes_only_what_has_it()
    {
        string[] tags = TestCache.TagsApart(Cache, 2);
        Cache.Set("one", "value"u8, new() { Tags = CacheTags.Of(tags[0]) });
        Cache.Set("two", "value"u8, new() { Tags = CacheTags.Of(tags[1]) });
        Cache.Set("none", "value"u8);
        Cache.RemoveByTag(tags[0]);
        Assert.False(Cache.Contains("one"));
        Assert.True(Cache.Contains("two") && Cache.Contains("none"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(63)]
    public void It_counts_beside_any_number_of_tags_and_so_does_each_of_them(int count)
    {
        string[] tags = TestCache.TagsApart(Cache, count);
        foreach (var remove in (Func<CacheStatus>[])[() => Cache.RemoveAll(), .. tags.Select(tag => (Func<CacheStatus>)(() => Cache.RemoveByTag(tag)))])
        {
            Cache.Set("key", "value"u8, new() { Tags = CacheTags.Of(tags) });
            Cache.GetMarked("key", new byte[9], out _, out var mark);
            Assert.True(Cache.Contains("key") && Cache.IsCurrent(mark));
            Assert.Equal(CacheStatus.Ok, remove());
            Assert.False(Cache.Contains("key") || Cache.IsCurrent(mark));
        }
    }

    [Fact]
    public void It_counts_from_when_tags_were_captured()
    {
        var (some, none) = (Cache.CaptureTags("tag"), Cache.CaptureTags());
        Cache.Set("some", "value"u8, new() { Tags = some });
        Assert.True(Cache.Contains("some") && Cache.AreCurrent(some) && Cache.AreCurrent(none) && Cache.AreCurrent(default));
        Cache.RemoveAll();
        Assert.False(Cache.AreCurrent(some) || Cache.AreCurrent(none));
        Assert.True(Cache.AreCurrent(default));
        Cache.Set("some", "value"u8, new() { Tags = some });
        Cache.Set("none", "value"u8, new() { Tags = none });
        Cache.Set("names", "value"u8, new() { Tags = CacheTags.Of("tag") });
        Assert.False(Cache.Contains("some") || Cache.Contains("none"));
        Assert.True(Cache.Contains("names"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_was_worked_out_meanwhile_is_returned_and_not_kept(bool hasTags)
    {
        var options = new CacheEntryOptions { Tags = hasTags ? CacheTags.Of("tag") : default };
        var value = Cache.GetOrAdd("key", _ =>
        {
            Cache.RemoveAll();
            return "old"u8.ToArray();
        }, options);
        Bytes.Equal("old"u8, value);
        Assert.False(Cache.Contains("key"));
        Cache.GetOrAdd("key", _ => "new"u8.ToArray(), options);
        Bytes.Equal("new"u8, Cache.Get("key"));
    }

    [Fact]
    public void A_reservation_that_began_before_is_gone()
    {
        Cache.Reserve("key", 1, out var reservation);
        Cache.RemoveAll();
        Assert.Equal(CacheStatus.Ok, reservation!.Commit());
        Assert.False(Cache.Contains("key"));
    }

    [Fact]
    public void A_stale_value_does_not_outlive_it()
    {
        ManualClock clock = new();
        using TestCache test = new(Removable with { Clock = clock });
        test.Cache.Set("key", "old"u8, new() { Lifetime = TimeSpan.FromMilliseconds(1), StaleFor = TimeSpan.FromHours(1) });
        clock.Advance(1);
        test.Cache.GetOrAdd("key", _ =>
        {
            Bytes.Equal("old"u8, test.Cache.GetOrAdd("key", _ => "other"u8.ToArray(), default, new() { AllowStale = true }));
            test.Cache.RemoveAll();
            Bytes.Equal("other"u8, test.Cache.GetOrAdd("key", _ => "other"u8.ToArray(), default, new() { AllowStale = true, WaitLimit = TimeSpan.Zero }));
            return "new"u8.ToArray();
        }, default, new() { AllowStale = true });

        // It was worked out after everything was removed; what the other thread has is of a source from before.
        Bytes.Equal("other"u8, test.Cache.Get("key"));
    }

    [Fact]
    public void Numbers_begin_again_and_do_not_grow_with_each_addition()
    {
        Cache.Increment("n", 1, out _, new() { Tags = CacheTags.Of("tag") });
        var bytes = Cache.GetStatistics().Bytes;
        for (var round = 0; round < 100; round++)
        {
            Cache.Increment("n", 1, out _);
        }

        Assert.Equal(bytes, Cache.GetStatistics().Bytes);
        Cache.RemoveAll();
        Cache.Increment("n", 1, out var number);
        Assert.Equal(1, number);
        Cache.RemoveAll();
        Cache.Increment("n", 1, out number, new() { Tags = CacheTags.Of("tag") });
        Cache.Increment("n", 1, out number, new() { Tags = CacheTags.Of("tag") });
        Assert.Equal(2, number);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_was_removed_before_a_number_was_read_does_not_take_the_sum_with_it(bool hasTags)
    {
        HaltingClock clock = new();
        using TestCache test = new(Removable with { Clock = clock });
        var options = new CacheEntryOptions { Tags = hasTags ? CacheTags.Of("tag") : default };
        test.Cache.Increment("n", 1, out _, options);

        // Before the first reading the options are not translated yet; before the second one they are.
        clock.Halt(readings: 1, () => test.Cache.RemoveAll());
        Assert.Equal(CacheStatus.Ok, test.Cache.Increment("n", 5, out var number, options));
        Assert.False(clock.IsUnused);
        Assert.Equal(5, number);
        Bytes.Equal(BitConverter.GetBytes(5L), test.Cache.Get("n"));
    }

    [Fact]
    public void The_room_that_it_takes_counts_for_the_limit()
    {
        SharedCacheOptions limited = new() { LimitBytes = 64 };
        Assert.Equal(CacheStatus.Ok, SharedCache.Open(_test.Heap, "without", limited).Set("12345678", new byte[24]));
        var cache = SharedCache.Open(_test.Heap, "with", limited with { AllowsRemoveAll = true });
        Assert.Equal(CacheStatus.TooLarge, cache.Set("12345678", new byte[24]));
        Assert.Equal(CacheStatus.Ok, cache.Set("12345678", new byte[16]));
    }

    [Fact]
    public void Pinned_entries_go_too_and_their_room_comes_back()
    {
        for (var number = 0; number < 2000; number++)
        {
            Cache.Set($"key {number}", new byte[500], new() { Pinned = true });
        }

        Cache.RemoveAll();
        for (var number = 0; number < 20; number++)
        {
            Assert.Equal(CacheStatus.Ok, Cache.Set($"large {number}", new byte[1 << 20]));
        }

        _test.AssertNothingIsLost();
    }

    [Fact]
    public void Who_found_no_slot_removes_all_the_same()
    {
        using TestCache test = new(Removable, new ShmHeapOptions { SizeBytes = TestCache.DefaultBytes, MaxParticipants = 1 });
        var slotless = test.OpenElsewhere();
        Assert.Null(slotless.Heap.ParticipantSlot);
        test.Cache.Set("key", "value"u8);
        Assert.Equal(CacheStatus.Ok, slotless.RemoveAll());
        Assert.False(test.Cache.Contains("key"));
        slotless.Heap.Dispose();
        Assert.Throws<ObjectDisposedException>(() => slotless.RemoveAll());
    }

    [Fact]
    public void A_cache_without_the_option_refuses_it_and_names_it()
    {
        using TestCache test = new();
        test.Cache.Set("key", "value"u8);
        var refused = Assert.Throws<InvalidOperationException>(() => test.Cache.RemoveAll());
        Assert.Contains("AllowsRemoveAll", refused.Message, StringComparison.Ordinal);
        Assert.Contains("Clear", refused.Message, StringComparison.Ordinal);
        Assert.True(test.Cache.Contains("key"));
        Assert.Contains("AllowsRemoveAll = false", Assert.Throws<InvalidOperationException>(() => test.OpenElsewhere(Removable)).Message, StringComparison.Ordinal);
        Assert.Equal(CacheStatus.Ok, _test.OpenElsewhere().RemoveAll());
    }

    [Fact]
    public void An_item_has_one_tag_more_and_one_without_the_option_none()
    {
        using TestCache plain = new();
        foreach (var test in (TestCache[])[plain, _test])
        {
            test.Cache.Set(Encoding.ASCII.GetBytes(new string('k', 8)), new byte[24]);
        }

        Assert.Equal((64, 96), (plain.Cache.GetStatistics().Bytes, Cache.GetStatistics().Bytes));
    }

    /// <summary>One thread counts up what all sources say, and then removes everything; nobody finds a value of a round that is over.</summary>
    [Fact]
    public void Nothing_that_was_captured_before_is_found_afterwards()
    {
        var rounds = ShmAlloc.TestSupport.Effort.Choose(500, 50_000);
        long source = 0;
        long removed = 0;
        Threads.Run(3, number =>
        {
            if (number == 0)
            {
                for (var round = 1; round <= rounds; round++)
                {
                    Volatile.Write(ref source, round);
                    Assert.Equal(CacheStatus.Ok, Cache.RemoveAll());
                    Volatile.Write(ref removed, round);
                }

                return;
            }

            while (Volatile.Read(ref removed) < rounds)
            {
                var tags = Cache.CaptureTags();
                Cache.Set("key", BitConverter.GetBytes(Volatile.Read(ref source)), new() { Tags = tags });
                var least = Volatile.Read(ref removed);
                if (Cache.Get("key") is { } value)
                {
                    Assert.True(BitConverter.ToInt64(value) >= least);
                }
            }
        });
    }
}
