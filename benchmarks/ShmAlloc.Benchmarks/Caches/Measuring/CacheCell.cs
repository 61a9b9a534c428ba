using System.Globalization;
using ShmAlloc.Benchmarks.Measuring;

namespace ShmAlloc.Benchmarks.Caches.Measuring;

/// <summary>One cache, filled with a data set, with its processes and its server: for all workloads on that data set.</summary>
internal sealed class CacheCell : Cell
{
    private readonly Place _place = new();
    private readonly List<DriverProcess> _drivers = [];
    private readonly DataSet _data;
    private readonly Server? _server;
    private IReadOnlyList<DriverProcess> _workers = [];
    private int _meetings;

    /// <param name="subject">Which cache.</param>
    /// <param name="data">What it is to be filled with.</param>
    /// <param name="processes">How many drivers there are; a workload may need fewer.</param>
    internal CacheCell(CacheSubject subject, DataSet data, int processes)
    {
        Subject = subject;
        _data = data;
        try
        {
            _server = subject.Server is { } kind ? new Server(kind, data) : null;
            for (int process = 0; process < processes; process++)
            {
                _drivers.Add(StartDriver());
                string[] answer = _drivers[^1].Hear().Split(' ', 2);
                Version = answer[0] == "ready" ? answer[1] : throw new BenchmarkException(answer[1]);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    internal CacheSubject Subject { get; }

    internal string Version { get; } = "";

    /// <summary>How many processes can work.</summary>
    internal int Processes => _drivers.Count;

    /// <summary>The server's number among the processes, if there is one.</summary>
    internal int? ServerProcess => _server?.ProcessId;

    /// <summary>Whether it failed, so that nothing can be asked of it any more.</summary>
    internal bool IsBroken { get; set; }

    protected override IReadOnlyList<DriverProcess> Workers => _workers;

    /// <summary>Sets all keys: one process does so for all that see them.</summary>
    internal void Load()
    {
        foreach (DriverProcess driver in Subject.IsPrivate ? _drivers : _drivers.Take(1))
        {
            driver.Tell("load");
            driver.Expect("loaded", $"loading {_data}");
        }
    }

    /// <summary>Binds each process, as far as it has one thread, to a processor of its own, if there are enough.</summary>
    internal void Bind()
    {
        for (int process = 0; process < _drivers.Count; process++)
        {
            _drivers[process].Tell($"bind {process}");
            _drivers[process].Expect("bound", "being bound to a processor");
        }
    }

    /// <summary>Prepares a workload, which the rounds from now on belong to.</summary>
    /// <param name="workload">The workload.</param>
    /// <param name="first">The first of the processes that work.</param>
    internal void Take(CacheWorkload workload, int first = 0)
    {
        string coordination = _place.NewCoordination($"meet{_meetings++}");
        _workers = [.. _drivers.Skip(first).Take(workload.Processes)];
        for (int process = 0; process < _workers.Count; process++)
        {
            _workers[process].Tell(string.Create(
                CultureInfo.InvariantCulture,
                $"take {workload.Distribution} {workload.Operation.SetPercent} {workload.Threads} {process} {workload.Processes} {coordination}"));
        }

        foreach (DriverProcess worker in _workers)
        {
            worker.Expect("prepared", $"{workload.Title}, {workload.Variant}");
        }
    }

    public override void Dispose()
    {
        _drivers.ForEach(driver => driver.Dispose());
        _server?.Dispose();
        _place.Dispose();
    }

    private DriverProcess StartDriver() => new(
        Subject.Name,
        DriverProcess.OfThisProgram(
            "cache-driver",
            $"subject={Subject.DriverName}",
            $"keys={_data.Keys}",
            $"value={_data.ValueBytes}",
            $"path={_place.Heap}",
            $"port={_server?.Port ?? 0}"));
}
