using System.Diagnostics;

namespace ShmAlloc.ProcessTests;

/// <summary>Hundreds of flights of several processes, whose leaders are killed or fail, and whose tags and keys are removed or set.</summary>
public sealed class FlightStormTests(ITestOutputHelper output) : IDisposable
{
    private const int Workers = 3;
    private const int Keys = 300;
    private const int CallersPerWorker = 250;
    private const int LongestLifeMilliseconds = 150;

    // The words of a worker's Flying: what it counts, then two for everything, for each of 8 tags, and for each key.
    private static readonly string[] Counts = ["values", "worked out", "failures", "removed", "set", "old values"];
    private static readonly int Words = Counts.Length + (2 * (1 + 8 + Keys));

    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    private readonly TemporaryHeapPath _path = new();

    public void Dispose() => _path.Dispose();

    /// <summary>Nobody is given what was removed before it was asked for, nobody waits for the dead, and nothing is lost.</summary>
    [Fact]
    public async Task Values_are_worked_out_by_somebody_and_never_old_whoever_is_killed()
    {
        var kills = Effort.Choose(8, 60, 1000);
        using var heap = ShmHeap.Create(_path.Value, new ShmHeapOptions { SizeBytes = 8 << 20, MaxParticipants = 8 });
        var board = heap.Calloc(Words, sizeof(long));
        Random random = new(20262);
        var workers = new HeapWorker[Workers];
        for (var index = 0; index < Workers; index++)
        {
            workers[index] = await StartAsync(board, index);
        }

        for (var kill = 0; kill < kills; kill++)
        {
            await Task.Delay(random.Next(LongestLifeMilliseconds), TestContext.Current.CancellationToken);
            var victim = kill % Workers;
            workers[victim].Kill();
            HeapAssert.Sound(heap);
            workers[victim] = await StartAsync(board, kill + Workers);
        }

        var waits = Stopwatch.StartNew();
        while (ReadCounts(heap, board).AsSpan(..^1).Contains(0) && waits.Elapsed < LongestWait)
        {
            await Task.Delay(LongestLifeMilliseconds, TestContext.Current.CancellationToken);
        }

        foreach (var worker in workers)
        {
            var answer = await worker.AskLongAsync("fly-end");
            output.WriteLine(answer);
            Assert.Equal("well", answer);
            await worker.DisposeAsync();
        }

        var counts = ReadCounts(heap, board);
        output.WriteLine(string.Join(", ", counts.Zip(Counts, (count, of) => $"{count} {of}")));
        Assert.DoesNotContain(0, counts[..^1]);
        Assert.Equal(0, counts[^1]);
        heap.RecoverDead();
        var cache = Caching.SharedCache.Open(heap);
        Assert.Equal(Caching.CacheStatus.Ok, cache.Clear());
        Assert.Equal(ShmStatus.Ok, heap.Free(board));
        Assert.Equal(1, HeapAssert.Sound(heap).Allocations);
    }

    private static long[] ReadCounts(ShmHeap heap, ShmOffset board) =>
        [.. Counts.Select((_, index) => Volatile.Read(ref heap.GetReference<long>(new ShmOffset(board.Value + ((ulong)index * sizeof(long))))))];

    private async Task<HeapWorker> StartAsync(ShmOffset board, int seed)
    {
        var worker = await HeapWorker.AttachAsync(_path);
        await worker.ExpectAsync($"fly {board.Value} {Keys} {CallersPerWorker} {seed}", "flying");
        return worker;
    }
}
