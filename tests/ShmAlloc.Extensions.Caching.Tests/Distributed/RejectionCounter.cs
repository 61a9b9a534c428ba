using System.Diagnostics.Metrics;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>Listens to what the caches say that they could not store, in this asynchronous flow only: other tests run meanwhile.</summary>
internal sealed class RejectionCounter : IDisposable
{
    private static readonly AsyncLocal<RejectionCounter?> Here = new();

    private readonly MeterListener _listener = new();
    private readonly List<string> _reasons = [];

    internal RejectionCounter()
    {
        Here.Value = this;
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument is { Meter.Name: "ShmAlloc.Caching", Name: "shmalloc.cache.rejections" })
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((_, _, tags, _) =>
        {
            if (Here.Value == this)
            {
                foreach (var (name, value) in tags)
                {
                    if (name == "reason")
                    {
                        _reasons.Add((string)value!);
                    }
                }
            }
        });
        _listener.Start();
    }

    internal IReadOnlyList<string> Reasons => _reasons;

    public void Dispose() => _listener.Dispose();
}
