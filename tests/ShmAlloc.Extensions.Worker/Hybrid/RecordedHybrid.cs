using System.Diagnostics.Metrics;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;

namespace ShmAlloc.Extensions.Worker.Hybrid;

/// <summary>The HybridCache of this process, and how often its objects were current: ours, or Microsoft's over the same shared memory, as a control.</summary>
internal sealed class RecordedHybrid : IDisposable
{
    private readonly ServiceProvider _services;
    private readonly MeterListener _listener = new();
    private long _current;

    private RecordedHybrid(Action<IServiceCollection> register)
    {
        ServiceCollection services = [];
        services.AddMetrics();
        services.AddLogging();
        register(services);
        _services = services.BuildServiceProvider();
        Hybrid = _services.GetRequiredService<HybridCache>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == "shmalloc.cache.local.requests")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((_, count, tags, _) =>
        {
            foreach (var tag in tags)
            {
                _current += tag.Value is "current" ? count : 0;
            }
        });
        _listener.Start();
    }

    internal HybridCache Hybrid { get; }

    public void Dispose()
    {
        _listener.Dispose();
        _services.Dispose();
    }

    internal static RecordedHybrid Open(bool isOurs, string heap) => new(services =>
    {
        if (isOurs)
        {
            services.AddHybridCache().UseSharedMemory(options => options.Path = heap);
        }
        else
        {
            services.AddDistributedSharedMemoryCache(options => options.Path = heap);
            services.AddHybridCache();
        }
    });

    /// <summary>How many reads were answered with an object of this process.</summary>
    internal long CurrentObjects()
    {
        _current = 0;
        _listener.RecordObservableInstruments();
        return _current;
    }
}
