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
        services.AddSharedMemoryCore(
            Options.Options.DefaultName, CacheFactory.DistributedName, configure, provider => provider.GetService<IDistributedCache>());
        services.Replace(ServiceDescriptor.Singleton(provider => CacheFactory.MakeDistributed(provider, Options.Options.DefaultName, null)));
        return services;
    }

    /// <summary>Registers a further <see cref="IDistributedCache"/> under a key, with entries and a place of its own.</summary>
    /// <param name="services">Where to register it.</param>
    /// <param name="serviceKey">
    /// The key of the service. If it is a text, that is the name of its options; its file has a name of its own as well, if none is given.
    /// </param>
    /// <param name="configure">Where it lies and how large it is.</param>
    /// <returns><paramref name="services"/>.</returns>
    /// <exception cref="ArgumentException">Another key, of the same type, has the same text.</exception>
    public static IServiceCollection AddKeyedDistributedSharedMemoryCache(
        this IServiceCollection services, object serviceKey, Action<SharedMemoryCacheOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(serviceKey);
        string name = CoreRegistration.NameOf(services, serviceKey, typeof(IDistributedCache));
        services.AddSharedMemoryCore(
            name, CacheFactory.DistributedName, configure, provider => provider.GetKeyedService<IDistributedCache>(serviceKey));
        services.AddKeyedSingleton(serviceKey, (provider, _) => CacheFactory.MakeDistributed(provider, name, serviceKey));
        return services;
    }

    /// <summary>
    /// Puts <see cref="HybridCache"/> into shared memory: one factory runs for all processes of the host, and a removal counts in all of them at once, also
    /// in the objects that each of them keeps.
    /// </summary>
    /// <param name="builder">
    /// What <c>AddHybridCache</c> returns, or <c>AddKeyedHybridCache</c>: right after that, for a builder does not say which key it is of. Its serializers and
    /// limits count; with a key, the limits of the options that have its text for their name, as they do by default.
    /// </param>
    /// <param name="configure">Where it lies and how large it is; by default an own place for this application.</param>
    /// <returns><paramref name="builder"/>.</returns>
    /// <exception cref="InvalidOperationException">
    /// When the cache is made: an <see cref="IDistributedCache"/> is registered that would have been its second level, such as Redis. See
    /// <see cref="SharedMemoryCacheOptions.ReplaceDistributedCache"/>.
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

        // Microsoft's that was added last, and is not replaced yet.
        object? key = builder.Services.LastOrDefault(IsMicrosofts) is { IsKeyedService: true } keyed ? keyed.ServiceKey : null;
        if (key == null)
        {
            builder.Services.AddSharedMemoryCore(
                Options.Options.DefaultName, CacheFactory.HybridName, configure, provider => provider.GetService<HybridCache>());
            builder.Services.Replace(ServiceDescriptor.Singleton(provider => CacheFactory.MakeHybrid(provider, Options.Options.DefaultName, null)));
            builder.Services.TryAddSingleton<HybridIsShared>();
        }
        else
        {
            string name = CoreRegistration.NameOf(builder.Services, key, typeof(HybridCache));
            builder.Services.AddSharedMemoryCore(name, CacheFactory.HybridName, configure, provider => provider.GetKeyedService<HybridCache>(key));
            builder.Services.Replace(ServiceDescriptor.KeyedSingleton(key, (provider, _) => CacheFactory.MakeHybrid(provider, name, key)));
        }

        return builder;
    }

    private static bool IsMicrosofts(ServiceDescriptor service)
    {
        if (service.ServiceType != typeof(HybridCache))
        {
            return false;
        }

        Type? made = service.IsKeyedService ? service.KeyedImplementationType : service.ImplementationType;
        Delegate? factory = service.IsKeyedService ? service.KeyedImplementationFactory : service.ImplementationFactory;
        return made?.Assembly == typeof(HybridCacheOptions).Assembly || factory?.Method.Module.Assembly == typeof(HybridCacheOptions).Assembly;
    }

    /// <summary>
    /// The same without <c>AddHybridCache</c>, for programs that are trimmed or compiled ahead of time: nothing refers to a serializer that needs reflection.
    /// Texts and bytes can be cached as they are; for other types add serializers, such as one over a source-generated <c>JsonSerializerContext</c>.
    /// </summary>
    /// <param name="services">Where to register it.</param>
    /// <param name="configure">Where it lies and how large it is; by default an own place for this application.</param>
    /// <returns>For <c>AddSerializer</c> and <c>AddSerializerFactory</c>.</returns>
    /// <remarks>On a platform without shared memory (this is Linux's) it registers Microsoft's, in the memory of the process.</remarks>
    /// <example><code>builder.Services.AddSharedMemoryHybridCache().AddSerializer(new PriceSerializer());</code></example>
    public static IHybridCacheBuilder AddSharedMemoryHybridCache(this IServiceCollection services, Action<SharedMemoryCacheOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);

        // Asked in this way, the trimmer of a program for Linux knows the answer, and drops the branch, which refers to a serializer that needs reflection.
        return OperatingSystem.IsLinux() ? new HybridCacheBuilder(services).UseSharedMemory(configure) : AddInProcess(services);
    }

    /// <summary>What stands for it on other platforms.</summary>
    internal static IHybridCacheBuilder AddInProcess(IServiceCollection services) => services.AddHybridCache();

    private sealed class HybridCacheBuilder(IServiceCollection services) : IHybridCacheBuilder
    {
        public IServiceCollection Services => services;
    }
}
