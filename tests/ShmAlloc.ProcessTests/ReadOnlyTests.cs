namespace ShmAlloc.ProcessTests;

/// <summary>What a process may not write, it cannot: neither by the operations nor past them.</summary>
public sealed class ReadOnlyTests : IDisposable
{
    private readonly TemporaryHeapPath _path = new();
    private readonly ShmHeap _heap;
    private readonly ShmOffset _offset;

    public ReadOnlyTests()
    {
        _heap = ShmHeap.Create(_path.Value, new ShmHeapOptions { SizeBytes = 1 << 20, MaximumSizeBytes = 4 << 20 });
        _offset = _heap.Malloc(5000);
        Contents.Fill(_heap, _offset, 5000, 8);
        _heap.CompareExchangeRoot(0, _offset.Value, 0);
    }

    public void Dispose()
    {
        _heap.Dispose();
        _path.Dispose();
    }

    [Fact]
    public async Task A_read_only_process_reads_everything()
    {
        await using var worker = await AttachReadOnlyAsync();
        await worker.ExpectAsync("root 0", $"{_offset.Value}");
        await worker.ExpectAsync($"check {_offset.Value} 5000 8", "same");
        await worker.ExpectAsync($"usable {_offset.Value}", $"{_heap.UsableSize(_offset)}");
        await worker.ExpectAsync("verify", "sound 1");
        await worker.ExpectAsync("participants", "1");
    }

    [Theory]
    [InlineData("malloc 100")]
    [InlineData("malloc 5000")]
    [InlineData("malloc 200000")]
    [InlineData("calloc 100")]
    [InlineData("reserve 100")]
    [InlineData("free {0}")]
    [InlineData("grow 100000")]
    public async Task An_operation_that_would_write_says_that_the_heap_is_read_only(string line)
    {
        await using var worker = await AttachReadOnlyAsync();
        await worker.ExpectAsync(line.Replace("{0}", $"{_offset.Value}", StringComparison.Ordinal), "ReadOnly");
        AssertUnchanged();
    }

    [Theory]
    [InlineData("fill {0} 10 1")]
    [InlineData("set-root 0 1 1")]
    public async Task What_has_no_status_throws_in_a_read_only_process(string line)
    {
        await using var worker = await AttachReadOnlyAsync();
        var answer = await worker.AskAsync(line.Replace("{0}", $"{_offset.Value}", StringComparison.Ordinal));
        Assert.StartsWith("exception InvalidOperationException", answer, StringComparison.Ordinal);
        AssertUnchanged();
    }

    [Fact]
    public async Task A_read_only_process_recovers_nobody()
    {
        await using var dead = await HeapWorker.AttachAsync(_path);
        await using var worker = await AttachReadOnlyAsync();
        dead.Kill();
        await worker.ExpectAsync("recover", "0");
        Assert.Equal(1, _heap.RecoverDead());
    }

    [Fact]
    public async Task A_write_past_the_checks_ends_a_read_only_process()
    {
        await using var worker = await AttachReadOnlyAsync();
        worker.ExpectFault($"poke {_offset.Value}");
        AssertUnchanged();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(8)]
    [InlineData(4095)]
    public async Task A_write_to_the_null_page_ends_the_process(int distance)
    {
        await using var worker = await HeapWorker.AttachAsync(_path);
        await worker.ExpectAsync($"poke {_offset.Value}", "poked");
        worker.ExpectFault($"poke-null-page {distance}");
        Assert.Equal(1, _heap.RecoverDead());
        HeapAssert.Sound(_heap);
    }

    private async Task<HeapWorker> AttachReadOnlyAsync()
    {
        var worker = await HeapWorker.StartAsync();
        await worker.AttachToAsync($"attach-read-only {_path}");
        Assert.Equal(-1, worker.Slot);
        return worker;
    }

    private void AssertUnchanged()
    {
        Assert.Equal(_offset.Value, _heap.ReadRoot(0));
        Assert.Equal(-1, Contents.FirstDifference(_heap, _offset, 5000, 8));
        Assert.Equal(1, HeapAssert.Sound(_heap).Allocations);
        Assert.Equal(1, HeapAssert.Participants(_heap));
        Assert.Equal(1 << 20, _heap.CommittedBytes);
    }
}
