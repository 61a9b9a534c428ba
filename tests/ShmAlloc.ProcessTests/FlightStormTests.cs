namespace ShmAlloc.ProcessTests;

/// <summary>Hundreds of flights of several processes, whose leaders are killed, fail, or have their tags removed.</summary>
public sealed class FlightStormTests(ITestOutputHelper output) : IDisposable
{
    private const int Workers = 3;
    private const int Keys = 300;
    private const int CallersPerWorker = 250;
    private const int LongestLifeMilliseconds = 150;

    // The words of a worker's Flying: the last one counts values that were older than they may be.
    private const int Words = 17;

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

        foreach (var worker in workers)
        {
            var answer = await worker.AskLongAsync("fly-end");
            output.WriteLine(answer);
            Assert.StartsWith("well: ", answer, StringComparison.Ordinal);
            await worker.DisposeAsync();
        }

        Assert.Equal(0, heap.GetReference<long>(new ShmOffset(board.Value + ((Words - 1) * sizeof(long)))));
        heap.RecoverDead();
        var cache = Caching.SharedCache.Open(heap);
        Assert.Equal(Caching.CacheStatus.Ok, cache.Clear());
        Assert.Equal(ShmStatus.Ok, heap.Free(board));
        Assert.Equal(1, HeapAssert.Sound(heap).Allocations);
    }

    private async Task<HeapWorker> StartAsync(ShmOffset board, int seed)
    {
        var worker = await HeapWorker.AttachAsync(_path);
        await worker.ExpectAsync($"fly {board.Value} {Keys} {CallersPerWorker} {seed}", "flying");
        return worker;
    }
}
