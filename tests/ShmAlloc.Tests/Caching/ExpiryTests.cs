using ShmAlloc.Caching;

namespace ShmAlloc.Tests.Caching;

/// <summary>How long entries live, by a clock that the test moves.</summary>
public sealed class ExpiryTests : IDisposable
{
    private readonly ManualClock _clock = new();
    private readonly TestCache _test;

    public ExpiryTests() => _test = new TestCache(new SharedCacheOptions { Clock = _clock });

    /// <summary>Options that say no moment in the future.</summary>
    public static TheoryData<string> Past => ["zero lifetime", "negative lifetime", "zero window", "negative window", "now", "past"];

    private SharedCache Cache => _test.Cache;

    public void Dispose() => _test.Dispose();

    [Fact]
    public void A_lifetime_ends_when_it_is_reached()
    {
        Cache.Set("key"u8, "value"u8, Lifetime(100));
        _clock.Advance(99);
        Bytes.Equal("value"u8, Cache.Get("key"u8));
        _clock.Advance(1);
        Assert.Null(Cache.Get("key"u8));
    }

    [Fact]
    public void An_absolute_expiry_is_when_it_is_reached()
    {
        Cache.Set("key"u8, "value"u8, new() { AbsoluteExpiration = _clock.Now.AddMilliseconds(100) });
        _clock.Advance(99);
        Assert.True(Cache.Contains("key"u8));
        _clock.Advance(1);
        Assert.False(Cache.Contains("key"u8));
    }

    [Theory]
    [InlineData(50, 100)]
    [InlineData(100, 50)]
    public void Of_lifetime_and_absolute_expiry_the_earlier_counts(int lifetime, int absolute)
    {
        Cache.Set("key"u8, "value"u8, Lifetime(lifetime) with { AbsoluteExpiration = _clock.Now.AddMilliseconds(absolute) });
        _clock.Advance(49);
        Assert.True(Cache.Contains("key"u8));
        _clock.Advance(1);
        Assert.False(Cache.Contains("key"u8));
    }

    [Fact]
    public void Less_than_a_millisecond_is_one()
    {
        Cache.Set("key"u8, "value"u8, new() { Lifetime = TimeSpan.FromTicks(1) });
        Assert.True(Cache.Contains("key"u8));
        _clock.Advance(1);
        Assert.False(Cache.Contains("key"u8));
    }

    [Fact]
    public void The_longest_lifetimes_do_not_overflow()
    {
        Cache.Set("one"u8, "value"u8, new() { Lifetime = TimeSpan.MaxValue, SlidingExpiration = TimeSpan.MaxValue });
        Cache.Set("two"u8, "value"u8, new() { AbsoluteExpiration = DateTimeOffset.MaxValue });
        _clock.Advance(int.MaxValue);
        Assert.True(Cache.Contains("one"u8));
        Assert.True(Cache.Contains("two"u8));
        Assert.Equal(2, Cache.Enumerate().Count());
    }

    [Fact]
    public void A_sliding_expiry_is_renewed_by_every_kind_of_use()
    {
        Action[] uses =
        [
            () => Cache.Get("key"u8),
            () => Cache.Contains("key"u8),
            () => Cache.TryGet("key"u8, [], out _),
            () => Cache.Refresh("key"u8),
            Lease,
        ];
        Cache.Set("key"u8, "value"u8, Sliding(100));
        foreach (var use in uses)
        {
            _clock.Advance(99);
            use();
            _clock.Advance(99);
            Assert.True(Cache.Contains("key"u8));
        }

        void Lease()
        {
            Assert.Equal(CacheStatus.Ok, Cache.Lease("key"u8, out var lease));
            lease.Dispose();
        }
    }

    [Fact]
    public void A_sliding_expiry_ends_without_use()
    {
        Cache.Set("key"u8, "value"u8, Sliding(100));
        _clock.Advance(50);
        Assert.Equal(CacheStatus.Ok, Cache.Refresh("key"u8));
        _clock.Advance(99);
        Assert.NotNull(Assert.Single(Cache.Enumerate()).Expires);
        _clock.Advance(1);
        Assert.Equal(CacheStatus.Missing, Cache.Refresh("key"u8));
        Assert.False(Cache.Contains("key"u8));
    }

    [Fact]
    public void A_sliding_expiry_is_not_written_for_less_than_an_eighth_of_its_window()
    {
        Cache.Set("key"u8, "value"u8, Sliding(800));
        var expires = Assert.Single(Cache.Enumerate()).Expires;
        _clock.Advance(100);
        Cache.Get("key"u8);
        Assert.Equal(expires, Assert.Single(Cache.Enumerate()).Expires);
        _clock.Advance(1);
        Cache.Get("key"u8);
        Assert.Equal(_clock.Now.AddMilliseconds(800), Assert.Single(Cache.Enumerate()).Expires);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_sliding_expiry_is_renewed_only_up_to_the_absolute_one(bool asLifetime)
    {
        var end = _clock.Now.AddMilliseconds(250);
        var options = asLifetime ? new CacheEntryOptions { Lifetime = TimeSpan.FromMilliseconds(250) } : new() { AbsoluteExpiration = end };
        Cache.Set("key"u8, "value"u8, options with { SlidingExpiration = TimeSpan.FromMilliseconds(100) });
        _clock.Advance(90);
        Assert.True(Cache.Contains("key"u8));
        _clock.Advance(90);
        Assert.True(Cache.Contains("key"u8));
        Assert.Equal(end, Assert.Single(Cache.Enumerate()).Expires);
        _clock.Advance(69);
        Assert.True(Cache.Contains("key"u8));
        _clock.Advance(1);
        Assert.False(Cache.Contains("key"u8));
    }

    [Fact]
    public void Refreshing_what_does_not_slide_changes_nothing()
    {
        Cache.Set("key"u8, "value"u8, Lifetime(100));
        _clock.Advance(99);
        Assert.Equal(CacheStatus.Ok, Cache.Refresh("key"u8));
        _clock.Advance(1);
        Assert.False(Cache.Contains("key"u8));
    }

    [Fact]
    public void What_has_expired_is_there_for_nobody()
    {
        Cache.Set("key"u8, "value"u8, Lifetime(100));
        Cache.Get("key"u8, out var version);
        _clock.Advance(100);
        Assert.Empty(Cache.Enumerate());
        Assert.Equal(CacheStatus.Missing, Cache.Lease("key"u8, out _));
        Assert.Equal(CacheStatus.Missing, Cache.Replace("key"u8, "other"u8, version));
        Assert.Equal(CacheStatus.Ok, Cache.Add("key"u8, "added"u8));
        Bytes.Equal("added"u8, Cache.Get("key"u8));
        Assert.Equal(1, Cache.GetStatistics().Entries);
    }

    [Fact]
    public void Removing_what_has_expired_says_that_nothing_was_there()
    {
        Cache.Set("key"u8, "value"u8, Lifetime(100));
        _clock.Advance(100);
        Assert.Equal(CacheStatus.Missing, Cache.Remove("key"u8));
        Assert.Equal(0, Cache.GetStatistics().Entries);
    }

    [Fact]
    public void A_number_that_has_expired_starts_anew()
    {
        Cache.Increment("key"u8, 5, out _, Lifetime(100));
        Cache.Increment("key"u8, 5, out var sum, Lifetime(100));
        Assert.Equal(10, sum);
        _clock.Advance(100);
        Cache.Increment("key"u8, 5, out sum);
        Assert.Equal(5, sum);
    }

    [Fact]
    public void Setting_again_begins_another_life()
    {
        Cache.Set("key"u8, "value"u8, Lifetime(100));
        _clock.Advance(99);
        Cache.Set("key"u8, "value"u8);
        _clock.Advance(1_000_000);
        Assert.True(Cache.Contains("key"u8));
        Assert.Null(Assert.Single(Cache.Enumerate()).Expires);
    }

    [Theory]
    [MemberData(nameof(Past))]
    public void An_expiry_that_is_not_in_the_future_is_misuse(string what)
    {
        var options = Options(what);
        Assert.Throws<ArgumentOutOfRangeException>(() => Cache.Set("key"u8, "value"u8, options));
        Assert.Throws<ArgumentOutOfRangeException>(() => Cache.Add("key"u8, "value"u8, options));
        Assert.Throws<ArgumentOutOfRangeException>(() => Cache.Replace("key"u8, "value"u8, default, options));
        Assert.Throws<ArgumentOutOfRangeException>(() => Cache.Increment("key"u8, 1, out _, options));
        Assert.Throws<ArgumentOutOfRangeException>(() => Cache.Reserve("key"u8, 1, out _, options));
        _test.AssertNothingIsLost();
    }

    [Theory]
    [MemberData(nameof(Past))]
    public async Task An_expiry_that_is_not_in_the_future_is_misuse_before_the_factory_runs(string what)
    {
        var options = Options(what);
        Assert.Throws<ArgumentOutOfRangeException>(() => Cache.GetOrAdd("key", _ => throw new NotSupportedException(), options));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () =>
            await Cache.GetOrAddAsync(
                "key"u8.ToArray(), 0, (_, _) => throw new NotSupportedException(), options, default, TestContext.Current.CancellationToken));
        _test.AssertNothingIsLost();
    }

    [Fact]
    public async Task A_value_whose_time_is_over_before_it_is_worked_out_is_returned_and_not_stored()
    {
        CacheEntryOptions options = new() { AbsoluteExpiration = _clock.Now.AddMilliseconds(100) };
        var value = Cache.GetOrAdd("key", _ => Slowly(), options);
        Bytes.Equal("value"u8, value);
        options = new() { AbsoluteExpiration = _clock.Now.AddMilliseconds(100) };
        value = await Cache.GetOrAddAsync(
            "key"u8.ToArray(), 0, (_, _) => ValueTask.FromResult(Slowly()), options, default, TestContext.Current.CancellationToken);
        Bytes.Equal("value"u8, value);
        Assert.False(Cache.Contains("key"u8));
        _test.AssertNothingIsLost();

        byte[] Slowly()
        {
            _clock.Advance(100);
            return "value"u8.ToArray();
        }
    }

    [Fact]
    public void The_kernels_clock_makes_entries_expire_for_all_attachments()
    {
        using TestCache test = new();
        var other = test.OpenElsewhere();
        test.Cache.Set("short"u8, "value"u8, Lifetime(1));
        test.Cache.Set("long"u8, "value"u8, new() { Lifetime = TimeSpan.FromHours(1) });
        while (other.Contains("short"u8))
        {
            Thread.Yield();
        }

        Assert.False(test.Cache.Contains("short"u8));
        Assert.True(other.Contains("long"u8));
        var left = Assert.Single(other.Enumerate()).Expires - DateTimeOffset.UtcNow;
        Assert.InRange(left!.Value.TotalMinutes, 1, 61);
    }

    private static CacheEntryOptions Lifetime(int milliseconds) => new() { Lifetime = TimeSpan.FromMilliseconds(milliseconds) };

    private static CacheEntryOptions Sliding(int milliseconds) => new() { SlidingExpiration = TimeSpan.FromMilliseconds(milliseconds) };

    private CacheEntryOptions Options(string what) => what switch
    {
        "zero lifetime" => Lifetime(0),
        "negative lifetime" => Lifetime(-1),
        "zero window" => Sliding(0),
        "negative window" => Sliding(-1),
        "now" => new() { AbsoluteExpiration = _clock.Now },
        _ => new() { AbsoluteExpiration = _clock.Now.AddMilliseconds(-1) },
    };
}
