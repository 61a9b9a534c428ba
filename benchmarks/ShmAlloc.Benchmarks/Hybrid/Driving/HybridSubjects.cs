using System.Reflection;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;
using ShmAlloc.Extensions.Caching;
using ZiggyCreatures.Caching.Fusion;
using ZiggyCreatures.Caching.Fusion.Serialization.SystemTextJson;

namespace ShmAlloc.Benchmarks.Hybrid.Driving;

/// <summary>Makes the caches as an application registers them.</summary>
internal static class HybridSubjects
{
    internal const string Ours = "ours";
    internal const string Microsoft = "microsoft";
    internal const string MicrosoftRedis = "microsoft+redis";
    internal const string Fusion = "fusion";
    internal const string Memory = "memory";
    internal const string Redis = "redis";

    /// <summary>Room for all keys of all kinds; the file grows as far as it must.</summary>
    private const long HeapBytes = 1L << 30;

    /// <param name="subject">Whose.</param>
    /// <param name="path">The file in shared memory.</param>
    /// <param name="port">Where Redis listens.</param>
    internal static ServiceProvider Make(string subject, string path, int port)
    {
        ServiceCollection services = new();
        services.AddLogging();
        void AddRedis() => services.AddStackExchangeRedisCache(options => options.Configuration = $"127.0.0.1:{port}");
        void Place(SharedMemoryCacheOptions options) => (options.Path, options.MaximumSizeBytes) = (path, HeapBytes);
        switch (subject)
        {
            case Ours:
                services.AddHybridCache().UseSharedMemory(Place);
                services.AddDistributedSharedMemoryCache(Place);
                break;
            case Microsoft:
                services.AddHybridCache();
                break;
            case MicrosoftRedis:
                AddRedis();
                services.AddHybridCache();
                break;
            case Fusion:
                services.AddFusionCache().WithSerializer(new FusionCacheSystemTextJsonSerializer());
                break;
            case Memory:
                services.AddDistributedMemoryCache();
                break;
            case Redis:
                AddRedis();
                break;
            default:
                throw new ArgumentException($"There is no subject '{subject}'.");
        }

        return services.BuildServiceProvider();
    }

    /// <summary>The package, and its version.</summary>
    internal static string VersionOf(string subject) => subject switch
    {
        Ours => Describe(typeof(SharedMemoryCacheOptions)),
        Microsoft => Describe(typeof(HybridCacheServiceExtensions)),
        MicrosoftRedis => $"{Describe(typeof(HybridCacheServiceExtensions))}; {Describe(typeof(global::Microsoft.Extensions.Caching.StackExchangeRedis.RedisCache))}",
        Fusion => Describe(typeof(FusionCache)),
        Memory => Describe(typeof(global::Microsoft.Extensions.Caching.Memory.MemoryCache)),
        _ => $"{Describe(typeof(global::Microsoft.Extensions.Caching.StackExchangeRedis.RedisCache))}; {Describe(typeof(StackExchange.Redis.IDatabase))}",
    };

    /// <param name="services">The subject's.</param>
    /// <param name="operation">A name of <see cref="Measuring.HybridWorkload"/>.</param>
    internal static IHits HitsOf(IServiceProvider services, string operation)
    {
        if (services.GetService<IFusionCache>() is { } fusion)
        {
            return operation switch
            {
                "shared" => new FusionHits<SharedObject>(fusion, Values.SharedOf, value => value.Index, clones: false),
                "mutable" => new FusionHits<MutableObject>(fusion, Values.MutableOf, value => value.Index, clones: true),
                _ => new FusionHits<string>(fusion, Values.TextOf, IndexOf, clones: false),
            };
        }

        return operation switch
        {
            "get" or "set" => new DistributedCalls(services.GetRequiredService<IDistributedCache>(), operation == "set"),
            "shared" => new HybridHits<SharedObject>(HybridOf(services), Values.SharedOf, value => value.Index, hasSpans: false),
            "mutable" => new HybridHits<MutableObject>(HybridOf(services), Values.MutableOf, value => value.Index, hasSpans: false),
            _ => new HybridHits<string>(HybridOf(services), Values.TextOf, IndexOf, hasSpans: operation == "span"),
        };
    }

    private static HybridCache HybridOf(IServiceProvider services) => services.GetRequiredService<HybridCache>();

    /// <summary>The digits before the space.</summary>
    private static uint IndexOf(string text)
    {
        uint index = 0;
        foreach (char digit in text)
        {
            if (digit == ' ')
            {
                break;
            }

            index = (index * 10) + digit - '0';
        }

        return index;
    }

    private static string Describe(Type type)
    {
        Assembly assembly = type.Assembly;
        string version = assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "";
        return $"{assembly.GetName().Name} {version}";
    }
}
