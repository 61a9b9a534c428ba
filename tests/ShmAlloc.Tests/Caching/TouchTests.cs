using ShmAlloc.Caching;
using ShmAlloc.Tests.Support;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Tests.Caching;

/// <summary>A new expiry for a value that stays as it is.</summary>
public sealed class TouchTests : IDisposable
{
    private readonly ManualClock _clock = new();
    private readonly TestCache _test;

    public TouchTests() => _test = new TestCache(new SharedCacheOptions { Clock = _clock });

    private SharedCache Cache => _test.Cache;

    public void Dispose() => _test.Dispose();

    [Theory]
    [InlineData(null, 100)]
    [InlineData(100, 1000)]
    [InlineData(1000, 100)]
    [InlineData(100, null)]
    public void A_value_lives_as_long_as_the_touch_says(int? before, int? after)
    {
        Cache.Set("key", "value"u8, Lifetime(before));
        _clock.Advance(99);
        Assert.Equal(CacheStatus.Ok, Cache.Touch("key", Lifetime(after)));
        _clock.Advance((after ?? int.MaxValue) - 1);
        Bytes.Equal("value"u8, Cache.Get("key"));
        _clock.Advance(1);
        Assert.Equal(after == null, Cache.Contains("key"u8));
    }

    [Fact]
    public void A_touch_with_a_point_in_time_lasts_until_then()
    {
        Cache.Set("key"u8, "value"u8);
        Assert.Equal(CacheStatus.Ok, Cache.Touch("key"u8, new() { AbsoluteExpiration = _clock.Now.AddMilliseconds(50), Lifetime = TimeSpan.FromHours(1) }));
        _clock.Advance(49);
        Assert.True(Cache.Contains("key"u8));
        _clock.Advance(1);
        Assert.False(Cache.Contains("key"u8));
    }

    [Fact]
    public void A_touch_changes_nothing_but_the_expiry()
    {
        string tag = TestCache.TagsApart(Cache, 1)[0];
        Cache.Set("key"u8, "value"u8, new() { Pinned = true, Tags = CacheTags.Of(tag) });
        Cache.Get("key"u8, out CacheVersion before);
        Cache.GetMarked("key"u8, new byte[9], out _, out var mark);
        Assert.Equal(CacheStatus.Ok, Cache.Touch("key"u8, Lifetime(100)));
        Assert.True(Cache.IsCurrent(mark));
        Bytes.Equal("value"u8, Cache.Get("key"u8, out CacheVersion after));
        Assert.Equal(before, after);
        Assert.True(Assert.Single(Cache.Enumerate()).IsPinned);
        _clock.Advance(99);
        Assert.True(Cache.IsCurrent(mark));
        _clock.Advance(1);
        Assert.False(Cache.IsCurrent(mark));
        Cache.Set("key"u8, "value"u8, new() { Tags = CacheTags.Of(tag) });
        Cache.Touch("key"u8, Lifetime(100));
        Cache.RemoveByTag(tag);
        Assert.Equal(CacheStatus.Missing, Cache.Touch("key"u8, default));
    }

    [Fact]
    public void Neither_what_is_not_there_nor_what_has_expired_is_touched()
    {
        Assert.Equal(CacheStatus.Missing, Cache.Touch("key"u8, default));
        Assert.Equal(CacheStatus.Missing, Cache.Touch(new byte[70_000], default));
        Cache.Set("key"u8, "value"u8, Lifetime(100));
        _clock.Advance(100);
        Assert.Equal(CacheStatus.Missing, Cache.Touch("key"u8, Lifetime(100)));
        Assert.False(Cache.Contains("key"u8));
    }

    [Fact]
    public void What_slides_expires_when_it_is_not_used_until_the_touch_says_and_keeps_its_window()
    {
        Cache.Set("key"u8, "value"u8, new() { SlidingExpiration = TimeSpan.FromMilliseconds(100), Lifetime = TimeSpan.FromMilliseconds(10_000) });

        // Longer than the window: it may rest so long, once.
        Assert.Equal(CacheStatus.Ok, Cache.Touch("key"u8, Lifetime(1000)));
        _clock.Advance(999);
        Assert.True(Cache.Contains("key"u8));
        _clock.Advance(99);
        Assert.True(Cache.Contains("key"u8));

        // Shorter: unless it is used.
        Assert.Equal(CacheStatus.Ok, Cache.Touch("key"u8, Lifetime(10)));
        _clock.Advance(9);
        Assert.True(Cache.Contains("key"u8));
        _clock.Advance(99);
        Assert.True(Cache.Contains("key"u8));
        Assert.Equal(CacheStatus.Ok, Cache.Touch("key"u8, Lifetime(10)));
        _clock.Advance(10);
        Assert.False(Cache.Contains("key"u8));
    }

    [Fact]
    public void What_slides_is_renewed_by_a_touch_without_an_expiry_and_never_beyond_its_limit()
    {
        CacheEntryOptions options = new() { SlidingExpiration = TimeSpan.FromMilliseconds(100), Lifetime = TimeSpan.FromMilliseconds(200) };
        Cache.Set("key"u8, "value"u8, options);

        // By less than an eighth of its window, as no get does.
        _clock.Advance(5);
        Assert.Equal(CacheStatus.Ok, Cache.Touch("key"u8, default));
        _clock.Advance(99);
        Assert.Equal(CacheStatus.Ok, Cache.Touch("key"u8, Lifetime(1000)));
        _clock.Advance(95);
        Assert.True(Cache.Contains("key"u8));
        _clock.Advance(1);
        Assert.False(Cache.Contains("key"u8));
    }

    [Fact]
    public void A_window_is_that_of_the_value_or_refused()
    {
        CacheEntryOptions sliding = new() { SlidingExpiration = TimeSpan.FromMilliseconds(100) };
        Cache.Set("key"u8, "value"u8, sliding);
        _clock.Advance(50);
        Assert.Equal(CacheStatus.WrongKind, Cache.Touch("key"u8, new() { SlidingExpiration = TimeSpan.FromMilliseconds(101) }));
        Assert.Equal(CacheStatus.Ok, Cache.Touch("key"u8, sliding));
        _clock.Advance(99);
        Assert.True(Cache.Contains("key"u8));
        Cache.Set("key"u8, "value"u8, Lifetime(100));
        Assert.Equal(CacheStatus.WrongKind, Cache.Touch("key"u8, sliding));
    }

    [Fact]
    public void Misuse_throws()
    {
        Cache.Set("key"u8, "value"u8);
        Assert.Throws<ArgumentException>(() => Cache.Touch("key"u8, new() { Pinned = true }));
        Assert.Throws<ArgumentException>(() => Cache.Touch("key"u8, new() { Tags = CacheTags.Of("tag") }));
        Assert.Throws<ArgumentOutOfRangeException>(() => Cache.Touch("key"u8, new() { Lifetime = TimeSpan.Zero }));
        Assert.Throws<ArgumentNullException>(() => Cache.Touch((string)null!, default));
        Assert.Equal(CacheStatus.ReadOnly, _test.OpenReadOnly(new SharedCacheOptions { Clock = _clock }).Touch("key"u8, Lifetime(1)));
        _clock.Advance(100);
        Assert.True(Cache.Contains("key"u8));
        var other = _test.OpenElsewhere();
        other.Heap.Dispose();
        Assert.Throws<ObjectDisposedException>(() => other.Touch("key"u8, default));
    }

    [Fact]
    public void A_number_keeps_the_expiry_that_a_touch_gave_it()
    {
        Cache.Increment("n"u8, 1, out _);
        Cache.Touch("n"u8, Lifetime(100));
        _clock.Advance(50);
        Cache.Increment("n"u8, 1, out long number);
        Assert.Equal(2, number);
        _clock.Advance(50);
        Assert.False(Cache.Contains("n"u8));
        Cache.Increment("n"u8, 1, out _, new() { SlidingExpiration = TimeSpan.FromMilliseconds(100) });
        Cache.Touch("n"u8, Lifetime(1000));
        Assert.Equal(CacheStatus.Ok, Cache.Increment("n"u8, 1, out number));
        Assert.Equal(2, number);
        _clock.Advance(999);
        Assert.True(Cache.Contains("n"u8));
    }

    /// <summary>No addition is lost, and in the end the number has the expiry of the last touch.</summary>
    [Fact]
    public void Numbers_are_touched_while_they_are_added_to()
    {
        var rounds = Effort.Choose(2000, 100_000);
        Cache.Increment("n"u8, 0, out _);
        Threads.Run(3, number =>
        {
            for (var round = 0; round < rounds; round++)
            {
                if (number == 0)
                {
                    Assert.Equal(CacheStatus.Ok, Cache.Touch("n"u8, Lifetime(round % 2 == 0 ? null : 1000)));
                }
                else
                {
                    Assert.Equal(CacheStatus.Ok, Cache.Increment("n"u8, 1, out _));
                }
            }
        });
        Assert.Equal(CacheStatus.Ok, Cache.Increment("n"u8, 0, out long sum));
        Assert.Equal(2 * rounds, sum);
        Assert.NotNull(Assert.Single(Cache.Enumerate()).Expires);
    }

    private static CacheEntryOptions Lifetime(int? milliseconds) =>
        new() { Lifetime = milliseconds is { } some ? TimeSpan.FromMilliseconds(some) : null };
}
