using System.Diagnostics.Metrics;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>An application with caches: ours in shared memory, or one of those that others use instead, as a control.</summary>
internal sealed class TestApplication : IDisposable
{
    private readonly ServiceProvider _services;

    internal TestApplication(Action<IServiceCollection> register)
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

    internal IServiceProvider Services => _services;

    internal IMeterFactory Meters => _services.GetRequiredService<IMeterFactory>();

    internal IDistributedCache Distributed => _services.GetRequiredService<IDistributedCache>();

    internal HybridCache Hybrid => _services.GetRequiredService<HybridCache>();

    public void Dispose() => _services.Dispose();

    /// <summary>What a process on its own would have.</summary>
    internal static TestApplication OwnDistributed(Action<SharedMemoryCacheOptions>? configure = null) =>
        new(services => services.AddDistributedSharedMemoryCache(options =>
        {
            options.InProcess = true;
            configure?.Invoke(options);
        }));

    internal static TestApplication OwnHybrid(
        Action<SharedMemoryCacheOptions>? configure = null, Action<HybridCacheOptions>? hybrid = null, Action<IServiceCollection>? more = null) =>
        new(services =>
        {
            services.AddHybridCache(options => hybrid?.Invoke(options)).UseSharedMemory(options =>
            {
                options.InProcess = true;
                configure?.Invoke(options);
            });
            more?.Invoke(services);
        });

    /// <summary>One of several that act as processes of their own, on the same file.</summary>
    internal static TestApplication SharingHybrid(TemporaryHeapPath path, Action<IServiceCollection>? more = null) => new(services =>
    {
        services.AddHybridCache().UseSharedMemory(options => options.Path = path.Value);
        more?.Invoke(services);
    });

    internal static TestApplication MicrosoftsHybrid(Action<HybridCacheOptions>? hybrid = null, Action<IServiceCollection>? more = null) => new(services =>
    {
        services.AddMemoryCache();
        services.AddSingleton<IConfigureOptions<MemoryCacheOptions>>(provider => new ConfigureOptions<MemoryCacheOptions>(
            options => options.Clock = new SystemClock(provider.GetRequiredService<TimeProvider>())));
        services.AddHybridCache(options => hybrid?.Invoke(options));
        more?.Invoke(services);
    });

    internal static TestApplication MicrosoftsDistributed(Action<MemoryDistributedCacheOptions>? configure = null) => new(services =>
    {
        services.AddDistributedMemoryCache();
        services.AddSingleton<IConfigureOptions<MemoryDistributedCacheOptions>>(provider => new ConfigureOptions<MemoryDistributedCacheOptions>(options =>
        {
            options.Clock = new SystemClock(provider.GetRequiredService<TimeProvider>());
            configure?.Invoke(options);
        }));
    });

    /// <summary>Each test has keys of its own. Its clock is the server's.</summary>
    internal static TestApplication Redis(RedisServer server)
    {
        Assert.SkipUnless(RedisServer.IsInstalled, RedisServer.HowToGetIt);
        var address = server.Address;
        return new(services => services.AddStackExchangeRedisCache(options =>
        {
            options.Configuration = address;
            options.InstanceName = $"{Guid.NewGuid():N}:";
        }));
    }

    internal static TestApplication DistributedOf(Peer peer, RedisServer server) => peer switch
    {
        Peer.Ours => OwnDistributed(),
        Peer.Memory => MicrosoftsDistributed(),
        _ => Redis(server),
    };

    internal static TestApplication HybridOf(Peer peer, Action<HybridCacheOptions>? hybrid = null, Action<IServiceCollection>? more = null) =>
        peer == Peer.Ours ? OwnHybrid(hybrid: hybrid, more: more) : MicrosoftsHybrid(hybrid, more);
}
