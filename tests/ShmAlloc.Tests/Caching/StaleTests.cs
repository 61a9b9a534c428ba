using ShmAlloc.Caching;

namespace ShmAlloc.Tests.Caching;

/// <summary>Values that are given out although they have expired, and those that are worked out ahead.</summary>
public sealed class StaleTests : IDisposable
{
    private const int Life = 100;
    private const int Retry = 1000;
    private const int StaleTime = 10_000;

    private static readonly CacheFlightOptions Stale = new() { WaitLimit = TimeSpan.FromMinutes(10), AllowStale = true };

    private readonly ManualClock _clock = new();
    private readonly TestCache _test;

    public StaleTests() => _test = new TestCache(new SharedCacheOptions { Clock = _clock });

    private SharedCache Cache => _test.Cache;

    private static CacheEntryOptions Lasting => new() { Lifetime = TimeSpan.FromMilliseconds(Life), StaleFor = TimeSpan.FromMilliseconds(StaleTime) };

    public void Dispose() => _test.Dispose();

    [Theory]
    [InlineData(Life - 1, true, true)]
    [InlineData(Life, false, true)]
    [InlineData(Life + StaleTime - 1, false, true)]
    [InlineData(Life + StaleTime, false, false)]
    public void A_stale_value_is_a_miss_and_there_for_who_allows_it(int passed, bool isHit, bool isThere)
    {
        Cache.Set("key"u8, "old"u8, Lasting);
        _clock.Advance(passed);
        Assert.Equal(isHit, Cache.Contains("key"u8));
        Bytes.Equal(isThere ? "old"u8 : "new"u8, Cache.GetOrAdd("key", _ => isThere ? throw new TimeoutException() : "new"u8.ToArray(), default, Stale));
    }

    [Fact]
    public void F23_a_stale_value_survives_a_factory_that_fails_and_is_tried_again_after_a_while()
    {
        Cache.Set("key"u8, "old"u8, Lasting);
        _clock.Advance(Life);
        var calls = 0;
        for (var number = 0; number < 3 * Retry; number += 100)
        {
            Bytes.Equal("old"u8, Cache.GetOrAdd("key", _ => throw new TimeoutException($"{++calls}"), Lasting, Stale));
            Bytes.Equal("old"u8, _test.OpenElsewhere(new SharedCacheOptions { Clock = _clock }).GetOrAdd("key", _ => throw new TimeoutException($"{++calls}"), Lasting, Stale));
            _clock.Advance(100);
        }

        Assert.Equal(3, calls);
        Bytes.Equal("new"u8, Cache.GetOrAdd("key", _ => "new"u8.ToArray(), Lasting, Stale));
        Bytes.Equal("new"u8, Cache.Get("key"u8));
        _test.AssertNothingIsLost();
    }

    [Fact]
    public void Who_does_not_allow_it_gets_the_exception_and_leaves_the_value_to_others()
    {
        Cache.Set("key"u8, "old"u8, Lasting);
        _clock.Advance(Life);
        Assert.Throws<TimeoutException>(() => Cache.GetOrAdd("key", _ => throw new TimeoutException(), Lasting));
        Bytes.Equal("old"u8, Cache.GetOrAdd("key", _ => throw new NotSupportedException(), Lasting, Stale));

        // That others may not try again yet is no matter of who has nothing else.
        Bytes.Equal("new"u8, Cache.GetOrAdd("key", _ => "new"u8.ToArray(), Lasting));
    }

    /// <summary>Who does not want the stale value does not read it either, however often it looks.</summary>
    [Fact]
    public async Task F24_who_waits_beside_a_large_stale_value_does_not_copy_it()
    {
        const int length = 1 << 20;
        Cache.Set("key"u8, new byte[length], Lasting);
        _clock.Advance(Life);
        Assert.Equal(CacheStatus.Ok, _test.OpenElsewhere(new SharedCacheOptions { Clock = _clock }).BeginFlight("key", out var flight));
        long taken = 0;
        Thread waiter = new(() =>
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            Cache.GetOrAdd("key", _ => throw new NotSupportedException(), Lasting, new() { WaitLimit = Timeout.InfiniteTimeSpan });
            taken = GC.GetAllocatedBytesForCurrentThread() - before;
        });
        waiter.Start();
        SpinWait.SpinUntil(() => Cache.Waiting() == 1);
        for (var look = 0; look < 20; look++)
        {
            // Each other value that lands makes who waits look again.
            Cache.GetOrAdd($"{look}", _ => [1]);
            await Task.Yield();
        }

        Assert.Equal(CacheFlightOutcome.Stored, flight!.Complete([1], Lasting));
        waiter.Join();
        Assert.InRange(taken, 1, length - 1);
    }

    [Fact]
    public void F24_an_empty_stale_value_is_a_value()
    {
        Cache.Set("key"u8, [], Lasting);
        _clock.Advance(Life);
        Assert.Empty(Cache.GetOrAdd("key", _ => throw new TimeoutException(), default, Stale));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(3, 3)]
    [InlineData(15, 15)]
    [InlineData(3, 0)]
    [InlineData(15, 14)]
    public void What_a_removed_tag_has_taken_is_not_given_out_and_not_stored(int tagsOfStale, int tagsOfNew)
    {
        string[] names = TestCache.TagsApart(Cache, 15);
        Cache.Set("key"u8, "old"u8, Lasting with { Tags = names[..tagsOfStale] });
        _clock.Advance(Life);
        var value = Cache.GetOrAdd(
            "key",
            _ =>
            {
                var covers = tagsOfNew >= tagsOfStale;
                var meanwhile = () => Cache.GetOrAdd("key", _ => "other"u8.ToArray(), default, Stale with { WaitLimit = TimeSpan.Zero });
                Bytes.Equal(covers ? "old"u8 : "other"u8, meanwhile());
                if (tagsOfStale > 0)
                {
                    Cache.RemoveByTag(names[tagsOfStale - 1]);
                    Bytes.Equal(covers ? "next"u8 : "other"u8, Cache.GetOrAdd("key", _ => "next"u8.ToArray(), default, Stale with { WaitLimit = TimeSpan.Zero }));
                }

                return "new"u8.ToArray();
            },
            new() { Tags = names[..tagsOfNew] },
            Stale);
        Bytes.Equal("new"u8, value);
        Assert.Equal(tagsOfStale == 0 ? "new" : tagsOfNew >= tagsOfStale ? "next" : "other", System.Text.Encoding.UTF8.GetString(Cache.Get("key"u8)!));
        _test.AssertNothingIsLost();
    }

    [Fact]
    public void A_value_that_is_due_is_worked_out_ahead_by_who_says_so()
    {
        var options = new CacheEntryOptions { Lifetime = TimeSpan.FromMilliseconds(Life), RefreshAfter = TimeSpan.FromMilliseconds(Life / 2) };
        CacheFlightOptions inline = new() { RefreshesInline = true };
        Cache.Set("key"u8, "old"u8, options);
        _clock.Advance((Life / 2) - 1);
        Bytes.Equal("old"u8, Cache.GetOrAdd("key", _ => throw new NotSupportedException(), options, inline));
        _clock.Advance(1);
        Bytes.Equal("old"u8, Cache.GetOrAdd("key", _ => throw new NotSupportedException(), options));
        Bytes.Equal("old"u8, Cache.GetOrAdd("key", _ => throw new TimeoutException(), options, inline with { RetryAfter = TimeSpan.FromMilliseconds(10) }));
        Bytes.Equal("old"u8, Cache.GetOrAdd("key", _ => throw new NotSupportedException(), options, inline));
        _clock.Advance(10);
        Bytes.Equal("new"u8, Cache.GetOrAdd(
            "key",
            _ =>
            {
                Bytes.Equal("old"u8, Cache.Get("key"u8));
                Bytes.Equal("old"u8, Cache.GetOrAdd("key", _ => throw new NotSupportedException(), options, inline));
                return "new"u8.ToArray();
            },
            options,
            inline));
        Bytes.Equal("new"u8, Cache.Get("key"u8));
    }

    /// <summary>A next value without all of its tags would have to take its place before it is there.</summary>
    [Fact]
    public void A_value_that_is_due_stays_until_it_expires_where_the_next_one_has_other_tags()
    {
        string[] names = TestCache.TagsApart(Cache, 3);
        var options = new CacheEntryOptions { Lifetime = TimeSpan.FromMilliseconds(Life), RefreshAfter = TimeSpan.FromMilliseconds(Life / 2) };
        CacheFlightOptions inline = new() { RefreshesInline = true };
        Cache.Set("key"u8, "old"u8, options with { Tags = names[..2] });
        _clock.Advance(Life / 2);
        Bytes.Equal("old"u8, Cache.GetOrAdd("key", _ => throw new NotSupportedException(), options with { Tags = names[1..] }, inline));
        Assert.Equal(CacheStatus.Exists, Cache.BeginFlight("key", out _, names[..1]));
        Bytes.Equal("old"u8, Cache.Get("key"u8));
        Bytes.Equal("next"u8, Cache.GetOrAdd("key", _ => "next"u8.ToArray(), options with { Tags = names }, inline));
        _clock.Advance(Life);
        Bytes.Equal("new"u8, Cache.GetOrAdd("key", _ => "new"u8.ToArray(), options with { Tags = names[..1] }, inline));
        _test.AssertNothingIsLost();
    }

    [Fact]
    public async Task An_asynchronous_caller_refreshes_ahead_in_the_background()
    {
        var options = new CacheEntryOptions { Lifetime = TimeSpan.FromMilliseconds(Life), RefreshAfter = TimeSpan.FromMilliseconds(Life / 2) };
        Cache.Set("key"u8, "old"u8, options);
        _clock.Advance(Life / 2);
        TaskCompletionSource<byte[]> next = new();
        var calls = 0;
        for (var number = 0; number < 10; number++)
        {
            var value = await Ask(async _ =>
            {
                Interlocked.Increment(ref calls);
                return await next.Task;
            });
            Bytes.Equal("old"u8, value);
        }

        next.SetResult("new"u8.ToArray());
        SpinWait.SpinUntil(() => Cache.Get("key"u8) is { } value && value.AsSpan().SequenceEqual("new"u8));
        Assert.Equal(1, calls);
        var last = await Ask(_ => throw new NotSupportedException());
        Bytes.Equal("new"u8, last);

        ValueTask<byte[]> Ask(Func<CancellationToken, ValueTask<byte[]>> factory) =>
            Cache.GetOrAddAsync("key"u8.ToArray(), factory, (work, token) => work(token), options, default, TestContext.Current.CancellationToken);
    }

    [Fact]
    public void A_refresh_that_hangs_is_taken_over()
    {
        Cache.Set("key"u8, "old"u8, Lasting);
        _clock.Advance(Life);
        var impatient = Stale with { WaitLimit = TimeSpan.FromMilliseconds(1) };
        Assert.Equal(CacheStatus.Ok, Cache.BeginFlight("key"u8, out CacheFlight? hanging));
        Bytes.Equal("old"u8, Cache.GetOrAdd("key", _ => throw new NotSupportedException(), Lasting, Stale));
        SpinWait.SpinUntil(() => Cache.GetOrAdd("key", _ => "new"u8.ToArray(), Lasting, impatient).AsSpan().SequenceEqual("new"u8));
        Assert.Equal(CacheFlightOutcome.Changed, hanging!.Complete("late"u8, Lasting));
        Bytes.Equal("new"u8, Cache.Get("key"u8));
    }

    [Theory]
    [InlineData(36_000_000, 1000, -1, 1000)]
    [InlineData(1000, 3_600_000, -1, 7_200_000)]
    [InlineData(36_000_000, 1000, 1000)]
    [InlineData(1000, 3_600_000, 7_200_000, 1, -1, -1, 5000)]
    public void However_often_a_value_is_touched_it_is_stale_for_as_long_as_it_was_to_be(int life, int staleFor, params int[] touches)
    {
        Cache.Set("key"u8, "old"u8, new() { Lifetime = TimeSpan.FromMilliseconds(life), StaleFor = TimeSpan.FromMilliseconds(staleFor) });
        foreach (var touch in touches)
        {
            Assert.Equal(CacheStatus.Ok, Cache.Touch("key"u8, touch < 0 ? default : new() { Lifetime = TimeSpan.FromMilliseconds(touch) }));
        }

        AssertIsStale(touches[^1], staleFor);
    }

    [Fact]
    public void A_number_that_was_touched_and_added_to_is_stale_for_as_long_as_it_was_to_be()
    {
        Cache.Set("key"u8, "\u0001\0\0\0\0\0\0\0"u8, Lasting);
        Cache.Touch("key"u8, default);
        Assert.Equal(CacheStatus.Ok, Cache.Increment("key"u8, 0, out _));
        Cache.Touch("key"u8, new() { Lifetime = TimeSpan.FromMilliseconds(2 * Life) });
        Assert.Equal(CacheStatus.Ok, Cache.Increment("key"u8, 0, out _));
        AssertIsStale(2 * Life, StaleTime);
    }

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(5, 0, 0)]
    [InlineData(5, 7, 12)]
    [InlineData(0, 7, ulong.MaxValue)]
    [InlineData(5, ulong.MaxValue, ulong.MaxValue)]
    [InlineData(ulong.MaxValue - 2, 7, ulong.MaxValue)]
    public void The_end_of_staleness_counts_from_the_deadline_and_does_not_come_round(ulong deadline, ulong staleFor, ulong until) =>
        Assert.Equal(until, new ItemFacts { Deadline = deadline, StaleFor = staleFor }.StaleUntil);

    [Fact]
    public void A_value_that_never_expires_since_it_was_touched_is_neither_due_nor_stale()
    {
        Cache.Set("key"u8, "old"u8, Lasting with { RefreshAfter = TimeSpan.FromMilliseconds(1) });
        Assert.Equal(CacheStatus.Ok, Cache.Touch("key"u8, default));
        _clock.Advance(TimeSpan.FromDays(1000));
        Assert.Equal(CacheStatus.Exists, Cache.BeginFlight("key"u8, out _));
        Bytes.Equal("old"u8, Cache.GetOrAdd("key", _ => throw new NotSupportedException(), Lasting, Stale with { RefreshesInline = true }));
    }

    [Fact]
    public void A_mark_of_a_value_that_is_touched_lasts_as_long_as_the_value()
    {
        Cache.Set("key"u8, "old"u8, Lasting);
        Cache.GetMarked("key"u8, new byte[9], out _, out CacheMark mark);
        Cache.Touch("key"u8, new() { Lifetime = TimeSpan.FromMilliseconds(3 * Life) });
        _clock.Advance((3 * Life) - 1);
        Assert.True(Cache.IsCurrent(mark));
        _clock.Advance(1);
        Assert.False(Cache.IsCurrent(mark));
    }

    /// <summary>A value is stale after one time, for another.</summary>
    private void AssertIsStale(int life, int staleFor)
    {
        _clock.Advance(life - 1);
        Assert.True(Cache.Contains("key"u8));
        _clock.Advance(1);
        Assert.False(Cache.Contains("key"u8));
        _clock.Advance(staleFor - 1);
        Assert.NotEmpty(Cache.GetOrAdd("key", _ => throw new TimeoutException(), default, Stale));
        _clock.Advance(1);
        Assert.Throws<TimeoutException>(() => Cache.GetOrAdd("key", _ => throw new TimeoutException(), default, Stale));
    }

    [Fact]
    public void Options_that_contradict_each_other_are_refused()
    {
        var time = TimeSpan.FromMinutes(1);
        foreach (var options in (CacheEntryOptions[])
        [
            new() { StaleFor = time },
            new() { StaleFor = time, SlidingExpiration = time },
            new() { RefreshAfter = time, SlidingExpiration = time },
            new() { RefreshAfter = TimeSpan.Zero },
            new() { Lifetime = time, StaleFor = -time },
        ])
        {
            Assert.ThrowsAny<ArgumentException>(() => Cache.Set("key"u8, "value"u8, options));
            Assert.ThrowsAny<ArgumentException>(() => Cache.GetOrAdd("key", _ => throw new NotSupportedException(), options));
        }

        foreach (var flight in (CacheFlightOptions[])[new() { WaitLimit = -time }, new() { RetryAfter = -time }])
        {
            Assert.ThrowsAny<ArgumentException>(() => Cache.GetOrAdd("key", _ => throw new NotSupportedException(), default, flight));
        }
    }
}
