using System.Diagnostics;
using System.Runtime.InteropServices;
using PathCache.Files;
using PathCache.Sharing;
using ShmAlloc;
using ShmAlloc.Caching;

namespace PathCache.Workers;

/// <summary>How one worker is to work; it travels as the arguments of the hidden command <c>worker</c>.</summary>
/// <param name="HeapPath">The heap.</param>
/// <param name="Number">Which worker this is, from 0.</param>
/// <param name="Seed">Decides the order in which it walks.</param>
/// <param name="Sharing">Whether it looks up and leaves answers, or works everything out.</param>
/// <param name="Endless">Whether it begins again when it is through: it is going to be killed.</param>
internal sealed record WorkerOrder(string HeapPath, int Number, int Seed, bool Sharing, bool Endless);

/// <summary>The work of a worker process: says "ready", waits for a line, walks all paths in its own order, and writes its score.</summary>
internal sealed unsafe class WorkerRun
{
    public const string Ready = "ready";

    private const int OrphanExitCode = 3;

    private readonly WorkerOrder _order;
    private readonly PathList _paths;
    private readonly AnswerCache _cache;
    private readonly WorkerScore* _score;
    private readonly byte[] _buffer = new byte[FileSystem.HashedBytes];
    private readonly Latencies _hitTimes;
    private readonly Latencies _missTimes;

    private WorkerRun(WorkerOrder order, ShmHeap heap)
    {
        _order = order;
        _paths = SharedPaths.Load(heap);
        _cache = AnswerCache.Open(heap);
        _score = Scoreboard.Open(heap, order.Sharing ? SharedRoot.ScoresTogether : SharedRoot.ScoresAlone).Of(order.Number);
        _hitTimes = new Latencies(_paths.Count);
        _missTimes = new Latencies(_paths.Count);
    }

    public static int Run(WorkerOrder order)
    {
        // Ctrl-C reaches all processes of the terminal. The parent decides what it means, and ends us; or closes our input by ending itself.
        using var ignored = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => context.Cancel = true);
        using ShmHeap heap = ShmHeap.Attach(order.HeapPath);
        var run = new WorkerRun(order, heap);
        int[] sequence = [.. Enumerable.Range(0, run._paths.Count)];
        new Random(order.Seed).Shuffle(sequence);

        run.Rehearse(heap);
        Console.WriteLine(Ready);
        if (Console.ReadLine() == null)
        {
            return OrphanExitCode;
        }

        new Thread(EndWithParent) { IsBackground = true }.Start();
        do
        {
            run.Walk(sequence);
        }
        while (order.Endless);
        run.Finish();
        GC.KeepAlive(heap);
        return 0;
    }

    private static void EndWithParent()
    {
        while (Console.ReadLine() != null)
        {
        }

        Environment.Exit(OrphanExitCode);
    }

    /// <summary>Does everything once, so that the measured walk does not begin with compiling the code for it. Leaves nothing behind.</summary>
    private void Rehearse(ShmHeap heap)
    {
        ReadOnlySpan<byte> path = _paths.WithZero(0);
        Answer answer = FileSystem.Ask(path, _buffer);
        AnswerCache.Rehearse(heap, path, answer);
    }

    private void Walk(int[] sequence)
    {
        WorkerScore score = *_score;
        foreach (int index in sequence)
        {
            ReadOnlySpan<byte> path = _paths.WithZero(index);
            long start = Stopwatch.GetTimestamp();
            bool isHit = _order.Sharing ? LookUpOrLeave(path, ref score) : WorkOut(path);
            long nanoseconds = (Stopwatch.GetTimestamp() - start) * (1_000_000_000 / Stopwatch.Frequency);
            (isHit ? _hitTimes : _missTimes).Add(nanoseconds);

            score.Lookups++;
            score.Hits += isHit ? 1 : 0;
            score.Misses += isHit ? 0 : 1;
            Volatile.Write(ref _score->Hits, score.Hits);
            Volatile.Write(ref _score->Misses, score.Misses);
            Volatile.Write(ref _score->LostRaces, score.LostRaces);
            Volatile.Write(ref _score->NoRoom, score.NoRoom);
            Volatile.Write(ref _score->Lookups, score.Lookups);
        }
    }

    /// <summary>The point of it all: first look, and only then work.</summary>
    private bool LookUpOrLeave(ReadOnlySpan<byte> path, ref WorkerScore score)
    {
        if (_cache.TryFind(path, out _))
        {
            return true;
        }

        CacheStatus status = _cache.Add(path, FileSystem.Ask(path, _buffer));
        score.LostRaces += status == CacheStatus.Exists ? 1 : 0;
        score.NoRoom += status is CacheStatus.Ok or CacheStatus.Exists ? 0 : 1;
        return false;
    }

    private bool WorkOut(ReadOnlySpan<byte> path)
    {
        FileSystem.Ask(path, _buffer);
        return false;
    }

    private void Finish()
    {
        long now = Stopwatch.GetTimestamp();
        Volatile.Write(ref _score->HitNanoseconds, _hitTimes.Median());
        Volatile.Write(ref _score->MissNanoseconds, _missTimes.Median());
        Volatile.Write(ref _score->FinishedAt, now);
    }
}
