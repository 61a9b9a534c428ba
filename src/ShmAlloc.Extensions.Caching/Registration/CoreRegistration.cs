using System.Diagnostics.Metrics;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using ShmAlloc.Extensions.Caching.Diagnostics;
using ShmAlloc.Extensions.Caching.Distributed;
using ShmAlloc.Extensions.Caching.Heaps;
using ShmAlloc.Extensions.Caching.Hybrid;

namespace ShmAlloc.Extensions.Caching.Registration;

/// <summary>What all registrations have in common.</summary>
internal static class CoreRegistration
{
    internal static void AddSharedMemoryCore(this IServiceCollection services, string name, Action<SharedMemoryCacheOptions>? configure)
    {
        services.AddOptions();
        services.TryAddSingleton<CacheSpaces>();
        OptionsBuilder<SharedMemoryCacheOptions> options = services.AddOptions<SharedMemoryCacheOptions>(name).ValidateOnStart();
        if (configure != null)
        {
            options.Configure(configure);
        }

        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<SharedMemoryCacheOptions>, OptionsCheck>());
    }

    private sealed class OptionsCheck : IValidateOptions<SharedMemoryCacheOptions>
    {
        public ValidateOptionsResult Validate(string? name, SharedMemoryCacheOptions options) =>
            options.WhyInvalid() is { } reason ? ValidateOptionsResult.Fail(reason) : ValidateOptionsResult.Success;
    }
}

/// <summary>Makes the caches of a service provider.</summary>
internal static class CacheFactory
{
    internal const string DistributedName = "distributed";
    internal const string HybridName = "hybrid";

    internal static IDistributedCache MakeDistributed(IServiceProvider services, string name)
    {
        if (!SharedMemoryCacheOptions.IsSupported)
        {
            TellOfFallback(services);
            return new MemoryDistributedCache(
                Options.Create(new MemoryDistributedCacheOptions()), services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance);
        }

        CacheSpace space = MakeSpace(services, name, DistributedName);
        return new SharedMemoryDistributedCache(space, MetricsOf(services, space), ClockOf(services));
    }

    internal static HybridCache MakeHybrid(IServiceProvider services)
    {
        if (services.GetService<IDistributedCache>() is { } second and not SharedMemoryDistributedCache and not MemoryDistributedCache)
        {
            throw new InvalidOperationException(
                $"{second.GetType().Name} is registered as IDistributedCache, and HybridCache in shared memory would not use it: with several hosts, they "
                + "would no longer see each other's values. Remove that registration, or UseSharedMemory().");
        }

        CacheSpace space = MakeSpace(services, Options.DefaultName, HybridName);
        HybridCacheOptions options = services.GetRequiredService<IOptions<HybridCacheOptions>>().Value;
        return new SharedMemoryHybridCache(space, MetricsOf(services, space), new Serialization(services), options, ClockOf(services));
    }

    internal static CacheSpace MakeSpace(IServiceProvider services, string name, string contract)
    {
        SharedMemoryCacheOptions options = services.GetRequiredService<IOptionsMonitor<SharedMemoryCacheOptions>>().Get(name);
        IHostEnvironment? environment = services.GetService<IHostEnvironment>();
        if (name.Length != 0 && options is { Name: null, Path: null })
        {
            options.Name = HeapPlace.NameOf(environment, name);
        }

        string path = HeapPlace.PathOf(options, environment);
        CacheSpace space = new(contract, path, options, services.GetService<TimeProvider>(), LoggerOf(services));
        services.GetRequiredService<CacheSpaces>().Add(space);
        return space;
    }

    internal static CacheMetrics MetricsOf(IServiceProvider services, CacheSpace space) =>
        new(services.GetService<IMeterFactory>(), space.Name, () => space);

    internal static TimeProvider ClockOf(IServiceProvider services) => services.GetService<TimeProvider>() ?? TimeProvider.System;

    internal static ILogger LoggerOf(IServiceProvider services) =>
        services.GetService<ILoggerFactory>()?.CreateLogger("ShmAlloc.Extensions.Caching") ?? NullLogger.Instance;

    private static void TellOfFallback(IServiceProvider services) => new CacheLog(LoggerOf(services)).FellBack();
}
