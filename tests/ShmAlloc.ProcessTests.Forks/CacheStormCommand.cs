using System.Diagnostics;
using System.Globalization;
using ShmAlloc.Caching;
using ShmAlloc.Histories;

namespace ShmAlloc.ProcessTests.Forks;

/// <summary>
/// <c>cache-storm path kills kind seed</c>: four processes do everything that can be done to a cache and record it, and one that may not write reads. In
/// each round one of them is killed at a random instant and another takes its place. Afterwards one order of the operations explains what everybody saw,
/// everything that is published belongs to an entry, and all the rest can be allocated. In a "large" heap nothing is ever dropped; in a "small" one much is
/// evicted, expires, or goes with its tag.
/// </summary>
internal sealed class CacheStormCommand(string path, int kills, bool isLarge, int seed)
{
    private const int Writers = 4;
    private const int Workers = Writers + 1;
    private const int Observer = Workers;
    private const int LongestVisit = 400;
    private const int LongestDelayMicroseconds = 4000;
    private const int RehearsedSteps = 3000;
    private const int SurvivorBytes = 70_000;
    private const uint LongestLifeSeconds = 3600;
    private const string Name = "storm";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly Random _random = new(seed);
    private readonly int[] _children = new int[Workers];
    private readonly List<string> _faults = [];
    private int _started;

    internal static int Run(string[] arguments) => arguments is [var path, var kills, "large" or "small", var seed]
        ? new CacheStormCommand(
            path, int.Parse(kills, CultureInfo.InvariantCulture), arguments[2] == "large", int.Parse(seed, CultureInfo.InvariantCulture)).Run()
        : throw new ArgumentException("cache-storm path kills large|small seed");

    private int Run()
    {
        var watch = Stopwatch.StartNew();
        using var heap = ShmHeap.Create(path, new ShmHeapOptions
        {
            SizeBytes = 2 << 20,
            MaximumSizeBytes = isLarge ? 128 << 20 : 2 << 20,
            BlockBytes = 16 << 10,
            MaxParticipants = 8,
        });
        var survivor = heap.Malloc(SurvivorBytes);
        Contents.Fill(heap, survivor, SurvivorBytes, 11);
        var cache = SharedCache.Open(heap, Name, new() { Capacity = isLarge ? 50_000 : 500, TagSlots = 16, Checksums = !isLarge });
        var kept = heap.GetStatistics();
        using var recorder = HistoryRecorder.Create(path + "-history", Workers + 1, CacheVisitor.OperationsOf(2 * kills) + (RehearsedSteps * 2));
        Rehearse(recorder);
        for (var worker = 0; worker < Workers; worker++)
        {
            StartWorker(worker, recorder);
        }

        for (var kill = 0; kill < kills && _faults.Count == 0; kill++)
        {
            var worker = _random.Next(Workers);
            Interlocked.Increment(ref CacheTally.Round);
            Spin(_random.Next(LongestDelayMicroseconds));
            Replace(worker, recorder);
            _faults.AddRange(heap.Verify().Violations);
        }

        EndAll();
        var operations = Examine(heap, cache, recorder, survivor, kept);
        _faults.AddRange(CacheTally.Deeds().Where(deed => deed.Count == 0 && IsExpected(deed.Deed)).Select(deed => $"nobody did this: {deed.Deed}"));
        Console.WriteLine($"done: {string.Join(", ", CacheTally.Deeds().Select(deed => $"{deed.Deed} {deed.Count}"))}");
        _faults.ForEach(fault => Console.WriteLine($"fault: {fault.ReplaceLineEndings(" | ")}"));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{kills} kills, {_started} processes, {operations} recorded operations in {watch.Elapsed.TotalSeconds:f1} s, {_faults.Count} faults"));
        return _faults.Count == 0 ? 0 : 1;
    }

    private bool IsExpected(CacheDeed deed) => deed != CacheDeed.Refused && (deed < CacheDeed.RemoveTag || !isLarge);

    /// <summary>In this process first, which thereby compiles all that its children will need.</summary>
    private void Rehearse(HistoryRecorder recorder)
    {
        for (var step = 0; step < RehearsedSteps; step += LongestVisit)
        {
            for (var worker = Workers - 1; worker >= 0; worker--)
            {
                Interlocked.Increment(ref CacheTally.Round);
                Visit(worker, recorder.Worker(worker), new Random(step), LongestVisit);
            }
        }

        // A thread that looked after values that are due ends a second after it is needed no more. A child that is forked beside it would wait for it for ever
        // when it collects garbage, because it has no such thread.
        Thread.Sleep(TimeSpan.FromSeconds(3));

        // The children inherit that we have used up our operations of the last round.
        Interlocked.Increment(ref CacheTally.Round);
        CacheTally.ForgetDeeds();
    }

    private void StartWorker(int worker, HistoryRecorder recorder)
    {
        var workerSeed = _random.Next();
        _started++;
        _children[worker] = Child.Start(LongestLifeSeconds, () =>
        {
            var log = recorder.Worker(worker);
            for (var random = new Random(workerSeed); ;)
            {
                Visit(worker, log, random, random.Next(LongestVisit));
            }
        });
    }

    private void Visit(int worker, WorkerLog log, Random random, int steps)
    {
        using var heap = worker < Writers ? ShmHeap.Attach(path) : ShmHeap.AttachReadOnly(path);
        CacheVisitor visitor = new(SharedCache.Open(heap, Name), log, worker, random, forgets: !isLarge);
        for (var step = 0; step < steps; step++)
        {
            visitor.Step();
        }

        visitor.Release();
    }

    private void Replace(int worker, HistoryRecorder recorder)
    {
        Child.Kill(_children[worker]);
        if (Child.End(_children[worker]) is var end and not Child.Killed)
        {
            _faults.Add($"worker {worker} ended with {end} before it was killed");
        }

        StartWorker(worker, recorder);
        AwaitProgress(except: worker);
    }

    /// <summary>Nobody may wait for the one that was killed.</summary>
    private void AwaitProgress(int except)
    {
        var before = Enumerable.Range(0, Workers).Select(CacheTally.ProgressOf).ToArray();
        Interlocked.Increment(ref CacheTally.Round);
        var start = Stopwatch.GetTimestamp();
        for (var worker = 0; worker < Workers; worker++)
        {
            while (worker != except && CacheTally.ProgressOf(worker) == before[worker])
            {
                if (Stopwatch.GetElapsedTime(start) > Patience)
                {
                    _faults.Add($"worker {worker} made no progress: {Child.Describe(_children[worker])}");
                    return;
                }

                Thread.Yield();
            }
        }
    }

    private void EndAll()
    {
        foreach (var child in _children)
        {
            Child.Kill(child);
        }

        foreach (var child in _children)
        {
            if (Child.End(child) is var end and not Child.Killed)
            {
                _faults.Add($"a worker ended with {end} before it was killed");
            }
        }
    }

    /// <returns>How many operations were recorded.</returns>
    private int Examine(ShmHeap heap, SharedCache cache, HistoryRecorder recorder, ShmOffset survivor, ShmStatistics kept)
    {
        heap.RecoverDead();

        // Who was killed while it worked a value out leaves a placeholder, which is an entry and is not shown.
        CacheVisitor.RemovePlaceholders(cache);
        var keys = (int)((CacheTally.Round / CacheVisitor.RoundsPerKeySet) + 1) * CacheVisitor.KeysPerSet;
        for (var key = 0; key < keys; key++)
        {
            CacheVisitor.RemovePlaceholder(cache, key);
        }

        var statistics = cache.GetStatistics();
        var now = heap.GetStatistics();
        var (items, used) = (now.Allocations - kept.Allocations, now.UsedBytes - kept.UsedBytes);
        if (statistics.Entries != items || statistics.Bytes != used)
        {
            _faults.Add($"{statistics.Entries} entries with {statistics.Bytes} bytes were counted; {items} items with {used} bytes are published");
        }

        // What has expired, or lost its tag, is there and is not shown.
        var shown = cache.Enumerate().Count();
        if (isLarge ? shown != items : shown > items)
        {
            _faults.Add($"{items} items are there, and {shown} are shown");
        }

        if (isLarge && statistics.EvictionsForRoom + statistics.EvictionsForEntry != 0)
        {
            _faults.Add($"something was dropped from a heap that is large enough: {statistics}");
        }

        // What is left is part of the history.
        CacheVisitor visitor = new(cache, recorder.Worker(Observer), Observer, _random, forgets: !isLarge);
        for (var key = 0; key < keys; key++)
        {
            visitor.Get(key);
        }

        var history = recorder.Read();
        var model = (isLarge ? CacheModel.Map : CacheModel.Cache with { CanExpire = CacheVisitor.CanExpire, CanSlide = CacheVisitor.CanSlide }) with { AllowSpuriousChange = true };
        if (HistoryChecker.Check(history, model) is { Kind: not VerdictKind.Linearizable } verdict)
        {
            _faults.Add($"{verdict}");
        }

        if (cache.Clear() != CacheStatus.Ok || cache.Enumerate().Any() || cache.GetStatistics() is not { Entries: 0, Bytes: 0 })
        {
            _faults.Add("the cache could not be cleared");
        }

        if (Contents.FirstDifference(heap, survivor, SurvivorBytes, 11) >= 0)
        {
            _faults.Add("what nobody touched is damaged");
        }

        heap.Grow(heap.MaximumBytes - heap.CommittedBytes);
        _faults.AddRange(Judge.Examine(heap, kept.UsedBytes / heap.UnitBytes, kept.UsedBytes / heap.UnitBytes));
        return history.Count;
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
