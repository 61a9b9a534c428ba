using System.Buffers.Binary;
using ShmAlloc.Caching;
using ShmAlloc.Tests.Support;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Tests.Caching;

/// <summary>Writes that depend on what is there: adding, replacing, removing, incrementing.</summary>
public sealed class ConditionalWriteTests : IDisposable
{
    private readonly TestCache _test = new();

    private SharedCache Cache => _test.Cache;

    public void Dispose() => _test.Dispose();

    [Fact]
    public void What_is_there_is_not_added_again()
    {
        Assert.Equal(CacheStatus.Ok, Cache.Add("key"u8, "first"u8));
        Assert.Equal(CacheStatus.Exists, Cache.Add("key"u8, "second"u8));
        Bytes.Equal("first"u8, Cache.Get("key"u8));
    }

    [Fact]
    public void What_was_removed_can_be_added_again()
    {
        Cache.Add("key"u8, "first"u8);
        Cache.Remove("key"u8);
        Assert.Equal(CacheStatus.Ok, Cache.Add("key"u8, "second"u8));
        Bytes.Equal("second"u8, Cache.Get("key"u8));
    }

    /// <summary>Of the one that was at the same path before, say. Both were made alike, and have made as many values.</summary>
    [Fact]
    public void The_version_of_another_heap_names_no_value()
    {
        using TestCache other = new();
        Assert.Equal(CacheStatus.Ok, other.Cache.Set("key"u8, "first"u8));
        Assert.Equal(CacheStatus.Ok, Cache.Set("key"u8, "first"u8));
        Assert.NotNull(other.Cache.Get("key"u8, out var version));
        Assert.Equal(CacheStatus.Changed, Cache.Replace("key"u8, "second"u8, version));
        Assert.Equal(CacheStatus.Ok, other.Cache.Replace("key"u8, "second"u8, version));
    }

    [Fact]
    public void Of_many_who_add_a_key_one_succeeds_and_its_value_stays()
    {
        const int threads = 4;
        const int keys = 2000;
        var winners = new int[keys];
        using Barrier barrier = new(threads);
        Threads.Run(threads, number =>
        {
            for (var key = 0; key < keys; key++)
            {
                barrier.SignalAndWait();
                var status = Cache.Add(BitConverter.GetBytes(key), [(byte)number]);
                if (status == CacheStatus.Ok)
                {
                    Interlocked.Add(ref winners[key], 1 << (8 * number));
                }
                else
                {
                    Assert.Equal(CacheStatus.Exists, status);
                }
            }
        });
        for (var key = 0; key < keys; key++)
        {
            Assert.Equal(winners[key], 1 << (8 * Assert.Single(Cache.Get(BitConverter.GetBytes(key))!)));
        }
    }

    [Fact]
    public void A_value_is_replaced_if_it_is_the_one_that_was_read()
    {
        Cache.Set("key"u8, "first"u8);
        Cache.Get("key"u8, out var version);
        Assert.Equal(CacheStatus.Ok, Cache.Replace("key"u8, "second"u8, version));
        Bytes.Equal("second"u8, Cache.Get("key"u8));
    }

    [Fact]
    public void A_value_is_not_replaced_if_it_was_set_again_even_to_the_same_bytes()
    {
        Cache.Set("key"u8, "same"u8);
        Cache.Get("key"u8, out var version);
        Cache.Set("key"u8, "same"u8);
        Assert.Equal(CacheStatus.Changed, Cache.Replace("key"u8, "second"u8, version));
        Assert.Equal(CacheStatus.Changed, Cache.Replace("key"u8, "second"u8, default));
        Bytes.Equal("same"u8, Cache.Get("key"u8));
    }

    [Fact]
    public void A_value_that_is_not_there_is_not_replaced()
    {
        Assert.Equal(CacheStatus.Missing, Cache.Replace("key"u8, "value"u8, default));
        Cache.Set("key"u8, "value"u8);
        Cache.Get("key"u8, out var version);
        Cache.Remove("key"u8);
        Assert.Equal(CacheStatus.Missing, Cache.Replace("key"u8, "value"u8, version));
        Assert.Null(Cache.Get("key"u8));
    }

    [Fact]
    public void Removing_says_whether_there_was_a_value()
    {
        Assert.Equal(CacheStatus.Missing, Cache.Remove("key"u8));
        Cache.Set("key"u8, "value"u8);
        Assert.Equal(CacheStatus.Ok, Cache.Remove("key"u8));
        Assert.Equal(CacheStatus.Missing, Cache.Remove("key"u8));
    }

    [Fact]
    public void What_cannot_be_stored_takes_the_old_value_away()
    {
        Cache.Set("key"u8, "old"u8);
        Assert.Equal(CacheStatus.Ok, Cache.SetOrRemove("key"u8, "new"u8, out var isStored));
        Assert.True(isStored);
        Bytes.Equal("new"u8, Cache.Get("key"u8));
        Assert.Equal(CacheStatus.Ok, Cache.SetOrRemove("key", new byte[2 * TestCache.DefaultBytes], out isStored));
        Assert.False(isStored || Cache.Contains("key"u8));
        Assert.Equal(CacheStatus.Ok, Cache.SetOrRemove("key"u8, new byte[2 * TestCache.DefaultBytes], out isStored));
        Assert.False(isStored);

        Cache.Set("key"u8, "old"u8);
        CacheEntryOptions past = new() { AbsoluteExpiration = DateTimeOffset.UtcNow.AddSeconds(-1) };
        Assert.Equal(CacheStatus.Ok, Cache.SetOrRemove("key"u8, "new"u8, out isStored, past));
        Assert.False(isStored || Cache.Contains("key"u8));
    }

    [Fact]
    public void Where_the_old_value_cannot_be_taken_away_it_is_said()
    {
        using TestCache test = new(heap: new ShmHeapOptions { SizeBytes = TestCache.DefaultBytes, MaxParticipants = 1 });
        test.Cache.Set("key"u8, "old"u8);
        Assert.Equal(CacheStatus.NoParticipantSlot, test.OpenElsewhere().SetOrRemove("key"u8, "new"u8, out var isStored));
        Assert.False(isStored);
        Assert.Equal(CacheStatus.ReadOnly, test.OpenReadOnly().SetOrRemove("key"u8, "new"u8, out isStored));
        Assert.False(isStored);
        Bytes.Equal("old"u8, test.Cache.Get("key"u8));
    }

    [Fact]
    public void A_number_starts_at_what_is_added_first()
    {
        Assert.Equal(CacheStatus.Ok, Cache.Increment("key"u8, 5, out var result));
        Assert.Equal(5, result);
        Assert.Equal(CacheStatus.Ok, Cache.Increment("key"u8, -7, out result));
        Assert.Equal(-2, result);
        Assert.Equal(-2, BinaryPrimitives.ReadInt64LittleEndian(Cache.Get("key"u8)));
    }

    [Fact]
    public void F14_what_is_not_said_a_number_keeps()
    {
        ManualClock clock = new();
        using TestCache test = new(new SharedCacheOptions { Clock = clock });
        var cache = test.Cache;
        cache.Increment("key"u8, 1, out _, new() { SlidingExpiration = TimeSpan.FromMinutes(10), Pinned = true, Tags = CacheTags.Of("tag") });
        clock.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal(CacheStatus.Ok, cache.Increment("key"u8, 1, out var sum));
        Assert.Equal(2, sum);
        Assert.True(Assert.Single(cache.Enumerate()).IsPinned);
        clock.Advance(TimeSpan.FromMinutes(6));
        Assert.True(cache.Contains("key"u8));
        clock.Advance(TimeSpan.FromMinutes(11));
        Assert.False(cache.Contains("key"u8));

        cache.Increment("other"u8, 1, out _, new() { Tags = CacheTags.Of("tag", "another") });
        cache.Increment("other"u8, 1, out _, new() { Lifetime = TimeSpan.FromHours(1) });
        Assert.NotNull(Assert.Single(cache.Enumerate()).Expires);
        cache.RemoveByTag("tag");
        Assert.False(cache.Contains("other"u8));
    }

    [Fact]
    public void F14_what_is_said_a_number_gets()
    {
        ManualClock clock = new();
        using TestCache test = new(new SharedCacheOptions { Clock = clock });
        var cache = test.Cache;
        string[] names = TestCache.TagsApart(cache, 2);
        cache.Increment("key"u8, 1, out _, new() { Lifetime = TimeSpan.FromMinutes(1), Tags = CacheTags.Of(names[0]) });
        cache.Increment("key"u8, 1, out _, new() { Lifetime = TimeSpan.FromHours(1), Tags = CacheTags.Of(names[1]) });
        clock.Advance(TimeSpan.FromMinutes(2));
        cache.RemoveByTag(names[0]);
        Assert.True(cache.Contains("key"u8));
        cache.RemoveByTag(names[1]);
        Assert.False(cache.Contains("key"u8));
    }

    /// <summary>The window of a rate limit: it begins with the first call, and no later one moves its end.</summary>
    [Fact]
    public void F14_a_number_counts_without_its_expiry_being_touched()
    {
        ManualClock clock = new();
        using TestCache test = new(new SharedCacheOptions { Clock = clock });
        CacheEntryOptions window = new() { Lifetime = TimeSpan.FromMinutes(1) };
        for (var call = 1; call <= 10; call++)
        {
            Assert.Equal(CacheStatus.Ok, test.Cache.Increment("calls"u8, 1, out var calls, window, keepsExpiry: true));
            Assert.Equal(call, calls);
            clock.Advance(TimeSpan.FromSeconds(5.9));
        }

        clock.Advance(TimeSpan.FromSeconds(2));
        test.Cache.Increment("calls"u8, 1, out var first, window, keepsExpiry: true);
        Assert.Equal(1, first);
        Assert.NotNull(Assert.Single(test.Cache.Enumerate()).Expires);
    }

    [Fact]
    public void F69_a_number_wraps_around()
    {
        Cache.Increment("key"u8, long.MaxValue, out _);
        Assert.Equal(CacheStatus.Ok, Cache.Increment("key"u8, 1, out var result));
        Assert.Equal(long.MinValue, result);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(9)]
    public void What_is_no_number_is_not_incremented(int length)
    {
        var value = TestCache.Value(length, 1);
        Cache.Set("key"u8, value);
        Assert.Equal(CacheStatus.WrongKind, Cache.Increment("key"u8, 1, out var result));
        Assert.Equal(0, result);
        Bytes.Equal(value, Cache.Get("key"u8));
    }

    [Fact]
    public void No_increment_of_any_thread_is_lost()
    {
        const int threads = 4;
        var each = Effort.Choose(10_000, 200_000);
        Threads.Run(threads, _ =>
        {
            for (var round = 0; round < each; round++)
            {
                CacheStatus status;
                while ((status = Cache.Increment("key"u8, 1, out long _)) == CacheStatus.Contended)
                {
                    Thread.Yield();
                }

                Assert.Equal(CacheStatus.Ok, status);
            }
        });
        Cache.Increment("key"u8, 0, out var sum);
        Assert.Equal((long)threads * each, sum);
        TestHeap.AssertSound(_test.Heap);
    }
}
