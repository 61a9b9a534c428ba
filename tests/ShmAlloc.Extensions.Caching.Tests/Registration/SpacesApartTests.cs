using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.DependencyInjection;
using ShmAlloc.Extensions.Caching.Distributed;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>What one cache stores and empties is no other one's, also if they lie in the same file.</summary>
public sealed class SpacesApartTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Everything_of_the_hybrid_one_is_nothing_of_the_distributed_one()
    {
        using TemporaryHeapPath path = new();
        using var application = TestApplication.SharingHybrid(path, services => services.AddDistributedSharedMemoryCache(options => options.Path = path.Value));
        application.Distributed.Set("key", [1], new());
        await application.Hybrid.SetAsync("key", "value", cancellationToken: Token);
        Assert.Equal([1], application.Distributed.Get("key")!);
        await application.Hybrid.RemoveByTagAsync("*", Token);
        Assert.Equal([1], application.Distributed.Get("key")!);
        await application.Hybrid.SetAsync("key", "value", cancellationToken: Token);
        application.Distributed.Remove("key");
        Assert.Equal("value", await application.Hybrid.GetOrCreateAsync("key", Counter.Nothing<string>, Counter.Look, cancellationToken: Token));
    }

    [Fact]
    public void Those_under_keys_of_the_container_and_the_default_one_are_apart()
    {
        using TestApplication application = new(services => services
            .AddDistributedSharedMemoryCache(options => options.InProcess = true)
            .AddKeyedDistributedSharedMemoryCache("a", options => options.InProcess = true)
            .AddKeyedDistributedSharedMemoryCache("b", options => options.InProcess = true));
        IDistributedCache[] caches =
        [
            application.Distributed,
            application.Services.GetRequiredKeyedService<IDistributedCache>("a"),
            application.Services.GetRequiredKeyedService<IDistributedCache>("b"),
        ];
        for (byte index = 0; index < caches.Length; index++)
        {
            caches[index].Set("key", [index], new());
        }

        Assert.Equal([0, 1, 2], caches.Select(cache => (int)cache.Get("key")![0]));
    }

    [Theory]
    [InlineData("tenant", "")]
    [InlineData("", "build 2")]
    public void Another_prefix_or_generation_finds_nothing(string prefix, string generation)
    {
        using TemporaryHeapPath path = new();
        using var one = Of("", "");
        using var other = Of(prefix, generation);
        one.Distributed.Set("key", [1], new());
        Assert.Null(other.Distributed.Get("key"));
        other.Distributed.Set("key", [2], new());
        Assert.Equal([1], one.Distributed.Get("key")!);
        other.Distributed.Remove("key");
        Assert.Equal([1], one.Distributed.Get("key")!);

        TestApplication Of(string prefix, string generation) => new(services => services.AddDistributedSharedMemoryCache(options =>
            (options.Path, options.KeyPrefix, options.Generation) = (path.Value, prefix, generation)));
    }

    /// <summary>Whatever a prefix, a generation and a key consist of: no two of them make one key in the cache.</summary>
    [Fact]
    public void Parts_of_keys_do_not_run_into_each_other()
    {
        string[] parts = ["", "\u001f", "a", "a\u001f", "\u001fa", "a\u001fb", "1:", "\u001f1:1:a", "\u001f0:0:", "\u001fsha256:"];
        string[] all =
        [
            .. from prefix in parts
               from generation in parts
               from key in parts
               select new CacheKeys(new() { KeyPrefix = prefix, Generation = generation }).Of(key),
        ];
        Assert.Equal(all.Length, all.Distinct().Count());

        // Most keys are as the caller has them.
        Assert.Equal("a\u001fb", new CacheKeys(new()).Of("a\u001fb"));
        var hash = new CacheKeys(new()).Of(new string('x', 100_000));
        Assert.NotEqual(hash, new CacheKeys(new()).Of(hash));
    }
}
