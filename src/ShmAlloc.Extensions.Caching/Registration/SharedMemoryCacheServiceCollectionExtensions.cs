using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection.Extensions;
using ShmAlloc.Extensions.Caching;
using ShmAlloc.Extensions.Caching.Registration;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers caches in shared memory.</summary>
public static class SharedMemoryCacheServiceCollectionExtensions
{
    /// <summary>Registers an <see cref="IDistributedCache"/> that all processes of this application on this host share, without a server.</summary>
    /// <param name="services">Where to register it.</param>
    /// <param name="configure">Where it lies and how large it is; by default an own place for this application.</param>
    /// <returns><paramref name="services"/>.</returns>
    /// <remarks>On a platform without shared memory (this is Linux's) it is one in the memory of the process, and a line in the log says so.</remarks>
    /// <example><code>builder.Services.AddDistributedSharedMemoryCache(options => options.MaximumSizeBytes = 512L &lt;&lt; 20);</code></example>
    public static IServiceCollection AddDistributedSharedMemoryCache(this IServiceCollection services, Action<SharedMemoryCacheOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddSharedMemoryCore(Options.Options.DefaultName, configure);
        services.Replace(ServiceDescriptor.Singleton(provider => CacheFactory.MakeDistributed(provider, Options.Options.DefaultName)));
        return services;
    }

    /// <summary>Registers a further <see cref="IDistributedCache"/> under a key, with entries and a place of its own.</summary>
    /// <param name="services">Where to register it.</param>
    /// <param name="serviceKey">The key of the service; its text is the name of its options, and of its file, if none is given.</param>
    /// <param name="configure">Where it lies and how large it is.</param>
    /// <returns><paramref name="services"/>.</returns>
    public static IServiceCollection AddKeyedDistributedSharedMemoryCache(
        this IServiceCollection services, object serviceKey, Action<SharedMemoryCacheOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(serviceKey);
        string name = serviceKey.ToString() ?? "";
        services.AddSharedMemoryCore(name, configure);
        services.AddKeyedSingleton(serviceKey, (provider, _) => CacheFactory.MakeDistributed(provider, name));
        return services;
    }

    /// <summary>
    /// Puts <see cref="HybridCache"/> into shared memory: one factory runs for all processes of the host, and a removal counts in all of them at once, also
    /// in the objects that each of them keeps.
    /// </summary>
    /// <param name="builder">What <c>AddHybridCache</c> returns. Its serializers and limits count.</param>
    /// <param name="configure">Where it lies and how large it is; by default an own place for this application.</param>
    /// <returns><paramref name="builder"/>.</returns>
    /// <exception cref="InvalidOperationException">
    /// When the cache is made: an <see cref="IDistributedCache"/> is registered that would have been its second level, such as Redis.
    /// </exception>
    /// <example><code>builder.Services.AddHybridCache().UseSharedMemory();</code></example>
    public static IHybridCacheBuilder UseSharedMemory(this IHybridCacheBuilder builder, Action<SharedMemoryCacheOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (!SharedMemoryCacheOptions.IsSupported)
        {
            // Microsoft's stays, if it is there.
            return builder;
        }

        builder.Services.AddSharedMemoryCore(Options.Options.DefaultName, configure);
        builder.Services.Replace(ServiceDescriptor.Singleton(CacheFactory.MakeHybrid));
        return builder;
    }

    /// <summary>
    /// The same without <c>AddHybridCache</c>, for programs that are trimmed or compiled ahead of time: nothing refers to a serializer that needs reflection.
    /// Texts and bytes can be cached as they are; for other types add serializers, such as one over a source-generated <c>JsonSerializerContext</c>.
    /// </summary>
    /// <param name="services">Where to register it.</param>
    /// <param name="configure">Where it lies and how large it is; by default an own place for this application.</param>
    /// <returns>For <c>AddSerializer</c> and <c>AddSerializerFactory</c>.</returns>
    /// <example><code>builder.Services.AddSharedMemoryHybridCache().AddSerializer(new PriceSerializer());</code></example>
    public static IHybridCacheBuilder AddSharedMemoryHybridCache(this IServiceCollection services, Action<SharedMemoryCacheOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        return new HybridCacheBuilder(services).UseSharedMemory(configure);
    }

    private sealed class HybridCacheBuilder(IServiceCollection services) : IHybridCacheBuilder
    {
        public IServiceCollection Services => services;
    }
}
