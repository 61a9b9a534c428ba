using Microsoft.AspNetCore.OutputCaching;
using Microsoft.Extensions.DependencyInjection.Extensions;
using ShmAlloc.AspNetCore.OutputCaching;
using ShmAlloc.Extensions.Caching;
using ShmAlloc.Extensions.Caching.Heaps;
using ShmAlloc.Extensions.Caching.Registration;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the output cache in shared memory.</summary>
public static class SharedMemoryOutputCacheServiceCollectionExtensions
{
    /// <summary>
    /// Puts the output cache into memory that all processes of this application on this host share, without a server. Policies are configured with
    /// <c>AddOutputCache</c>, before or after; <c>UseOutputCache</c> is needed as ever.
    /// </summary>
    /// <param name="services">Where to register it.</param>
    /// <param name="configure">Where it lies and how large it is; by default an own place for this application.</param>
    /// <returns><paramref name="services"/>.</returns>
    /// <remarks>
    /// If no <see cref="SharedMemoryCacheOptions.Generation"/> is given, a new build of the application does not find the pages of the one before. On a
    /// platform without shared memory (this is Linux's) ASP.NET Core's own store stays, in the memory of the process.
    /// </remarks>
    /// <example>
    /// <code>
    /// builder.Services.AddSharedMemoryOutputCache(options => options.MaximumSizeBytes = 512L &lt;&lt; 20);
    /// builder.Services.AddOutputCache(options => options.AddBasePolicy(policy => policy.Expire(TimeSpan.FromMinutes(5))));
    /// </code>
    /// </example>
    public static IServiceCollection AddSharedMemoryOutputCache(this IServiceCollection services, Action<SharedMemoryCacheOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddOptions();
        services.AddOutputCache();
        if (SharedMemoryCacheOptions.IsSupported)
        {
            services.AddSharedMemoryCore(
                Options.Options.DefaultName, SharedMemoryOutputCacheStore.Contract, configure, provider => provider.GetService<IOutputCacheStore>());
            services.Replace(ServiceDescriptor.Singleton<IOutputCacheStore>(MakeStore));
        }

        return services;
    }

    private static SharedMemoryOutputCacheStore MakeStore(IServiceProvider services)
    {
        CacheSpace space = CacheFactory.MakeSpace(services, Options.Options.DefaultName, SharedMemoryOutputCacheStore.Contract);
        return new SharedMemoryOutputCacheStore(space, CacheFactory.MetricsOf(services, space), ApplicationBuild.Current);
    }
}
