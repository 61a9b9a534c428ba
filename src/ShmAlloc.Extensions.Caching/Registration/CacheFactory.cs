using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using ShmAlloc.Extensions.Caching.Diagnostics;
using ShmAlloc.Extensions.Caching.Distributed;
using ShmAlloc.Extensions.Caching.Heaps;
using ShmAlloc.Extensions.Caching.Hybrid;

namespace ShmAlloc.Extensions.Caching.Registration;

/// <summary>Makes the caches of a service provider.</summary>
internal static class CacheFactory
{
    internal const string DistributedName = "distributed";
    internal const string HybridName = "hybrid";

    /// <summary>Bytes of UTF-8 that the name of a cache in the file may have.</summary>
    private const int LongestName = 64;

    private const int HashBytes = 8;

    /// <param name="services">Of what it is made.</param>
    /// <param name="name">Of the options.</param>
    /// <param name="key">Of the service; null if it has none.</param>
    internal static IDistributedCache MakeDistributed(IServiceProvider services, string name, object? key)
    {
        if (!SharedMemoryCacheOptions.IsSupported)
        {
            TellOfFallback(services);
            return new MemoryDistributedCache(
                Options.Create(new MemoryDistributedCacheOptions()), services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance);
        }

        CacheSpace space = MakeSpace(services, name, DistributedName);
        if (IsSecondLevelOfMicrosofts(services, key))
        {
            space.Log.IsIncoherent();
        }

        return new SharedMemoryDistributedCache(space, MetricsOf(services, space), ClockOf(services));
    }

    /// <summary>Whether a HybridCache is registered that is not ours, and takes its second level from this service.</summary>
    private static bool IsSecondLevelOfMicrosofts(IServiceProvider services, object? key) =>
        services.GetService<IServiceProviderIsService>()?.IsService(typeof(HybridCache)) == true
        && services.GetService<HybridIsShared>() == null
        && Equals(services.GetService<IOptions<HybridCacheOptions>>()?.Value.DistributedCacheServiceKey, key);

    /// <param name="services">Of what it is made.</param>
    /// <param name="name">Of the options for shared memory.</param>
    /// <param name="key">Of the service, whose text is the name of the options for <see cref="HybridCache"/>; null if it has none.</param>
    internal static HybridCache MakeHybrid(IServiceProvider services, string name, object? key)
    {
        HybridCacheOptions options = services.GetRequiredService<IOptionsMonitor<HybridCacheOptions>>().Get(key?.ToString() ?? Options.DefaultName);
        IDistributedCache? second = options.DistributedCacheServiceKey is { } other
            ? services.GetKeyedService<IDistributedCache>(other)
            : services.GetService<IDistributedCache>();
        if (second is not (null or SharedMemoryDistributedCache or MemoryDistributedCache) && !OptionsOf(services, name).ReplaceDistributedCache)
        {
            throw new InvalidOperationException(
                $"{second.GetType().Name} is registered as IDistributedCache, and HybridCache in shared memory would not use it: with several hosts, they "
                + "would no longer see each other's values. Remove that registration, or UseSharedMemory(). If it is there for others, or all processes run on "
                + $"one host, set {nameof(SharedMemoryCacheOptions.ReplaceDistributedCache)}.");
        }

        CacheSpace space = MakeSpace(services, name, HybridName);
        Serialization serialization = new(services, space.Options.SharesAcrossBuilds);
        return new SharedMemoryHybridCache(space, MetricsOf(services, space, hasFirstLevel: true), serialization, options, ClockOf(services)).Sweeping();
    }

    internal static CacheSpace MakeSpace(IServiceProvider services, string name, string contract)
    {
        SharedMemoryCacheOptions options = OptionsOf(services, name);
        SharedHeap heap = SharedHeap.Acquire(HeapPlace.Of(options, services.GetService<IHostEnvironment>(), name), options);
        CacheSpace space = new(CacheNameOf(contract, name), heap, options, services.GetService<TimeProvider>(), LoggerOf(services));
        services.GetRequiredService<CacheSpaces>().Add(space);
        return space;
    }

    private static SharedMemoryCacheOptions OptionsOf(IServiceProvider services, string name) =>
        services.GetRequiredService<IOptionsMonitor<SharedMemoryCacheOptions>>().Get(name);

    /// <summary>A cache with a key is another one than one without it, also if both lie in the same file.</summary>
    private static string CacheNameOf(string contract, string name)
    {
        string whole = name.Length == 0 ? contract : $"{contract}:{name}";
        byte[] bytes = Encoding.UTF8.GetBytes(whole);
        return bytes.Length <= LongestName ? whole : $"{contract}:\u001f{Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, HashBytes))}";
    }

    /// <param name="services">What has the meters.</param>
    /// <param name="space">What is counted.</param>
    /// <param name="hasFirstLevel">Whether there are objects of this process as well.</param>
    internal static CacheMetrics MetricsOf(IServiceProvider services, CacheSpace space, bool hasFirstLevel = false) =>
        new(services.GetService<IMeterFactory>(), space, hasFirstLevel);

    internal static TimeProvider ClockOf(IServiceProvider services) => services.GetService<TimeProvider>() ?? TimeProvider.System;

    internal static ILogger LoggerOf(IServiceProvider services) =>
        services.GetService<ILoggerFactory>()?.CreateLogger("ShmAlloc.Extensions.Caching") ?? NullLogger.Instance;

    private static void TellOfFallback(IServiceProvider services) => new CacheLog(LoggerOf(services)).FellBack();
}
