using Microsoft.Extensions.DependencyInjection;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>
/// When a tag was removed is an entry of the second level, to Microsoft's HybridCache: if it were dropped for want of room, what was removed would be back.
/// </summary>
public sealed class PinnedTagTests
{
    private const long Limit = 4 << 20;
    private const string Mark = "__MSFT_HCT__";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>What it calls them is not documented: a version that does otherwise is noticed here.</summary>
    [Fact]
    public async Task Microsofts_keeps_them_under_keys_that_are_known()
    {
        using TestApplication application = new(services =>
        {
            services.AddDistributedSharedMemoryCache(options => options.InProcess = true);
            services.AddHybridCache();
        });
        await application.Hybrid.RemoveByTagAsync("tag", Token);
        await application.Hybrid.RemoveByTagAsync("*", Token);
        Assert.NotNull(application.Distributed.Get($"{Mark}tag"));
        Assert.NotNull(application.Distributed.Get($"{Mark}*"));
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("prefix", "2")]
    public void They_stay_when_values_are_dropped_for_want_of_room(string prefix, string generation)
    {
        using var application = TestApplication.OwnDistributed(
            options => (options.LimitBytes, options.KeyPrefix, options.Generation) = (Limit, prefix, generation));
        var cache = application.Distributed;
        for (var index = 0; index < 20; index++)
        {
            cache.Set($"{Mark}{index}", [1], new());
            cache.Set($"value {index}", [1], new());
        }

        for (var index = 0; index < 4 * Limit / 1000; index++)
        {
            cache.Set($"{index}", new byte[1000], new());
        }

        Assert.Contains(Enumerable.Range(0, 20), index => cache.Get($"value {index}") == null);
        Assert.All(Enumerable.Range(0, 20), index => Assert.Equal([1], cache.Get($"{Mark}{index}")!));
    }

    [Fact]
    public void Where_they_take_too_much_room_everything_goes_and_no_tag_alone()
    {
        using var application = TestApplication.OwnDistributed(options => options.LimitBytes = Limit);
        var cache = application.Distributed;
        cache.Set("value", [1], new());
        var most = 0;
        while (cache.Get("value") != null && most < 10_000)
        {
            Assert.All(Enumerable.Range(0, Math.Min(most, 3)), index => Assert.NotNull(cache.Get($"{Mark}{index}")));
            cache.Set($"{Mark}{most++}", new byte[1000], new());

            // The same one again takes no more room.
            cache.Set($"{Mark}0", new byte[1000], new());
        }

        Assert.InRange(most, Limit / 8 / 1200, Limit / 8 / 900);
        Assert.Null(cache.Get($"{Mark}1"));

        // A value whose factory began before the removal may be stored yet.
        Assert.NotNull(cache.Get($"{Mark}{most - 1}"));
        cache.Set($"{Mark}again", [1], new());
        Assert.NotNull(cache.Get($"{Mark}again"));
    }

    /// <summary>As FusionCache writes them through an <c>IDistributedCache</c>: by default, with safe strings, with the version at the end.</summary>
    [Theory]
    [InlineData("v2:__fc:t:tag")]
    [InlineData("v2-__fc-t-tag")]
    [InlineData("v2:prefix:__fc:t:tag")]
    [InlineData("__fc:t:tag:v2")]
    [InlineData(Mark + "tag")]
    public void Tags_of_FusionCache_and_of_Microsoft_stay(string key)
    {
        using var application = TestApplication.OwnDistributed(options => options.LimitBytes = Limit);
        var cache = application.Distributed;
        cache.Set(key, [1], new());
        for (var index = 0; index < 4 * Limit / 1000; index++)
        {
            cache.Set($"{index}", new byte[1000], new());
        }

        Assert.Equal([1], cache.Get(key)!);
    }

    /// <summary>A caller who may choose a part of a key chooses no tag: neither by what is in it nor by a large value.</summary>
    [Theory]
    [InlineData("search?q=__fc:t:x", 100)]
    [InlineData("search?q=__fc-t-x", 100)]
    [InlineData("v2:__fc:t:x", 2000)]
    [InlineData(Mark, 2000)]
    public void Keys_of_others_are_not_pinned_and_empty_nothing(string key, int length)
    {
        using var application = TestApplication.OwnDistributed(options => options.LimitBytes = Limit);
        var cache = application.Distributed;
        cache.Set("session", [1], new());
        for (var index = 0; index < Limit / 8 / length * 2; index++)
        {
            cache.Set($"{key}{index}", new byte[length], new());
            Assert.NotNull(cache.Get("session"));
        }
    }

    /// <summary>What is counted lies beside the callers' keys, and is none of them.</summary>
    [Fact]
    public void A_callers_key_is_never_the_one_that_counts()
    {
        using var application = TestApplication.OwnDistributed();
        application.Distributed.Set($"{Mark}tag", [1], new());
        Assert.Null(application.Distributed.Get("\u001fpinned"));
        application.Distributed.Set("\u001fpinned", [1, 2, 3], new());
        application.Distributed.Set($"{Mark}other", [1], new());
        Assert.Equal([1, 2, 3], application.Distributed.Get("\u001fpinned")!);
    }
}
