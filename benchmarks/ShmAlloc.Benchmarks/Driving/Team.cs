using System.Globalization;
using System.Runtime;

namespace ShmAlloc.Benchmarks.Driving;

/// <summary>The threads of one driver. They stay for all rounds, as the threads of a server would.</summary>
internal sealed class Team : IDisposable
{
    private readonly Parameters _parameters;
    private readonly Pattern _pattern;
    private readonly Worker[] _workers;
    private readonly object _gate = new();
    private long _operations;
    private int _round;
    private int _working;
    private bool _isOver;

    internal Team(Pattern pattern, Parameters parameters, Coordination coordination)
    {
        _parameters = parameters;
        _pattern = pattern;
        int threads = parameters.Threads;
        int first = parameters.Process * threads;
        _workers = [.. Enumerable.Range(first, threads).Select(id => new Worker(id, threads * parameters.Processes, coordination))];
        foreach (Worker worker in _workers.Skip(1))
        {
            new Thread(() => Stay(worker)) { IsBackground = true }.Start();
        }

        Prepare(_workers[0]);
    }

    internal string Run(long operations)
    {
        Begin(operations);
        Work(_workers[0]);
        AwaitOthers();
        double scale = _pattern.Share / ((double)operations * _workers.Length);
        double wall = _workers.Sum(worker => worker.WallNanoseconds) * scale;
        double cpu = _workers.Sum(worker => worker.CpuNanoseconds) * scale;
        double allocated = _workers.Sum(worker => worker.AllocatedBytes) * scale;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"wall {wall:F4} cpu {cpu:F4} failures {_workers.Sum(worker => worker.Failures)} compiled {JitInfo.GetCompiledMethodCount()} "
                + $"allocated {allocated:F4}");
    }

    /// <summary>The worker on the thread that calls.</summary>
    internal Worker First => _workers[0];

    /// <summary>Lets the other threads end.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isOver = true;
            Monitor.PulseAll(_gate);
        }
    }

    private void Begin(long operations)
    {
        lock (_gate)
        {
            _operations = operations;
            _working = _workers.Length - 1;
            _round++;
            Monitor.PulseAll(_gate);
        }
    }

    private void AwaitOthers()
    {
        lock (_gate)
        {
            while (_working != 0)
            {
                Monitor.Wait(_gate);
            }
        }
    }

    private void Stay(Worker worker)
    {
        Prepare(worker);
        for (int round = 1; ; round++)
        {
            lock (_gate)
            {
                while (_round < round && !_isOver)
                {
                    Monitor.Wait(_gate);
                }

                if (_isOver)
                {
                    return;
                }
            }

            Work(worker);
            lock (_gate)
            {
                _working--;
                Monitor.PulseAll(_gate);
            }
        }
    }

    private void Prepare(Worker worker)
    {
        _pattern.Prepare(worker, _parameters);
        worker.Coordination.Meet();
    }

    private void Work(Worker worker)
    {
        worker.Reset();
        _pattern.Run(worker, _parameters, _operations);
    }
}
