using Microsoft.Extensions.DependencyInjection.Extensions;
using ShmAlloc.Extensions.Caching;
using ShmAlloc.Extensions.Caching.Registration;
using ShmAlloc.FusionCache;
using ZiggyCreatures.Caching.Fusion;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Puts parts of a FusionCache into shared memory.</summary>
public static class SharedMemoryFusionCacheBuilderExtensions
{
    /// <summary>
    /// Gives a FusionCache its second level, its backplane and its distributed locker in memory that all processes of this application on this host share,
    /// without a server.
    /// </summary>
    /// <param name="builder">What <c>AddFusionCache</c> returns. It needs a serializer, as for every second level.</param>
    /// <param name="configure">Where it lies and how large it is; by default an own place for this application.</param>
    /// <returns><paramref name="builder"/>.</returns>
    /// <remarks>
    /// FusionCaches of the same name share their entries. On a platform without shared memory (this is Linux's) FusionCache stays with its first level, in the
    /// memory of the process.
    /// </remarks>
    /// <example>
    /// <code>
    /// builder.Services.AddFusionCache()
    ///     .WithSerializer(new FusionCacheSystemTextJsonSerializer())
    ///     .WithSharedMemory(options => options.MaximumSizeBytes = 512L &lt;&lt; 20);
    /// </code>
    /// </example>
    public static IFusionCacheBuilder WithSharedMemory(this IFusionCacheBuilder builder, Action<SharedMemoryCacheOptions>? configure = null) =>
        builder.WithSharedMemorySecondLevel(configure).WithSharedMemoryBackplane().WithSharedMemoryLocker();

    /// <summary>The second level alone.</summary>
    /// <param name="builder">What <c>AddFusionCache</c> returns. It needs a serializer.</param>
    /// <param name="configure">Where it lies and how large it is; by default an own place for this application.</param>
    /// <returns><paramref name="builder"/>.</returns>
    public static IFusionCacheBuilder WithSharedMemorySecondLevel(this IFusionCacheBuilder builder, Action<SharedMemoryCacheOptions>? configure = null) =>
        builder.TryAddSpace(configure) ? builder.WithDistributedCache(services => new SecondLevel(FusionSpace.Of(services), builder.CacheName)) : builder;

    /// <summary>
    /// The backplane alone: what one process sets or removes, the others learn within milliseconds. A process that has missed messages clears its first level.
    /// </summary>
    /// <param name="builder">What <c>AddFusionCache</c> returns.</param>
    /// <param name="configure">Where it lies and how large it is; by default an own place for this application.</param>
    /// <returns><paramref name="builder"/>.</returns>
    public static IFusionCacheBuilder WithSharedMemoryBackplane(this IFusionCacheBuilder builder, Action<SharedMemoryCacheOptions>? configure = null)
    {
        if (!builder.TryAddSpace(configure))
        {
            return builder;
        }

        // The same object is the backplane and the plugin of one cache.
        object own = new();
        builder.Services.AddKeyedSingleton(own, (services, _) => new Backplane(FusionSpace.Of(services), CacheFactory.LoggerOf(services)));
        return builder
            .WithBackplane(services => services.GetRequiredKeyedService<Backplane>(own))
            .WithPlugin(services => services.GetRequiredKeyedService<Backplane>(own));
    }

    /// <summary>
    /// The distributed locker alone: of all processes, one runs the factory of a key. If it dies, the next one does; if it takes longer than 30 seconds,
    /// another one may run its own.
    /// </summary>
    /// <param name="builder">What <c>AddFusionCache</c> returns.</param>
    /// <param name="configure">Where it lies and how large it is; by default an own place for this application.</param>
    /// <returns><paramref name="builder"/>.</returns>
    public static IFusionCacheBuilder WithSharedMemoryLocker(this IFusionCacheBuilder builder, Action<SharedMemoryCacheOptions>? configure = null) =>
        builder.TryAddSpace(configure) ? builder.WithDistributedLocker(services => new Locker(FusionSpace.Of(services))) : builder;

    private static bool TryAddSpace(this IFusionCacheBuilder builder, Action<SharedMemoryCacheOptions>? configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (!SharedMemoryCacheOptions.IsSupported)
        {
            return false;
        }

        builder.Services.AddSharedMemoryCore(Options.Options.DefaultName, FusionSpace.Contract, configure, services => services.GetService<FusionSpace>());
        builder.Services.TryAddSingleton(services => new FusionSpace(services));
        return true;
    }
}
