namespace ShmAlloc.ProcessTests;

/// <summary>What one process allocates, others read and free.</summary>
public sealed class SharingTests : IDisposable
{
    private readonly TemporaryHeapPath _path = new();
    private readonly ShmHeap _heap;

    public SharingTests() => _heap = ShmHeap.Create(_path.Value, new ShmHeapOptions { SizeBytes = 4 << 20 });

    /// <summary>A unit, within a bitmap word, crossing words, a run of blocks.</summary>
    public static TheoryData<int> Lengths => [1, 700, 5_000, 30_000, 500_000];

    public void Dispose()
    {
        _heap.Dispose();
        _path.Dispose();
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public async Task What_one_process_allocates_another_reads_and_a_third_frees(int lengthBytes)
    {
        var workers = await HeapWorker.AttachManyAsync(_path, 3);
        foreach (var (writer, reader, freer) in ((int, int, int)[])[(0, 1, 2), (1, 0, 2), (2, 1, 0)])
        {
            var offset = await workers[writer].OffsetAsync($"malloc {lengthBytes}");
            await workers[writer].ExpectAsync($"fill {offset.Value} {lengthBytes} 77", "filled");
            await workers[reader].ExpectAsync($"check {offset.Value} {lengthBytes} 77", "same");
            Assert.Equal(-1, Contents.FirstDifference(_heap, offset, lengthBytes, 77));
            await workers[freer].ExpectAsync($"free {offset.Value}", "Ok");
            await workers[writer].ExpectAsync($"free {offset.Value}", "AlreadyFree");
        }

        await EndAsync(workers);
        HeapAssert.Empty(_heap);
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public async Task A_reservation_belongs_to_its_process_until_it_is_published(int lengthBytes)
    {
        await using var worker = await HeapWorker.AttachAsync(_path);
        var offset = await worker.OffsetAsync($"reserve {lengthBytes} 5");
        Assert.Equal(0, _heap.UsableSize(offset));
        Assert.NotEqual(ShmStatus.Ok, _heap.Free(offset));

        await worker.ExpectAsync("publish 0", "Ok");
        Assert.InRange(_heap.UsableSize(offset), lengthBytes, long.MaxValue);
        Assert.Equal(-1, Contents.FirstDifference(_heap, offset, lengthBytes, 5));
        Assert.Equal(ShmStatus.Ok, _heap.Free(offset));
        await worker.ExpectAsync("publish 0", "StaleReservation");
    }

    [Fact]
    public async Task A_root_leads_others_to_what_was_published()
    {
        var workers = await HeapWorker.AttachManyAsync(_path, 2);
        var offset = await workers[0].OffsetAsync("reserve 3000 9");
        await workers[0].ExpectAsync("publish 0", "Ok");
        await workers[0].ExpectAsync($"set-root 3 {offset.Value} 0", "0");
        await workers[1].ExpectAsync("root 3", $"{offset.Value}");
        await workers[1].ExpectAsync($"check {offset.Value} 3000 9", "same");
        await workers[1].ExpectAsync("set-root 3 1 2", $"{offset.Value}");
        Assert.Equal(offset.Value, _heap.ReadRoot(3));
        await EndAsync(workers);
    }

    [Fact]
    public async Task What_was_allocated_outlives_the_process_that_ended()
    {
        await using var worker = await HeapWorker.AttachAsync(_path);
        var offset = await worker.OffsetAsync("malloc 5000");
        await worker.ExpectAsync($"fill {offset.Value} 5000 1", "filled");
        await worker.ExpectAsync("detach", "detached");
        worker.Process.CloseInput();
        Assert.Equal(0, worker.Process.WaitForExit());

        Assert.Equal(1, HeapAssert.Participants(_heap));
        Assert.Equal(-1, Contents.FirstDifference(_heap, offset, 5000, 1));
        Assert.Equal(ShmStatus.Ok, _heap.Free(offset));
        HeapAssert.Empty(_heap);
    }

    [Fact]
    public async Task Memory_that_another_process_has_used_comes_back_zeroed_from_calloc()
    {
        await using var worker = await HeapWorker.AttachAsync(_path);
        await worker.AskAsync("fill-up 100000 3000 32");
        await worker.ExpectAsync("free-held", "freed");
        foreach (var lengthBytes in (int[])[40, 3000, 100_000])
        {
            var offset = _heap.Calloc(1, lengthBytes);
            Assert.False(_heap.GetReadOnlySpan(offset, lengthBytes).ContainsAnyExcept((byte)0));
        }
    }

    private static async Task EndAsync(HeapWorker[] workers)
    {
        foreach (var worker in workers)
        {
            await worker.DisposeAsync();
        }
    }
}
