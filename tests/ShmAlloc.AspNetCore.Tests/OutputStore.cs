using Microsoft.AspNetCore.OutputCaching;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using ShmAlloc.Extensions.Caching;
using ShmAlloc.Extensions.Caching.Tests;

namespace ShmAlloc.AspNetCore.Tests;

/// <summary>What a test runs on: ours, or a peer as a control that shows that the rule is ASP.NET Core's and not ours.</summary>
public enum Peer
{
    /// <summary>In shared memory.</summary>
    Ours,

    /// <summary>ASP.NET Core's own, in the memory of the process.</summary>
    Memory,

    /// <summary>Microsoft's for Redis, with a real server.</summary>
    Redis,
}

/// <summary>An application that has an output cache and no pages.</summary>
internal sealed class OutputStore : IDisposable
{
    private readonly ServiceProvider _services;

    private OutputStore(Action<IServiceCollection> register)
    {
        ServiceCollection services = [];
        services.AddSingleton<TimeProvider>(Clock);
        services.AddMetrics();
        services.AddLogging(logging => logging.AddProvider(Log));
        register(services);
        _services = services.BuildServiceProvider();
    }

    internal FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2026, 11, 30, 12, 0, 0, TimeSpan.Zero));

    internal LogList Log { get; } = new();

    internal IOutputCacheStore Store => _services.GetRequiredService<IOutputCacheStore>();

    internal IOutputCacheBufferStore Buffers => (IOutputCacheBufferStore)Store;

    /// <summary>Each has pages of its own.</summary>
    internal static OutputStore Of(Peer peer, RedisServer redis) => peer switch
    {
        Peer.Ours => Own(),
        Peer.Memory => new(services => services.AddOutputCache()),
        _ => OfRedis(redis),
    };

    internal static OutputStore Own(Action<SharedMemoryCacheOptions>? configure = null) => new(services => services.AddSharedMemoryOutputCache(options =>
    {
        options.InProcess = true;
        configure?.Invoke(options);
    }));

    internal static OutputStore Sharing(TemporaryHeapPath path, Action<SharedMemoryCacheOptions>? configure = null) =>
        new(services => services.AddSharedMemoryOutputCache(options =>
        {
            options.Path = path.Value;
            configure?.Invoke(options);
        }));

    internal static OutputStore Limited(Peer peer, long bytes) => peer == Peer.Ours
        ? Own(options => options.LimitBytes = bytes)
        : new(services => services.AddOutputCache(options => options.SizeLimit = bytes));

    public void Dispose() => _services.Dispose();

    private static OutputStore OfRedis(RedisServer redis)
    {
        Assert.SkipUnless(RedisServer.IsInstalled, RedisServer.HowToGetIt);
        var address = redis.Address;
        return new(services => services.AddStackExchangeRedisOutputCache(options =>
        {
            options.Configuration = address;
            options.InstanceName = $"{Guid.NewGuid():N}:";
        }));
    }
}
