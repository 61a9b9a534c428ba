using System.Diagnostics;
using System.Globalization;
using ShmAlloc.ProcessTests.Worker;

namespace ShmAlloc.ProcessTests.Forks;

/// <summary>
/// <c>storm path kills stops seed</c>: four processes allocate in every way, hand over, free, and adopt blocks; they attach, leave, and attach
/// again. In each round a random one is killed at a random instant and another takes its place, or it is stopped, looked at, and goes on. No
/// round begins before all the others have allocated something since the last: so whoever waits for the dead or the stopped is found out.
/// </summary>
internal sealed class StormCommand(string path, int kills, int stops, int seed)
{
    private const int Workers = 4;
    private const int LongestVisitNotes = 40;
    private const int LongestDelayMicroseconds = 4000;
    private const int RehearsedVisits = 50;
    private const uint LongestLifeSeconds = 3600;
    private const long MaximumBytes = 16 << 20;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly Random _random = new(seed);
    private readonly int[] _children = new int[Workers];
    private readonly int[] _generations = new int[Workers];
    private readonly List<string> _faults = [];
    private readonly StormTally _tally = new(Workers);
    private int _started;
    private TimeSpan _longestWait;

    internal static int Run(string[] arguments)
    {
        var numbers = arguments[1..].Select(word => int.Parse(word, CultureInfo.InvariantCulture)).ToArray();
        return numbers is [var kills, var stops, var seed]
            ? new StormCommand(arguments[0], kills, stops, seed).Run()
            : throw new ArgumentException("storm path kills stops seed");
    }

    private int Intents => kills + Workers;

    private int Run()
    {
        var watch = Stopwatch.StartNew();
        using var heap = ShmHeap.Create(path, new ShmHeapOptions
        {
            SizeBytes = stops > 0 ? 2 << 20 : MaximumBytes,
            MaximumSizeBytes = MaximumBytes,
            BlockBytes = 16 << 10,
            MaxParticipants = 8,
        });
        var survivor = heap.Malloc(70_000);
        Contents.Fill(heap, survivor, 70_000, 11);
        var table = LedgerTable.Create(heap, Workers, Intents);

        // In this process first, which thereby compiles all that its children will need.
        for (var visit = 0; visit < RehearsedVisits; visit++)
        {
            Visit(0, table.Offset, 0, _random);
        }

        _tally.Reset();
        for (var worker = 0; worker < Workers; worker++)
        {
            StartWorker(worker, table.Offset);
        }

        var stopsLeft = stops;
        for (var killsLeft = kills; (killsLeft > 0 || stopsLeft > 0) && _faults.Count == 0;)
        {
            var worker = _random.Next(Workers);
            Spin(_random.Next(LongestDelayMicroseconds));
            if (_random.Next(killsLeft + stopsLeft) < killsLeft)
            {
                Replace(worker, table.Offset);
                killsLeft--;
            }
            else
            {
                StopAndLook(heap, worker, stopsLeft-- % 8 == 0);
            }

            _faults.AddRange(heap.Verify().Violations);
        }

        EndAll();
        _faults.AddRange(Examine(heap, table, survivor));
        _faults.AddRange(_tally.Missing().Select(deed => $"nobody did this: {deed}"));
        heap.Dispose();
        Console.WriteLine($"done: {_tally}");
        _faults.ForEach(fault => Console.WriteLine($"fault: {fault}"));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{kills} kills, {stops} stops, {_started} processes, {_tally.Visits} visits, {_tally.Steps} steps in {watch.Elapsed.TotalSeconds:f1} s, "
            + $"longest wait {_longestWait.TotalMilliseconds:f0} ms, {_faults.Count} faults"));
        return _faults.Count == 0 ? 0 : 1;
    }

    private void StartWorker(int worker, ShmOffset table)
    {
        var generation = _generations[worker]++;
        var workerSeed = _random.Next();
        _started++;
        _children[worker] = Child.Start(LongestLifeSeconds, () => Work(worker, table, generation, workerSeed));
    }

    /// <summary>In the child: visits the heap again and again.</summary>
    private void Work(int worker, ShmOffset tableOffset, int generation, int workerSeed)
    {
        for (var random = new Random(workerSeed); ;)
        {
            Visit(worker, tableOffset, generation, random);
        }
    }

    private void Visit(int worker, ShmOffset tableOffset, int generation, Random random)
    {
        using var heap = ShmHeap.Attach(path);
        if (heap.ParticipantSlot == null)
        {
            throw new InvalidOperationException("There is no slot.");
        }

        var churn = new Churn(heap, new LedgerTable(heap, tableOffset, Intents), Workers, worker, generation, random.Next());
        for (var notes = random.Next(LongestVisitNotes); notes >= 0; notes--)
        {
            for (var step = 0; step < StormTally.StepsPerNote; step++)
            {
                churn.Step();
            }

            _tally.Note(worker, churn.Deeds, Adoption.TryAdopt(heap, random));
        }

        _tally.NoteVisit(worker);
    }

    private void Replace(int worker, ShmOffset table)
    {
        Child.Kill(_children[worker]);
        if (Child.End(_children[worker]) is var end and not Child.Killed)
        {
            _faults.Add($"a worker ended with {end} before it was killed");
        }

        StartWorker(worker, table);
        AwaitProgress(except: worker);
    }

    /// <summary>Others ask whether it lives, grow the heap, and search every block for room, while it stands in the middle of something.</summary>
    private void StopAndLook(ShmHeap heap, int worker, bool fill)
    {
        // Whoever was killed before may not be recovered yet: it is not to be mistaken for the one that is stopped.
        heap.RecoverDead();
        if (!Child.Stop(_children[worker]))
        {
            _faults.Add("a worker could not be stopped");
            return;
        }

        if (heap.RecoverDead() != 0)
        {
            _faults.Add("a stopped process was taken for dead");
        }

        heap.Grow(1);
        if (fill)
        {
            _faults.AddRange(Looking.FillAndFree(heap, 200_000, 5000, 700));
        }

        AwaitProgress(except: worker);
        Child.Continue(_children[worker]);
        AwaitProgress(except: -1);
    }

    /// <summary>Nobody may wait for the one that was killed or stopped.</summary>
    private void AwaitProgress(int except)
    {
        var before = Enumerable.Range(0, Workers).Select(_tally.ProgressOf).ToArray();
        var start = Stopwatch.GetTimestamp();
        for (var worker = 0; worker < Workers; worker++)
        {
            while (worker != except && _tally.ProgressOf(worker) == before[worker])
            {
                if (Stopwatch.GetElapsedTime(start) > Patience)
                {
                    _faults.Add($"worker {worker} made no progress: {Child.Describe(_children[worker])}");
                    return;
                }

                Thread.Yield();
            }
        }

        var waited = Stopwatch.GetElapsedTime(start);
        _longestWait = waited > _longestWait ? waited : _longestWait;
    }

    private void EndAll()
    {
        foreach (var child in _children)
        {
            Child.Kill(child);
        }

        foreach (var child in _children)
        {
            Child.End(child);
        }
    }

    private List<string> Examine(ShmHeap heap, LedgerTable table, ShmOffset survivor)
    {
        heap.RecoverDead();
        var faults = table.Settle(Workers, survivor, _started);
        if (Contents.FirstDifference(heap, survivor, 70_000, 11) >= 0)
        {
            faults.Add("what nobody touched is damaged");
        }

        heap.Grow(heap.MaximumBytes - heap.CommittedBytes);
        var survivorUnits = heap.UsableSize(survivor) / heap.UnitBytes;
        faults.AddRange(Judge.Examine(heap, survivorUnits, survivorUnits));
        if (heap.Free(survivor) != ShmStatus.Ok || heap.Malloc(heap.MaximumBytes, out var status).IsNull)
        {
            faults.Add("the whole heap could not be allocated in the end");
        }

        return faults;
    }

    /// <summary>Lets time pass; nothing depends on how much.</summary>
    private static void Spin(int microseconds)
    {
        var start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start).TotalMicroseconds < microseconds)
        {
            Thread.Yield();
        }
    }
}
