using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>When an entry expires. The clock of ours, and of the one in memory, is the test's; of Redis only what it was told is looked at.</summary>
public sealed class ExpiryTests(RedisServer redis)
{
    private static readonly byte[] One = [1];

    public static TheoryData<Peer> Clocked => [Peer.Ours, Peer.Memory];

    [Theory]
    [MemberData(nameof(Clocked))]
    public void After_a_lifetime_it_is_gone_also_if_it_was_used(Peer peer)
    {
        using var application = TestApplication.DistributedOf(peer, redis);
        var cache = application.Distributed;
        var end = application.Clock.GetUtcNow() + TimeSpan.FromMinutes(5);
        cache.Set("relative", One, new() { AbsoluteExpirationRelativeToNow = TimeSpan.FromMinutes(5) });
        cache.Set("absolute", One, new() { AbsoluteExpiration = end });
        cache.Set("in another zone", One, new() { AbsoluteExpiration = end.ToOffset(TimeSpan.FromHours(9)) });
        cache.Set("for ever", One, new());
        application.Clock.Advance(TimeSpan.FromMinutes(4));
        string[] keys = ["relative", "absolute", "in another zone", "for ever"];
        Assert.All(keys, key => Assert.Equal(One, cache.Get(key)));
        application.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.All(keys, key => Assert.Equal(key == "for ever" ? One : null, cache.Get(key)));
    }

    [Theory]
    [MemberData(nameof(Clocked))]
    public void Of_two_the_earlier_counts(Peer peer)
    {
        using var application = TestApplication.DistributedOf(peer, redis);
        var cache = application.Distributed;
        var now = application.Clock.GetUtcNow();
        cache.Set("a", One, new() { AbsoluteExpiration = now + TimeSpan.FromMinutes(5), AbsoluteExpirationRelativeToNow = TimeSpan.FromMinutes(50) });
        cache.Set("b", One, new() { AbsoluteExpiration = now + TimeSpan.FromMinutes(50), AbsoluteExpirationRelativeToNow = TimeSpan.FromMinutes(5) });
        application.Clock.Advance(TimeSpan.FromMinutes(4));
        Assert.Equal(One, cache.Get("a"));
        Assert.Equal(One, cache.Get("b"));
        application.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Null(cache.Get("a"));
        Assert.Null(cache.Get("b"));
    }

    /// <summary>Where it differs: a relative one hides the absolute one.</summary>
    [Fact]
    public void For_Redis_the_relative_one_counts()
    {
        using var application = TestApplication.Redis(redis);
        application.Distributed.Set("key", One, new()
        {
            AbsoluteExpiration = DateTimeOffset.UtcNow + TimeSpan.FromMinutes(5),
            AbsoluteExpirationRelativeToNow = TimeSpan.FromMinutes(50),
        });
        var instance = application.Services.GetRequiredService<Microsoft.Extensions.Options.IOptions<
            Microsoft.Extensions.Caching.StackExchangeRedis.RedisCacheOptions>>().Value.InstanceName;
        using var connection = ConnectionMultiplexer.Connect(redis.Address);
        Assert.True(connection.GetDatabase().KeyTimeToLive($"{instance}key") > TimeSpan.FromMinutes(6));
    }

    [Theory]
    [MemberData(nameof(Clocked))]
    public void A_use_renews_a_sliding_expiry_up_to_the_absolute_one(Peer peer)
    {
        using var application = TestApplication.DistributedOf(peer, redis);
        var cache = application.Distributed;
        DistributedCacheEntryOptions options = new()
        {
            SlidingExpiration = TimeSpan.FromMinutes(5),
            AbsoluteExpirationRelativeToNow = TimeSpan.FromMinutes(14),
        };
        var use = new Action<string>[]
        {
            key => Assert.NotNull(cache.Get(key)),
            cache.Refresh,
            key => Assert.True(cache is not IBufferDistributedCache buffered || buffered.TryGet(key, new System.Buffers.ArrayBufferWriter<byte>())),
        };
        if (peer == Peer.Memory)
        {
            use = use[..2];
        }

        for (var which = 0; which < use.Length; which++)
        {
            cache.Set($"{which}", One, options);
        }

        for (var turn = 0; turn < 3; turn++)
        {
            application.Clock.Advance(TimeSpan.FromMinutes(4));
            for (var which = 0; which < use.Length; which++)
            {
                use[which]($"{which}");
            }
        }

        Assert.NotNull(cache.Get("0"));
        application.Clock.Advance(TimeSpan.FromMinutes(3));
        Assert.All(Enumerable.Range(0, use.Length), which => Assert.Null(cache.Get($"{which}")));
    }

    [Theory]
    [MemberData(nameof(Clocked))]
    public void Without_use_a_sliding_expiry_ends_after_its_window(Peer peer)
    {
        using var application = TestApplication.DistributedOf(peer, redis);
        var cache = application.Distributed;
        cache.Set("key", One, new() { SlidingExpiration = TimeSpan.FromMinutes(5) });
        cache.Set("other", One, new() { SlidingExpiration = TimeSpan.FromMinutes(5) });
        application.Clock.Advance(TimeSpan.FromMinutes(4));
        Assert.Equal(One, cache.Get("key"));
        application.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(One, cache.Get("key"));
        Assert.Null(cache.Get("other"));
        application.Clock.Advance(TimeSpan.FromMinutes(6));
        Assert.Null(cache.Get("key"));
    }

    /// <summary>Renewals that would move it little are spared; what is read within its window must be there nevertheless.</summary>
    [Theory]
    [MemberData(nameof(Clocked))]
    public void A_sliding_expiry_never_ends_early(Peer peer)
    {
        using var application = TestApplication.DistributedOf(peer, redis);
        var cache = application.Distributed;
        TimeSpan window = TimeSpan.FromMilliseconds(1000);
        cache.Set("key", One, new() { SlidingExpiration = window });
        Random random = new(1);
        for (var turn = 0; turn < 2000; turn++)
        {
            // A short gap that renews nothing, and then nearly the whole window.
            application.Clock.Advance(TimeSpan.FromMilliseconds(turn % 2 == 0 ? random.Next(200) : random.Next(900, 1000)));
            Assert.Equal(One, cache.Get("key"));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void A_time_that_is_not_positive_is_refused_by_the_options(int seconds)
    {
        DistributedCacheEntryOptions options = new();
        var time = TimeSpan.FromSeconds(seconds);
        var relative = Assert.Throws<ArgumentOutOfRangeException>("AbsoluteExpirationRelativeToNow", () => options.AbsoluteExpirationRelativeToNow = time);
        Assert.Equal(time, relative.ActualValue);
        var sliding = Assert.Throws<ArgumentOutOfRangeException>("SlidingExpiration", () => options.SlidingExpiration = time);
        Assert.Equal(time, sliding.ActualValue);
    }

    [Theory]
    [InlineData(Peer.Ours, 0)]
    [InlineData(Peer.Ours, -60)]
    [InlineData(Peer.Redis, 0)]
    [InlineData(Peer.Redis, -60)]
    public void A_moment_that_is_not_in_the_future_is_refused(Peer peer, int seconds)
    {
        using var application = TestApplication.DistributedOf(peer, redis);
        var now = peer == Peer.Ours ? application.Clock.GetUtcNow() : DateTimeOffset.UtcNow;
        var moment = now + TimeSpan.FromSeconds(seconds);
        var exception = Assert.Throws<ArgumentOutOfRangeException>(
            "AbsoluteExpiration", () => application.Distributed.Set("key", One, new() { AbsoluteExpiration = moment }));
        Assert.Equal(moment, exception.ActualValue);
        Assert.Null(application.Distributed.Get("key"));
    }

    /// <summary>Where the one in memory differs: it takes it, and has nothing.</summary>
    [Fact]
    public void The_one_in_memory_takes_a_moment_in_the_past()
    {
        using var application = TestApplication.MicrosoftsDistributed();
        application.Distributed.Set("key", One, new() { AbsoluteExpiration = application.Clock.GetUtcNow() - TimeSpan.FromMinutes(1) });
        Assert.Null(application.Distributed.Get("key"));
    }

    [Theory]
    [MemberData(nameof(Clocked))]
    public void The_longest_times_are_times(Peer peer)
    {
        using var application = TestApplication.DistributedOf(peer, redis);
        var cache = application.Distributed;
        cache.Set("absolute", One, new() { AbsoluteExpiration = DateTimeOffset.MaxValue });
        cache.Set("sliding", One, new() { SlidingExpiration = TimeSpan.FromDays(365) });
        application.Clock.Advance(TimeSpan.FromDays(364));
        Assert.Equal(One, cache.Get("absolute"));
        Assert.Equal(One, cache.Get("sliding"));
    }

    [Fact]
    public void A_time_below_a_millisecond_is_one_millisecond()
    {
        using var application = TestApplication.OwnDistributed();
        application.Distributed.Set("key", One, new() { AbsoluteExpirationRelativeToNow = TimeSpan.FromTicks(1) });
        Assert.Equal(One, application.Distributed.Get("key"));
        application.Clock.Advance(TimeSpan.FromMilliseconds(2));
        Assert.Null(application.Distributed.Get("key"));
    }
}
