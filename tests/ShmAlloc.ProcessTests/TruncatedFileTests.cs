namespace ShmAlloc.ProcessTests;

/// <summary>Somebody cuts the file of a heap in use short.</summary>
public sealed class TruncatedFileTests : IDisposable
{
    private readonly TemporaryHeapPath _path = new();
    private readonly ShmHeap _heap;

    public TruncatedFileTests() => _heap = ShmHeap.Create(_path.Value, new ShmHeapOptions { SizeBytes = 1 << 20, MaximumSizeBytes = 8 << 20 });

    public void Dispose()
    {
        _heap.Dispose();
        _path.Dispose();
    }

    [Fact]
    public async Task Whoever_touches_what_is_gone_ends_and_the_others_go_on()
    {
        var kept = _heap.Malloc(100);
        Contents.Fill(_heap, kept, 100, 3);
        await using var worker = await HeapWorker.AttachAsync(_path);
        const int page = 4096;
        Assert.InRange(kept.Value, 0UL, (ulong)(_heap.CommittedBytes - page));
        Truncate(keptBytes: new FileInfo(_path.Value).Length - page);
        worker.ExpectFault($"poke {_heap.CommittedBytes}");

        Assert.Equal(1, _heap.RecoverDead());
        HeapAssert.Sound(_heap);
        Assert.Equal(-1, Contents.FirstDifference(_heap, kept, 100, 3));
        Assert.Equal(ShmStatus.Ok, _heap.Free(kept));
    }

    [Theory]
    [InlineData(4096)]
    [InlineData(1 << 19)]
    public void Whoever_attaches_then_is_told(int keptBytes)
    {
        _heap.Dispose();
        Truncate(keptBytes);
        AssertRefused(ShmFailure.Truncated);
    }

    [Fact]
    public void Of_an_empty_file_nobody_can_say_that_it_was_a_heap()
    {
        _heap.Dispose();
        Truncate(0);
        AssertRefused(ShmFailure.NotAHeap);
    }

    private void Truncate(long keptBytes)
    {
        using var file = new FileStream(_path.Value, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        file.SetLength(keptBytes);
    }

    private void AssertRefused(ShmFailure reason)
    {
        var attach = Assert.Throws<ShmException>(() => ShmHeap.Attach(_path.Value));
        var open = Assert.Throws<ShmException>(() => ShmHeap.Open(_path.Value));
        var read = Assert.Throws<ShmException>(() => ShmHeap.AttachReadOnly(_path.Value));
        Assert.All([attach, open, read], exception => Assert.Equal(reason, exception.Reason));
    }
}
