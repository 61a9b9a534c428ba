using System.Diagnostics;
using PathCache.Sharing;
using ShmAlloc;

namespace PathCache.Workers;

/// <summary>A worker that was killed on purpose.</summary>
/// <param name="Worker">Its number, from 0.</param>
/// <param name="ProcessId">Its process.</param>
/// <param name="AfterLookups">How far it had come.</param>
/// <param name="Recovered">How many dead participants the parent recovered right afterwards.</param>
/// <param name="OthersWorking">How many workers were still working at that moment.</param>
internal sealed record KilledWorker(int Worker, int ProcessId, long AfterLookups, int Recovered, int OthersWorking);

/// <summary>What a phase gave.</summary>
/// <param name="Elapsed">From the common start to the last answer of the last worker.</param>
/// <param name="Scores">Of each worker.</param>
/// <param name="Killed">Who was killed, if that was asked for.</param>
/// <param name="Failures">What went wrong with workers.</param>
internal sealed record PhaseResult(TimeSpan Elapsed, IReadOnlyList<WorkerScore> Scores, KilledWorker? Killed, IReadOnlyList<string> Failures)
{
    public long Lookups => Scores.Sum(score => score.Lookups);

    public double LookupsPerSecond => Lookups / Elapsed.TotalSeconds;
}

/// <summary>All workers walk the whole list once, started at the same moment: either sharing, or each on its own.</summary>
internal sealed class Phase : IDisposable
{
    private static readonly TimeSpan StallLimit = TimeSpan.FromSeconds(60);

    private readonly ShmHeap _heap;
    private readonly Scoreboard _scores;
    private readonly List<WorkerProcess> _workers = [];
    private readonly List<string> _failures = [];
    private readonly int? _victim;
    private readonly long _killAfter;
    private KilledWorker? _killed;

    /// <summary>Starts the workers; they wait until <see cref="Run"/>.</summary>
    /// <param name="heap">The heap, which holds list and index.</param>
    /// <param name="options">How many workers, and the seed.</param>
    /// <param name="paths">Length of the list.</param>
    /// <param name="sharing">Whether they share.</param>
    public Phase(ShmHeap heap, DemoOptions options, int paths, bool sharing)
    {
        _heap = heap;
        _scores = Scoreboard.Create(heap, sharing ? SharedRoot.ScoresTogether : SharedRoot.ScoresAlone, options.Workers);
        if (sharing && options.Kill)
        {
            // Not from the seed: the moment is random anyway, and another victim each time shows more.
            _victim = Random.Shared.Next(options.Workers);
            _killAfter = 1 + (long)(paths * (0.1 + (0.5 * Random.Shared.NextDouble())));
        }

        for (int number = 0; number < options.Workers; number++)
        {
            _workers.Add(WorkerProcess.Start(new WorkerOrder(heap.Path, number, unchecked((options.Seed * 31) + number), sharing, number == _victim)));
        }
    }

    /// <summary>Lets the workers go and waits until all are through.</summary>
    /// <param name="progress">Hears how many lookups there were so far, of all workers.</param>
    /// <param name="cancellation">Ends it.</param>
    public PhaseResult Run(Action<long> progress, CancellationToken cancellation)
    {
        foreach (WorkerProcess worker in _workers.Where(worker => !worker.WaitUntilReady(cancellation)))
        {
            _failures.Add(worker.HasExited ? worker.End()! : $"Worker {worker.Number + 1} (process {worker.Id}) did not get ready.");
        }

        if (_failures.Count > 0)
        {
            return Result(TimeSpan.Zero);
        }

        long start = Stopwatch.GetTimestamp();
        _workers.ForEach(worker => worker.Go());
        if (Watch(progress, cancellation))
        {
            // Who was killed on purpose did not fail.
            _failures.AddRange(_workers.Where(worker => worker.Number != _killed?.Worker).Select(worker => worker.End()).OfType<string>());
        }

        long end = Enumerable.Range(0, _workers.Count).Max(worker => _scores.Read(worker).FinishedAt);
        return Result(Stopwatch.GetElapsedTime(start, Math.Max(end, start + 1)));
    }

    public void Dispose() => _workers.ForEach(worker => worker.Dispose());

    private PhaseResult Result(TimeSpan elapsed) =>
        new(elapsed, [.. Enumerable.Range(0, _workers.Count).Select(_scores.Read)], _killed, _failures);

    /// <returns>Whether all workers have ended.</returns>
    private bool Watch(Action<long> progress, CancellationToken cancellation)
    {
        long before = -1;
        long lastMove = Stopwatch.GetTimestamp();
        while (_workers.Exists(worker => !worker.HasExited))
        {
            cancellation.ThrowIfCancellationRequested();
            long lookups = Enumerable.Range(0, _workers.Count).Sum(_scores.Lookups);
            progress(lookups);
            if (lookups != before)
            {
                before = lookups;
                lastMove = Stopwatch.GetTimestamp();
            }
            else if (Stopwatch.GetElapsedTime(lastMove) > StallLimit)
            {
                _failures.Add($"No worker answered anything for {StallLimit.TotalSeconds} seconds.");
                return false;
            }

            KillVictimWhenItIsTime();
            cancellation.WaitHandle.WaitOne(_victim != null && _killed == null ? 1 : 20);
        }

        return true;
    }

    private void KillVictimWhenItIsTime()
    {
        if (_victim is not { } victim || _killed != null || _scores.Lookups(victim) < _killAfter)
        {
            return;
        }

        int othersWorking = Enumerable.Range(0, _workers.Count).Count(worker => worker != victim && _scores.Read(worker).FinishedAt == 0);
        _workers[victim].Kill();
        _killed = new KilledWorker(victim, _workers[victim].Id, _scores.Lookups(victim), _heap.RecoverDead(), othersWorking);
    }
}
