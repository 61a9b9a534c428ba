using ShmAlloc.Caching;
using ShmAlloc.Layout;
using ShmAlloc.Tests.Support;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Tests.Caching;

/// <summary>Whether a copy of a value is the value still.</summary>
public sealed class MarkTests : IDisposable
{
    private readonly TestCache _test = new();

    private SharedCache Cache => _test.Cache;

    public void Dispose() => _test.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(63)]
    public void A_mark_is_current_until_its_value_is_changed(int tags)
    {
        CacheEntryOptions options = new() { Tags = CacheTags.Of(TestCache.TagsApart(Cache, tags)), Lifetime = TimeSpan.FromHours(1) };
        foreach (var change in (Action[])
        [
            () => Cache.Set("key"u8, "value"u8, options),
            () => Cache.Remove("key"u8),
            () => Cache.Clear(),
            () => _test.OpenElsewhere().Set("key"u8, "value"u8),
        ])
        {
            Cache.Set("key"u8, "value"u8, options);
            var mark = Mark(Cache);
            Assert.True(Cache.IsCurrent(mark));
            Cache.Set("other"u8, "value"u8, options);
            Assert.True(Cache.IsCurrent(mark));
            change();
            Assert.False(Cache.IsCurrent(mark));
        }
    }

    [Fact]
    public void A_mark_ends_with_each_of_its_tags()
    {
        string[] names = TestCache.TagsApart(Cache, 51);
        for (var index = 0; index < 50; index++)
        {
            Cache.Set("key"u8, "value"u8, new() { Tags = CacheTags.Of(index < 15 ? names[..15] : names[..50]) });
            var mark = Mark(Cache);
            Cache.RemoveByTag(names[50]);
            Assert.True(Cache.IsCurrent(mark));
            _test.OpenElsewhere().RemoveByTag(names[index]);
            Assert.False(Cache.IsCurrent(mark));
        }
    }

    [Fact]
    public void A_mark_ends_when_its_value_is_due_and_every_second_from_then_on()
    {
        ManualClock clock = new();
        using TestCache test = new(new SharedCacheOptions { Clock = clock });
        test.Cache.Set("key"u8, "value"u8, new() { Lifetime = TimeSpan.FromSeconds(60), RefreshAfter = TimeSpan.FromSeconds(10) });
        var fresh = Mark(test.Cache);
        clock.Advance(9_999);
        Assert.True(test.Cache.IsCurrent(fresh));
        clock.Advance(1);
        Assert.False(test.Cache.IsCurrent(fresh));
        var due = Mark(test.Cache);
        clock.Advance(999);
        Assert.True(test.Cache.IsCurrent(due));
        clock.Advance(1);
        Assert.False(test.Cache.IsCurrent(due));
        Assert.True(test.Cache.IsCurrent(Mark(test.Cache)));
    }

    [Fact]
    public void A_mark_ends_when_its_value_expires()
    {
        ManualClock clock = new();
        using TestCache test = new(new SharedCacheOptions { Clock = clock });
        test.Cache.Set("key"u8, "value"u8, new() { Lifetime = TimeSpan.FromMinutes(1) });
        var mark = Mark(test.Cache);
        clock.Advance(TimeSpan.FromSeconds(59));
        Assert.True(test.Cache.IsCurrent(mark));
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.False(test.Cache.IsCurrent(mark));
    }

    [Fact]
    public void A_mark_ends_when_its_value_expires_by_the_real_clock()
    {
        Cache.Set("key"u8, "value"u8, new() { Lifetime = TimeSpan.FromMilliseconds(300) });
        var mark = Mark(Cache);
        while (Cache.IsCurrent(mark))
        {
            Thread.Yield();
        }

        Assert.Null(Cache.Get("key"u8));
    }

    [Fact]
    public void What_slides_is_not_there_or_is_foreign_is_never_current()
    {
        Cache.Set("key"u8, "value"u8, new() { SlidingExpiration = TimeSpan.FromHours(1) });
        Assert.Equal(CacheStatus.Ok, Cache.GetMarked("key"u8, new byte[9], out _, out var sliding));
        Assert.Equal(CacheStatus.Missing, Cache.GetMarked("none"u8, [], out _, out var none));
        Assert.True(sliding.IsNone && none.IsNone && default(CacheMark).IsNone);
        Assert.False(Cache.IsCurrent(sliding) || Cache.IsCurrent(none) || Cache.IsCurrent(default));
        Cache.Set("key"u8, "value"u8);
        Assert.False(Cache.IsCurrent(Mark(_test.OpenElsewhere())));
    }

    [Fact]
    public void A_value_that_does_not_fit_is_marked_all_the_same()
    {
        Cache.Set("key"u8, "value"u8);
        Assert.Equal(CacheStatus.BufferTooSmall, Cache.GetMarked("key"u8, new byte[4], out var length, out var mark));
        Assert.Equal(5, length);
        Assert.True(Cache.IsCurrent(mark));
    }

    /// <summary>More tags than anybody sets, in an item that is otherwise sane: a caller has no room for them.</summary>
    [Fact]
    public unsafe void What_says_that_it_has_240_tags_is_not_marked()
    {
        var key = new byte[3];
        Cache.Set(key, new byte[4000]);
        Assert.Equal(CacheStatus.Ok, Cache.Lease(key, out var lease));
        fixed (byte* value = lease.Value)
        {
            var shape = (ulong*)(value - key.Length - sizeof(ulong));
            Assert.Equal(new ItemShape(0, 0, 0, key.Length, 4000).Bits, *shape);
            *shape = new ItemShape(0, 0, 240, key.Length, 4000 - (240 * sizeof(ulong))).Bits;
        }

        lease.Dispose();
        Assert.Equal(CacheStatus.Ok, Cache.GetMarked(key, new byte[4000], out _, out var mark));
        Assert.True(mark.IsNone);
    }

    [Fact]
    public void A_mark_of_a_heap_that_was_disposed_throws()
    {
        var other = _test.OpenElsewhere();
        other.Set("key"u8, "value"u8);
        var mark = Mark(other);
        other.Heap.Dispose();
        Assert.Throws<ObjectDisposedException>(() => other.IsCurrent(mark));
        Assert.Throws<ObjectDisposedException>(() => other.GetMarked("key"u8, [], out _, out _));
    }

    [Fact]
    public void Who_may_only_read_marks_too()
    {
        Cache.Set("key"u8, "value"u8);
        var reader = _test.OpenReadOnly();
        var mark = Mark(reader);
        Assert.True(reader.IsCurrent(mark));
        Cache.Set("key"u8, "value"u8);
        Assert.False(reader.IsCurrent(mark));
    }

    [Fact]
    public void Tags_are_current_until_one_is_removed()
    {
        string[] names = TestCache.TagsApart(Cache, 3);
        var tags = Cache.CaptureTags(names[0], names[1]);
        Assert.True(Cache.AreCurrent(tags) && Cache.AreCurrent(default));
        Cache.RemoveByTag(names[2]);
        Assert.True(Cache.AreCurrent(tags));
        Cache.RemoveByTag(names[1]);
        Assert.False(Cache.AreCurrent(tags));
        Assert.Throws<ArgumentException>(() => Cache.AreCurrent(CacheTags.Of(names[0])));
        Assert.Throws<ArgumentException>(() => Cache.AreCurrent(SharedCache.Open(_test.Heap, "other").CaptureTags(names[0])));
    }

    /// <summary>
    /// A use like a get: the hands pass it over when they drop what nobody asks for. That another key may need its entry, both places in the index being full of
    /// what is used, is no matter of hands.
    /// </summary>
    [Fact]
    public void What_is_asked_for_by_its_mark_is_in_use()
    {
        using TestCache test = new();
        test.Cache.Set("key"u8, TestCache.Value(100, 1));
        var mark = Mark(test.Cache);
        long forEntries = 0;
        for (var number = 0; number < 100_000; number++)
        {
            // The others are used as well, so that the hand comes by which drops what was used and is not any more.
            test.Cache.Set(BitConverter.GetBytes(number), new byte[500]);
            Assert.True(test.Cache.Contains(BitConverter.GetBytes(number)));
            if (!test.Cache.IsCurrent(mark))
            {
                var now = test.Cache.GetStatistics().EvictionsForEntry;
                Assert.True(now > forEntries, $"It went when {number} others had been set.");
                test.Cache.Set("key"u8, TestCache.Value(100, 1));
                mark = Mark(test.Cache);
            }

            if (number % 64 == 0)
            {
                forEntries = test.Cache.GetStatistics().EvictionsForEntry;
            }
        }
    }

    /// <summary>One thread writes versions, the number before it is changed and after; what a mark says in between is one of them.</summary>
    [Fact]
    public void A_mark_is_never_behind()
    {
        var rounds = Effort.Choose(50_000, 3_000_000);
        long begun = 0;
        long ended = 0;
        Threads.Run(3, number =>
        {
            if (number == 0)
            {
                for (long round = 1; round <= rounds; round++)
                {
                    Volatile.Write(ref begun, round);
                    Assert.Equal(CacheStatus.Ok, Cache.Set("key"u8, BitConverter.GetBytes(round)));
                    Volatile.Write(ref ended, round);
                    if (round % 64 == 0)
                    {
                        Cache.Set("another"u8, new byte[100]);
                    }
                }

                return;
            }

            CacheMark mark = default;
            long kept = 0;
            Span<byte> value = stackalloc byte[sizeof(long)];
            while (Volatile.Read(ref ended) < rounds)
            {
                var before = Volatile.Read(ref ended);
                if (!Cache.IsCurrent(mark))
                {
                    kept = Cache.GetMarked("key"u8, value, out _, out mark) == CacheStatus.Ok ? BitConverter.ToInt64(value) : 0;
                }

                Assert.True(kept >= before && kept <= Volatile.Read(ref begun), $"{kept} is not between {before} and {Volatile.Read(ref begun)}");
            }
        });
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1024)]
    [InlineData(1025)]
    [InlineData(100_000)]
    public void An_array_comes_with_its_mark(int length)
    {
        var value = TestCache.Value(length, length);
        Cache.Set("key", value, new() { Tags = "tag" });
        Bytes.Equal(value, Cache.GetMarked("key", out var mark));
        Assert.True(Cache.IsCurrent(mark));
        Cache.RemoveByTag("tag");
        Assert.False(Cache.IsCurrent(mark));
        Assert.Null(Cache.GetMarked("key", out mark));
        Assert.True(mark.IsNone);
        var statistics = Cache.GetStatistics();
        Assert.Equal((1, 1), (statistics.Hits, statistics.Misses));
    }

    /// <summary>Whether the value was there, or is worked out.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_is_worked_out_comes_with_its_mark(bool isThere)
    {
        var length = isThere ? 5 : 2000;
        if (isThere)
        {
            Cache.Set("sync", new byte[length]);
            Cache.Set("async", new byte[length]);
        }

        Assert.Equal(length, Cache.GetOrAddMarked("sync", _ => new byte[2000], out var mark).Length);
        var (value, other) = await Cache.GetOrAddMarkedAsync("async", (_, _) => new(new byte[2000]), default, default, TestContext.Current.CancellationToken);
        Assert.Equal(length, value.Length);
        Assert.True(Cache.IsCurrent(mark) && Cache.IsCurrent(other));
        Cache.Set("sync", "x"u8);
        Assert.False(Cache.IsCurrent(mark));
        Cache.Remove("async");
        Assert.False(Cache.IsCurrent(other));
        var statistics = Cache.GetStatistics();
        Assert.Equal(isThere ? (2, 0) : (0, 2), (statistics.Hits, statistics.Misses));
    }

    /// <summary>What the key has then is the placeholder of a flight: of the one that could not store its value, or of the next one.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_was_worked_out_is_returned_where_the_key_has_a_flight_and_no_value(bool isInWork)
    {
        using TestCache test = new(new SharedCacheOptions { LimitBytes = isInWork ? null : 100_000 });
        CacheFlight? next = null;
        Assert.Equal(200_000, test.Cache.GetOrAddMarked("sync", Work, out var mark).Length);
        next?.Dispose();
        var (value, other) = await test.Cache.GetOrAddMarkedAsync(
            "async", (key, _) => new(Work(key)), default, default, TestContext.Current.CancellationToken);
        next?.Dispose();
        Assert.Equal(200_000, value.Length);
        Assert.True(mark.IsNone && other.IsNone);

        byte[] Work(string key)
        {
            if (isInWork)
            {
                test.Cache.Remove(key);
                Assert.Equal(CacheStatus.Ok, test.Cache.BeginFlight(key, out next));
            }

            return new byte[200_000];
        }
    }

    [Fact]
    public async Task What_was_worked_out_and_is_not_the_value_has_no_mark_and_what_was_set_meanwhile_is_returned()
    {
        Assert.Equal([1], Cache.GetOrAddMarked("removed", key => Remove(key), out var mark));
        Assert.True(mark.IsNone);
        Assert.Equal([2], Cache.GetOrAddMarked("set", key => Set(key), out mark));
        Assert.True(Cache.IsCurrent(mark));
        var (value, none) = await Cache.GetOrAddMarkedAsync(
            "removed", (key, _) => new(Remove(key)), default, default, TestContext.Current.CancellationToken);
        Assert.Equal([1], value);
        Assert.True(none.IsNone);
        Assert.Equal([1], Cache.GetOrAddMarked("slides", _ => [1], out mark, new() { SlidingExpiration = TimeSpan.FromHours(1) }));
        Assert.True(mark.IsNone);

        var other = _test.OpenElsewhere();
        Assert.Equal([3], other.GetOrAddMarked("disposed", _ =>
        {
            other.Heap.Dispose();
            return [3];
        }, out mark));
        Assert.True(mark.IsNone);

        byte[] Remove(string key)
        {
            Cache.Remove(key);
            return [1];
        }

        byte[] Set(string key)
        {
            Cache.Set(key, [2]);
            return [1];
        }
    }

    [Fact]
    public void A_stale_value_has_no_mark_and_one_that_is_due_has()
    {
        ManualClock clock = new();
        using TestCache test = new(new SharedCacheOptions { Clock = clock });
        var minute = TimeSpan.FromMinutes(1);
        CacheEntryOptions options = new() { Lifetime = minute, RefreshAfter = minute / 2, StaleFor = minute };
        test.Cache.Set("key", [1], options);
        clock.Advance(minute / 2);
        var calls = 0;
        Assert.Equal([1], test.Cache.GetOrAddMarked("key", _ => throw new TimeoutException($"{++calls}"), out var mark, options, new() { RefreshesInline = true }));
        Assert.True(test.Cache.IsCurrent(mark));
        clock.Advance(minute / 2);
        Assert.Equal([1], test.Cache.GetOrAddMarked("key", _ => throw new TimeoutException($"{++calls}"), out mark, options, new() { AllowStale = true }));
        Assert.True(mark.IsNone);
        Assert.Equal(2, calls);
    }

    [Fact]
    public void A_mark_is_that_of_every_object_of_its_cache_and_heap()
    {
        Cache.Set("key", "value"u8);
        var again = SharedCache.Open(_test.Heap);
        var other = SharedCache.Open(_test.Heap, "other");
        var mark = Mark(Cache);
        Assert.True(again.IsCurrent(mark));
        Assert.False(other.IsCurrent(mark));
        again.Set("key", "value"u8);
        Assert.False(again.IsCurrent(mark));
        Assert.True(Cache.IsCurrent(Mark(again)));
    }

    private static CacheMark Mark(SharedCache cache)
    {
        cache.GetMarked("key"u8, new byte[1000], out _, out var mark);
        Assert.False(mark.IsNone);
        return mark;
    }
}
