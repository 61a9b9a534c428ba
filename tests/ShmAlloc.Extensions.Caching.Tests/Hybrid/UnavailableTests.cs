using System.Buffers;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.DependencyInjection;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>What lies below does not work: callers that get and set do not notice.</summary>
public sealed class UnavailableTests
{
    private const string NoHeap = "/dev/null";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Peer.Ours)]
    [InlineData(Peer.Microsofts)]
    public async Task Reads_and_writes_that_fail_below_are_invisible(Peer peer)
    {
        using var application = peer == Peer.Ours
            ? new TestApplication(services => services.AddHybridCache().UseSharedMemory(options => options.Path = NoHeap))
            : TestApplication.MicrosoftsHybrid(more: services => services.AddSingleton<IDistributedCache>(new SecondLevel { Fails = true }));
        var cache = application.Hybrid;
        Assert.Equal("value", await cache.GetOrCreateAsync("key", _ => ValueTask.FromResult("value"), tags: ["tag"], cancellationToken: Token));
        await cache.SetAsync("other", "value", cancellationToken: Token);
        Assert.Null(await cache.GetOrCreateAsync("other", Counter.Nothing<string>, Counter.Look, cancellationToken: Token));
        await Assert.ThrowsAsync<InvalidDataException>(
            async () => await cache.GetOrCreateAsync<int>("key 2", _ => throw new InvalidDataException(), cancellationToken: Token));
        Assert.NotEmpty(application.Log.Entries);
    }

    /// <summary>A removal is not: others may still have what was to be removed.</summary>
    [Fact]
    public async Task A_removal_that_fails_throws()
    {
        using TestApplication application = new(services => services.AddHybridCache().UseSharedMemory(options => options.Path = NoHeap));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await application.Hybrid.RemoveAsync("key", Token));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await application.Hybrid.RemoveByTagAsync("tag", Token));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await application.Hybrid.RemoveByTagAsync("*", Token));
    }

    [Fact]
    public void Of_the_distributed_one_too()
    {
        using TestApplication application = new(services => services.AddDistributedSharedMemoryCache(options => options.Path = NoHeap));
        var cache = (IBufferDistributedCache)application.Distributed;
        cache.Set("key", [1], new());
        Assert.Null(cache.Get("key"));
        Assert.False(cache.TryGet("key", new ArrayBufferWriter<byte>()));
        cache.Refresh("key");
        Assert.Throws<InvalidOperationException>(() => cache.Remove("key"));
    }

    [Fact]
    public async Task After_the_end_of_the_application_gets_are_misses_and_nothing_throws()
    {
        using TemporaryHeapPath path = new();
        var application = TestApplication.SharingHybrid(path, services => services.AddDistributedSharedMemoryCache(options => options.Path = path.Value));
        var (hybrid, distributed) = (application.Hybrid, (IBufferDistributedCache)application.Distributed);
        await hybrid.SetAsync("key", "value", cancellationToken: Token);
        for (var turn = 0; turn < 3; turn++)
        {
            await hybrid.GetOrCreateAsync("key", Counter.Nothing<string>, cancellationToken: Token);
        }

        distributed.Set("key", [1], new());
        application.Dispose();
        Assert.Equal("new", await hybrid.GetOrCreateAsync("key", _ => ValueTask.FromResult("new"), cancellationToken: Token));
        Assert.Null(await hybrid.GetOrCreateAsync("key", Counter.Nothing<string>, Counter.Look, cancellationToken: Token));
        await hybrid.SetAsync("key", "value", cancellationToken: Token);
        await hybrid.RemoveAsync("key", Token);
        await hybrid.RemoveByTagAsync("*", Token);
        Assert.Null(distributed.Get("key"));
        Assert.False(distributed.TryGet("key", new ArrayBufferWriter<byte>()));
        distributed.Set("key", [1], new());
        distributed.Refresh("key");
        distributed.Remove("key");
    }
}
