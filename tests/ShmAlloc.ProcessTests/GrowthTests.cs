namespace ShmAlloc.ProcessTests;

/// <summary>The heap grows in one process; the others use the new room without doing anything.</summary>
public sealed class GrowthTests : IDisposable
{
    private const int LengthBytes = 100_000;

    private readonly TemporaryHeapPath _path = new();
    private readonly ShmHeap _heap;

    public GrowthTests() => _heap = ShmHeap.Create(_path.Value, new ShmHeapOptions { SizeBytes = 1 << 20, MaximumSizeBytes = 16 << 20 });

    public void Dispose()
    {
        _heap.Dispose();
        _path.Dispose();
    }

    [Fact]
    public async Task Others_write_read_and_free_in_the_new_part()
    {
        await using var writer = await HeapWorker.AttachAsync(_path);
        await using var reader = await HeapWorker.StartAsync();
        await using var freer = await HeapWorker.AttachAsync(_path);
        await reader.AttachToAsync($"attach-read-only {_path}");
        var offset = AllocateInTheNewPart();
        await writer.ExpectAsync($"fill {offset.Value} {LengthBytes} 4", "filled");
        await reader.ExpectAsync($"check {offset.Value} {LengthBytes} 4", "same");
        await freer.ExpectAsync($"free {offset.Value}", "Ok");
        await reader.ExpectAsync($"usable {offset.Value}", "0");
    }

    [Fact]
    public async Task Another_process_measures_an_allocation_in_the_new_part()
    {
        await using var worker = await HeapWorker.AttachAsync(_path);
        var offset = AllocateInTheNewPart();
        Assert.InRange(await worker.NumberAsync($"usable {offset.Value}"), LengthBytes, 2 * LengthBytes);
    }

    [Fact]
    public async Task Another_process_allocates_in_room_that_it_did_not_make()
    {
        await using var worker = await HeapWorker.AttachAsync(_path);
        Assert.Equal(ShmStatus.Ok, _heap.Grow(15 << 20));
        Assert.Equal(16 << 20, _heap.CommittedBytes);
        Assert.EndsWith("OutOfMemory", await worker.AskAsync("fill-up 5000"), StringComparison.Ordinal);
        await worker.ExpectAsync("committed", $"{16 << 20}");
        Assert.InRange(_heap.GetStatistics().UsedBytes, 15 << 20, 16 << 20);
        await worker.ExpectAsync("check-held", "same");
    }

    [Fact]
    public async Task Processes_that_grow_at_once_reach_the_maximum_and_no_more()
    {
        var workers = await HeapWorker.AttachManyAsync(_path, 3);
        await Task.WhenAll(workers.Select(worker => worker.AskAsync("fill-up 200000 5000 300")));
        var statistics = _heap.GetStatistics();
        Assert.Equal(16 << 20, statistics.CommittedBytes);
        Assert.InRange(statistics.UsedBytes, (16 << 20) * 95 / 100, 16 << 20);
        HeapAssert.Sound(_heap);
        await Task.WhenAll(workers.Select(worker => worker.ExpectAsync("check-held", "same")));
        await Task.WhenAll(workers.Select(worker => worker.ExpectAsync("free-held", "freed")));
        await Task.WhenAll(workers.Select(worker => worker.DisposeAsync().AsTask()));
        HeapAssert.Empty(_heap);
    }

    [Fact]
    public async Task A_run_that_a_stopped_process_has_reserved_does_not_keep_the_heap_small()
    {
        await using var worker = await HeapWorker.AttachAsync(_path);
        await worker.OffsetAsync("reserve 800000");
        worker.Process.Stop();
        foreach (var lengthBytes in (int[])[100_000, 900_000, 3_000, 50])
        {
            ShmStatus status;
            while (_heap.Malloc(lengthBytes, out status) is { IsNull: false })
            {
            }

            HeapAssert.IsFull(status);
        }

        Assert.Equal(16 << 20, _heap.CommittedBytes);
    }

    private ShmOffset AllocateInTheNewPart()
    {
        ShmOffset offset;
        do
        {
            offset = _heap.Malloc(LengthBytes);
            Assert.False(offset.IsNull);
        }
        while (offset.Value < 2 << 20);

        return offset;
    }
}
