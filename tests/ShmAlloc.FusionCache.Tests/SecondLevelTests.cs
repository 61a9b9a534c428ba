using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.DependencyInjection;
using ShmAlloc.Extensions.Caching;
using ShmAlloc.Extensions.Worker;
using ZiggyCreatures.Caching.Fusion;

namespace ShmAlloc.FusionCache.Tests;

/// <summary>What FusionCache keeps in shared memory, and what is never dropped alone.</summary>
public sealed class SecondLevelTests : IDisposable
{
    private const long Limit = 4 << 20;

    private readonly TemporaryHeapPath _path = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _path.Dispose();

    [Fact]
    public async Task A_cold_process_reads_what_the_others_have()
    {
        await using var one = Fused.Start(_path.Value);
        await one.DoAsync("set key value");
        await using var other = Fused.Start(_path.Value);
        Assert.Equal("value", await other.DoAsync("get key"));
        Assert.Equal("value", await other.DoAsync("create key"));
    }

    [Fact]
    public async Task A_cold_process_does_not_see_what_was_removed_with_its_tag()
    {
        await using (var one = Fused.Start(_path.Value))
        {
            await one.DoAsync("set key value tag");
            await one.DoAsync("set kept value other");
            await one.DoAsync("tag tag");
        }

        await using var other = Fused.Start(_path.Value);
        Assert.Equal("-", await other.DoAsync("get key"));
        Assert.Equal("value", await other.DoAsync("get kept"));
    }

    [Theory]
    [InlineData("v2:__fc:t:tag")]
    [InlineData("v2:prefix:__fc:t:!")]
    [InlineData("v2-__fc-t-tag")]
    public async Task A_tag_stays_when_values_are_dropped_for_want_of_room(string tag)
    {
        await using var application = Fused.Start(_path.Value, options => options.LimitBytes = Limit);
        var level = LevelOf(application);
        for (var index = 0; index < 20; index++)
        {
            level.Set($"{tag}{index}", [1], new());
            level.Set($"v2:value {index}", [1], new());
        }

        for (var index = 0; index < 4 * Limit / 1000; index++)
        {
            level.Set($"v2:{index}", new byte[1000], new());
        }

        Assert.Contains(Enumerable.Range(0, 20), index => level.Get($"v2:value {index}") == null);
        Assert.All(Enumerable.Range(0, 20), index => Assert.Equal([1], level.Get($"{tag}{index}")!));
    }

    [Fact]
    public async Task Where_tags_take_too_much_room_everything_goes_and_no_tag_alone()
    {
        await using var application = Fused.Start(_path.Value, options => options.LimitBytes = Limit);
        var level = LevelOf(application);
        level.Set("v2:value", [1], new());
        var most = 0;
        while (level.Get("v2:value") != null && most < 10_000)
        {
            Assert.All(Enumerable.Range(0, Math.Min(most, 3)), index => Assert.NotNull(level.Get($"v2:__fc:t:{index}")));
            level.Set($"v2:__fc:t:{most++}", new byte[1000], new());

            // The same one again takes no more room.
            level.Set("v2:__fc:t:0", new byte[1000], new());
        }

        Assert.InRange(most, Limit / 8 / 1200, Limit / 8 / 900);
        Assert.Null(level.Get("v2:__fc:t:1"));
        level.Set("v2:__fc:t:again", [1], new());
        Assert.NotNull(level.Get("v2:__fc:t:again"));
    }

    [Fact]
    public async Task A_value_that_is_too_large_takes_the_one_before_with_it()
    {
        await using var application = Fused.Start(_path.Value, options => options.LimitBytes = Limit);
        var level = LevelOf(application);
        level.Set("v2:key", [1], new());
        level.Set("v2:key", new byte[2 * Limit], new());
        Assert.Null(level.Get("v2:key"));
    }

    [Fact]
    public async Task Caches_of_other_names_and_other_contracts_are_apart()
    {
        ServiceCollection services = [];
        services.AddLogging();
        services.AddDistributedSharedMemoryCache(options => options.Path = _path.Value);
        services.AddFusionCache("one").WithSystemTextJson().WithSharedMemory();
        services.AddFusionCache("two").WithSystemTextJson().WithSharedMemory();
        await using var provider = services.BuildServiceProvider();
        var caches = provider.GetRequiredService<IFusionCacheProvider>();
        var distributed = provider.GetRequiredService<IDistributedCache>();
        distributed.Set("v2:key", [1], new());
        caches.GetCache("one").Set("key", "one", token: Token);
        Assert.False(caches.GetCache("two").TryGet<string>("key", token: Token).HasValue);
        caches.GetCache("two").Remove("key", token: Token);
        caches.GetCache("two").Clear(allowFailSafe: false, token: Token);
        Assert.Equal("one", caches.GetCache("one").GetOrDefault<string>("key", token: Token));
        Assert.Equal([1], distributed.Get("v2:key")!);
    }

    [Theory]
    [InlineData(true, false, false)]
    [InlineData(false, true, false)]
    [InlineData(false, false, true)]
    public async Task Each_part_is_had_alone(bool level, bool backplane, bool locker)
    {
        ServiceCollection services = [];
        services.AddLogging();
        var builder = services.AddFusionCache().WithSystemTextJson();
        _ = level ? builder.WithSharedMemorySecondLevel(InProcess) : backplane ? builder.WithSharedMemoryBackplane(InProcess) : builder.WithSharedMemoryLocker(InProcess);
        await using var provider = services.BuildServiceProvider();
        var cache = provider.GetRequiredService<IFusionCache>();
        Assert.Equal((level, backplane, locker), (cache.HasDistributedCache, cache.HasBackplane, cache.HasDistributedLocker));
        Assert.Equal("value", cache.GetOrSet("key", _ => "value", token: Token));
    }

    [Fact]
    public async Task On_another_platform_the_first_level_stays()
    {
        SharedMemoryCacheOptions.IsSupportedOverride.Value = false;
        ServiceCollection services = [];
        services.AddFusionCache().WithSharedMemory();
        await using var provider = services.BuildServiceProvider();
        var cache = provider.GetRequiredService<IFusionCache>();
        Assert.False(cache.HasDistributedCache || cache.HasBackplane || cache.HasDistributedLocker);
        Assert.Equal("value", cache.GetOrSet("key", _ => "value", token: Token));
    }

    private static void InProcess(SharedMemoryCacheOptions options) => options.InProcess = true;

    private static SecondLevel LevelOf(Fused application) => new(application.Services.GetRequiredService<FusionSpace>(), "cache");
}

/// <summary>What several tests register.</summary>
internal static class Registrations
{
    internal static IFusionCacheBuilder WithSystemTextJson(this IFusionCacheBuilder builder) =>
        builder.WithSerializer(new ZiggyCreatures.Caching.Fusion.Serialization.SystemTextJson.FusionCacheSystemTextJsonSerializer());
}
