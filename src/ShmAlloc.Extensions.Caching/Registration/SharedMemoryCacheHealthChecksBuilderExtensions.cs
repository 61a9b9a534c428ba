using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using ShmAlloc.Extensions.Caching.Diagnostics;
using ShmAlloc.Extensions.Caching.Heaps;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the health check of caches in shared memory.</summary>
public static class SharedMemoryCacheHealthChecksBuilderExtensions
{
    /// <summary>
    /// Looks at all caches in shared memory that the application uses: degraded, if it runs without one because the file cannot be had, if it has no
    /// participant slot and so can only read, if more than nine tenths of the slots are taken, if removed tags have three quarters of what may be pinned, or
    /// if a value could not be stored within the last minute; unhealthy, if the file was deleted or replaced, or its header is damaged. It takes less than
    /// a millisecond with the default number of slots, whatever the size of the file.
    /// </summary>
    /// <param name="builder">Where to register it.</param>
    /// <param name="name">Its name.</param>
    /// <param name="failureStatus">The worst that it may say; by default unhealthy.</param>
    /// <param name="tags">To choose checks by.</param>
    /// <returns><paramref name="builder"/>.</returns>
    /// <example><code>builder.Services.AddHealthChecks().AddSharedMemoryCache();</code></example>
    public static IHealthChecksBuilder AddSharedMemoryCache(
        this IHealthChecksBuilder builder, string name = "shared memory cache", HealthStatus? failureStatus = null, IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.TryAddSingleton<CacheSpaces>();
        return builder.AddCheck<SharedMemoryCacheHealthCheck>(name, failureStatus, tags ?? []);
    }
}
