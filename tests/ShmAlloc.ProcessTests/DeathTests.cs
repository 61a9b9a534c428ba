namespace ShmAlloc.ProcessTests;

/// <summary>A process is killed: what it held privately is taken back, what it had published stays.</summary>
public sealed class DeathTests : IDisposable
{
    private readonly TemporaryHeapPath _path = new();
    private readonly ShmHeap _heap;

    public DeathTests() => _heap = ShmHeap.Create(_path.Value, new ShmHeapOptions { SizeBytes = 4 << 20, MaxParticipants = 8 });

    /// <summary>Within a bitmap word, crossing words, a run of blocks.</summary>
    public static TheoryData<int> Lengths => [100, 5_000, 30_000, 300_000];

    public void Dispose()
    {
        _heap.Dispose();
        _path.Dispose();
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public async Task What_a_killed_process_had_reserved_is_free_again_and_what_it_had_published_stays(int lengthBytes)
    {
        await using var worker = await HeapWorker.AttachAsync(_path);
        await worker.OffsetAsync($"reserve {lengthBytes}");
        var published = await worker.OffsetAsync($"reserve {lengthBytes} 3");
        await worker.OffsetAsync($"reserve {lengthBytes}");
        await worker.ExpectAsync("publish 1", "Ok");
        Assert.Equal(0, _heap.RecoverDead());
        worker.Kill();

        Assert.Equal(1, _heap.RecoverDead());
        Assert.Equal(1, HeapAssert.Participants(_heap));
        Assert.Equal(1, HeapAssert.Sound(_heap).Allocations);
        HeapAssert.EveryFreeUnitCanBeAllocated(_heap);
        Assert.Equal(-1, Contents.FirstDifference(_heap, published, lengthBytes, 3));
        Assert.Equal(ShmStatus.Ok, _heap.Free(published));
        HeapAssert.Empty(_heap);
    }

    [Fact]
    public async Task Whoever_attaches_recovers_the_dead()
    {
        await using var worker = await HeapWorker.AttachAsync(_path);
        await worker.OffsetAsync("reserve 5000");
        worker.Kill();
        Assert.Equal(2, HeapAssert.Participants(_heap));

        await using var successor = await HeapWorker.AttachAsync(_path);
        Assert.Equal(0, _heap.RecoverDead());
        Assert.Equal(2, HeapAssert.Participants(_heap));
        successor.Kill();
        Assert.Equal(1, _heap.RecoverDead());
        HeapAssert.Empty(_heap);
    }

    /// <summary>By a full search inside blocks as well as by the search for whole blocks.</summary>
    [Theory]
    [InlineData(64)]
    [InlineData(3_000)]
    [InlineData(1 << 20)]
    public async Task The_dead_are_recovered_before_memory_runs_out(int wantedBytes)
    {
        await using var worker = await HeapWorker.AttachAsync(_path);
        for (var reservation = 0; reservation < 3; reservation++)
        {
            await worker.OffsetAsync($"reserve {1 << 20}");
        }

        await worker.AskAsync("fill-up 10000 32");
        Assert.True(_heap.Malloc(wantedBytes, out var status).IsNull);
        HeapAssert.IsFull(status);
        worker.Kill();

        Assert.False(_heap.Malloc(wantedBytes, out status).IsNull);
        Assert.Equal(ShmStatus.Ok, status);
        Assert.Equal(1, HeapAssert.Participants(_heap));
        HeapAssert.Sound(_heap);
    }

    [Fact]
    public async Task Deaths_do_not_use_up_slots()
    {
        for (var round = 0; round < 12; round++)
        {
            await using var worker = await HeapWorker.AttachAsync(_path);
            Assert.Equal(2, HeapAssert.Participants(_heap));
            await worker.OffsetAsync("reserve 3000");
            worker.Kill();
        }

        _heap.RecoverDead();
        HeapAssert.Empty(_heap);
    }
}
