using System.Diagnostics;

namespace ShmAlloc.ProcessTests;

/// <summary>Processes are killed in the middle of whatever they do, while others go on.</summary>
public sealed class KillStormTests : IDisposable
{
    private const int Workers = 3;
    private const int ThreadsPerWorker = 2;
    private const int Ledgers = Workers * ThreadsPerWorker;
    private const int LongestLifeMilliseconds = 40;

    private readonly TemporaryHeapPath _path = new();
    private readonly ShmHeap _heap;
    private readonly Random _random = new(20261);

    public KillStormTests() => _heap = ShmHeap.Create(_path.Value, new ShmHeapOptions { SizeBytes = 8 << 20, BlockBytes = 16 << 10, MaxParticipants = 8 });

    public void Dispose()
    {
        _heap.Dispose();
        _path.Dispose();
    }

    [Fact]
    public async Task Nothing_is_lost_or_damaged_however_often_processes_are_killed()
    {
        var kills = Effort.Choose(10, 100, 1500);
        var survivor = _heap.Malloc(70_000);
        Contents.Fill(_heap, survivor, 70_000, 11);
        var intents = kills + Workers;
        var table = LedgerTable.Create(_heap, Ledgers, intents);
        var workers = new HeapWorker[Workers];
        for (var index = 0; index < Workers; index++)
        {
            workers[index] = await StartChurningAsync(table, intents, index, index);
        }

        for (var kill = 0; kill < kills; kill++)
        {
            var victim = kill % Workers;
            Live(_random.Next(LongestLifeMilliseconds));
            workers[victim].Kill();
            HeapAssert.Sound(_heap);
            workers[victim] = await StartChurningAsync(table, intents, victim, kill + Workers);
        }

        var operations = 0L;
        foreach (var worker in workers)
        {
            operations += await worker.NumberAsync("churn-end");
        }

        // Not before all are at rest: whoever still works may recover the others.
        foreach (var worker in workers)
        {
            await worker.DisposeAsync();
        }

        Assert.Equal(Workers, _heap.RecoverDead());
        Assert.Equal(1, HeapAssert.Participants(_heap));
        HeapAssert.Sound(_heap);
        Assert.Empty(table.Settle(Ledgers, survivor, kills * ThreadsPerWorker));
        Assert.Equal(1, HeapAssert.Sound(_heap).Allocations);
        Assert.Equal(-1, Contents.FirstDifference(_heap, survivor, 70_000, 11));
        HeapAssert.EveryFreeUnitCanBeAllocated(_heap);
        Assert.Equal(ShmStatus.Ok, _heap.Free(survivor));
        HeapAssert.Empty(_heap);
        Assert.True(operations > 0);
    }

    /// <summary>Nobody can know of an allocation whose offset died with the process, so each kill may leave one; but never more, and none half made.</summary>
    [Fact]
    public async Task A_process_killed_between_malloc_and_free_leaves_at_most_one_allocation()
    {
        var kills = Effort.Choose(8, 40, 500);
        for (var kill = 0; kill < kills; kill++)
        {
            await using var worker = await HeapWorker.AttachAsync(_path);
            await worker.ExpectAsync($"malloc-and-free {kill}", "churning");
            Live(_random.Next(LongestLifeMilliseconds));
            worker.Kill();
            Assert.Equal(1, _heap.RecoverDead());
            Assert.InRange(HeapAssert.Sound(_heap).Allocations, 0, kill + 1);
        }

        HeapAssert.EveryFreeUnitCanBeAllocated(_heap);
    }

    private async Task<HeapWorker> StartChurningAsync(LedgerTable table, int intents, int index, int generation)
    {
        var worker = await HeapWorker.AttachAsync(_path);
        var seed = _random.Next(1_000_000);
        await worker.ExpectAsync(
            $"churn {table.Offset.Value} {Ledgers} {intents} {index * ThreadsPerWorker} {ThreadsPerWorker} {generation} {seed}", "churning");
        return worker;
    }

    /// <summary>Gives the workers some time to be in the middle of something; nothing depends on how much.</summary>
    private static void Live(int milliseconds)
    {
        var start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start).TotalMilliseconds < milliseconds)
        {
            Thread.Yield();
        }
    }
}
