using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using ShmAlloc.Caching;
using ShmAlloc.Extensions.Caching.Diagnostics;
using ShmAlloc.Extensions.Caching.Distributed;
using ShmAlloc.Extensions.Caching.Heaps;
using ShmAlloc.Extensions.Caching.Registration;

namespace ShmAlloc.FusionCache;

/// <summary>What all parts of all FusionCaches of a service provider have in shared memory, apart from what came in through other contracts.</summary>
internal sealed class FusionSpace : IDisposable
{
    internal const string Contract = "fusion";

    private readonly CacheKeys _keys;

    internal FusionSpace(IServiceProvider services)
    {
        Space = CacheFactory.MakeSpace(services, Options.DefaultName, Contract);
        Metrics = CacheFactory.MetricsOf(services, Space);
        Clock = CacheFactory.ClockOf(services);
        _keys = new CacheKeys(Space.Options);
    }

    internal CacheSpace Space { get; }

    internal CacheMetrics Metrics { get; }

    internal TimeProvider Clock { get; }

    /// <summary>The cache; null while there is none.</summary>
    internal SharedCache? Current => Space.Current;

    /// <summary>The key of a thing.</summary>
    /// <param name="part">What kind of thing: one letter.</param>
    /// <param name="owner">The cache or the channel that it belongs to.</param>
    /// <param name="name">Its name among these.</param>
    internal string KeyOf(char part, string owner, string name) => _keys.Of($"{part}{owner.Length}\u001f{owner}{name}");

    public void Dispose()
    {
        Metrics.Dispose();
        Space.Dispose();
    }

    internal static FusionSpace Of(IServiceProvider services) => services.GetRequiredService<FusionSpace>();
}
