using System.Globalization;
using ShmAlloc.Benchmarks.Caches.Measuring;
using ShmAlloc.Benchmarks.Measuring;
using ShmAlloc.Benchmarks.Web.Driving;

namespace ShmAlloc.Benchmarks.Web.Measuring;

/// <summary>Three workers with one of the caches, its server, and the backend behind them.</summary>
internal sealed class WebCell : IDisposable
{
    internal const int Workers = 3;

    private readonly Place _place = new();
    private readonly Server? _server;
    private readonly string _truthPath;
    private readonly int _delayMilliseconds;
    private readonly DriverProcess?[] _workers = new DriverProcess?[Workers];
    private readonly int[] _ports = new int[Workers];

    internal WebCell(WebSubject subject, int delayMilliseconds)
    {
        Subject = subject;
        _delayMilliseconds = delayMilliseconds;
        try
        {
            _truthPath = _place.NewCoordination("truth");
            Truth = new Truth(_truthPath);
            _server = subject.NeedsRedis ? new Server(ServerKind.Redis, new DataSet(0, 0)) : null;
            for (int worker = 0; worker < Workers; worker++)
            {
                Start(worker);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    internal WebSubject Subject { get; }

    internal Truth Truth { get; } = null!;

    /// <summary>Where a worker listens now: one that was killed comes back on another port.</summary>
    internal int PortOf(int worker) => Volatile.Read(ref _ports[worker]);

    /// <summary>SIGKILL to a worker, and a new one in its place.</summary>
    internal void Replace(int worker)
    {
        _workers[worker]!.Dispose();
        Start(worker);
    }

    public void Dispose()
    {
        foreach (DriverProcess? worker in _workers)
        {
            worker?.Dispose();
        }

        _server?.Dispose();
        Truth?.Dispose();
        _place.Dispose();
    }

    private void Start(int worker)
    {
        DriverProcess process = new(
            Subject.Name,
            DriverProcess.OfThisProgram("web-worker", Subject.DriverName, _place.Heap, $"{_server?.Port ?? 0}", _truthPath, $"{_delayMilliseconds}"));
        _workers[worker] = process;
        string[] answer = process.Hear().Split(' ');
        Volatile.Write(ref _ports[worker], answer is ["ready", var port] ? int.Parse(port, CultureInfo.InvariantCulture)
            : throw new BenchmarkException($"{Subject.Name}: {string.Join(' ', answer)}"));
    }
}
