namespace ShmAlloc.ProcessTests;

/// <summary>A stopped process keeps what it has, and nothing else.</summary>
public sealed class StoppedProcessTests
{
    private const int Threads = 2;

    [Fact]
    public async Task A_stopped_process_hinders_nobody_and_goes_on_correctly()
    {
        using var path = new TemporaryHeapPath();
        using var heap = ShmHeap.Create(path.Value, new ShmHeapOptions { SizeBytes = 8 << 20, BlockBytes = 16 << 10, MaxParticipants = 8 });
        var table = LedgerTable.Create(heap, Threads, 1);
        await using var other = await HeapWorker.AttachAsync(path);
        await using var stopped = await HeapWorker.AttachAsync(path);
        await stopped.ExpectAsync($"churn {table.Offset.Value} {Threads} 1 0 {Threads} 0 5", "churning");
        for (var round = 0; round < Effort.Choose(6, 30, 300); round++)
        {
            stopped.Process.Stop();
            Assert.Equal(0, heap.RecoverDead());
            var statuses = (await other.AskAsync("fill-up 200000 5000 700 32")).Split(' ').Where((_, index) => index % 2 == 1);
            Assert.All(statuses, status => HeapAssert.IsFull(Enum.Parse<ShmStatus>(status)));
            var statistics = heap.GetStatistics();
            Assert.InRange(statistics.UsedBytes + statistics.PrivateBytes, statistics.CommittedBytes * 90 / 100, statistics.CommittedBytes);
            await other.ExpectAsync("check-held", "same");
            await other.ExpectAsync("free-held", "freed");
            stopped.Process.Continue();
            HeapAssert.Sound(heap);
        }

        Assert.True(await stopped.NumberAsync("churn-end") > 0);
        Assert.Empty(table.Settle(Threads, ShmOffset.Null, deaths: 0));
        HeapAssert.Empty(heap);
    }
}
