using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Workers.Serving;

/// <summary>What the meter of the package says in this process: what an exporter of OpenTelemetry would send away.</summary>
internal sealed class Figures : IDisposable
{
    private const string Meter = "ShmAlloc.Caching";

    /// <summary>The cache that is looked at, of those that the meter knows: the tag dotnet.cache.name.</summary>
    private const string Cache = "hybrid";

    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<string, double> _sums = [];

    public Figures()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == Meter)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Take(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Take(instrument, value, tags));
        _listener.Start();
    }

    /// <summary>Each instrument, and its tags, with its sum or its state.</summary>
    public IReadOnlyDictionary<string, double> Read()
    {
        _listener.RecordObservableInstruments();
        return new SortedDictionary<string, double>(_sums, StringComparer.Ordinal);
    }

    public void Dispose() => _listener.Dispose();

    private void Take(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        string name = instrument.Name;
        bool isOurs = false;
        foreach ((string key, object? content) in tags)
        {
            isOurs |= key == "dotnet.cache.name" && content?.ToString() == Cache;
            name = key == "dotnet.cache.name" ? name : $"{name} {content}";
        }

        if (isOurs)
        {
            // Those that are asked tell their state; the others tell each change.
            _sums.AddOrUpdate(name, value, (_, sum) => instrument.IsObservable ? value : sum + value);
        }
    }
}
