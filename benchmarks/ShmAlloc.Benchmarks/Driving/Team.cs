using System.Globalization;
using System.Runtime;

namespace ShmAlloc.Benchmarks.Driving;

/// <summary>The threads of one driver. They stay for all rounds, as the threads of a server would, and until the process ends.</summary>
internal sealed class Team<TSubject>
    where TSubject : struct, ISubject
{
    private readonly Parameters _parameters;
    private readonly Pattern _pattern;
    private readonly Worker[] _workers;
    private readonly object _gate = new();
    private long _operations;
    private int _round;
    private int _working;

    internal Team(Parameters parameters, Coordination coordination)
    {
        _parameters = parameters;
        _pattern = Patterns<TSubject>.Find(parameters.Pattern);
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
        return string.Create(
            CultureInfo.InvariantCulture,
            $"wall {wall:F4} cpu {cpu:F4} failures {_workers.Sum(worker => worker.Failures)} compiled {JitInfo.GetCompiledMethodCount()}");
    }

    internal string Fill()
    {
        (long count, long bytes, long rounded) = Patterns<TSubject>.FillUntilFull(_workers[0]);
        return string.Create(CultureInfo.InvariantCulture, $"count {count} bytes {bytes} rounded {rounded}");
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
                while (_round < round)
                {
                    Monitor.Wait(_gate);
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
