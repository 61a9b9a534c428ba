using System.Globalization;
using ShmAlloc.Benchmarks.Caches.Measuring;
using ShmAlloc.Benchmarks.Measuring;

namespace ShmAlloc.Benchmarks.Hybrid.Measuring;

/// <summary>One cache in a process of its own, with its server, for all workloads.</summary>
internal sealed class HybridCell : Cell
{
    private readonly Place _place = new();
    private readonly Server? _server;
    private readonly DriverProcess? _driver;

    internal HybridCell(HybridSubject subject)
    {
        Subject = subject;
        try
        {
            _server = subject.NeedsRedis ? new Server(ServerKind.Redis, new DataSet(0, 0)) : null;
            _driver = new DriverProcess(
                subject.Name,
                DriverProcess.OfThisProgram(
                    "hybrid-driver", subject.DriverName, _place.Heap, $"{_server?.Port ?? 0}", _place.NewCoordination("meet")));
            string[] answer = _driver.Hear().Split(' ', 2);
            Version = answer[0] == "ready" ? answer[1] : throw new BenchmarkException(string.Join(' ', answer));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    internal HybridSubject Subject { get; }

    internal string Version { get; }

    internal int? ServerProcess => _server?.ProcessId;

    protected override IReadOnlyList<DriverProcess> Workers => [_driver!];

    /// <summary>Calls come in whole batches.</summary>
    protected override long Granularity => 256;

    internal void Take(HybridWorkload workload)
    {
        _driver!.Tell(string.Create(CultureInfo.InvariantCulture, $"take {workload.Operation} {workload.Keys} {workload.Distribution}"));
        _driver.Expect("prepared", $"{workload.Title}, {workload.Variant}");
    }

    public override void Dispose()
    {
        _driver?.Dispose();
        _server?.Dispose();
        _place.Dispose();
    }
}
