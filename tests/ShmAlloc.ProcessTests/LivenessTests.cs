using System.Diagnostics;

namespace ShmAlloc.ProcessTests;

/// <summary>Who counts as alive: the process that attached, whatever becomes of its descriptors, and none of its children.</summary>
public sealed class LivenessTests : IDisposable
{
    private readonly TemporaryHeapPath _path = new();
    private readonly ShmHeap _heap;

    public LivenessTests() => _heap = ShmHeap.Create(_path.Value, new ShmHeapOptions { SizeBytes = 1 << 20, MaximumSizeBytes = 8 << 20 });

    public void Dispose()
    {
        _heap.Dispose();
        _path.Dispose();
    }

    [Fact]
    public async Task A_process_that_closed_all_its_descriptors_lives_until_it_is_killed()
    {
        await using var worker = await AttachAndCloseDescriptorsAsync();
        Assert.Equal(0, _heap.RecoverDead());
        Assert.Equal(2, HeapAssert.Participants(_heap));
        await worker.OffsetAsync("reserve 5000");

        worker.Kill();
        Assert.Equal(1, _heap.RecoverDead());
        HeapAssert.Empty(_heap);
    }

    [Fact]
    public async Task A_process_that_closed_all_its_descriptors_still_allocates_and_grows()
    {
        await using var worker = await AttachAndCloseDescriptorsAsync();
        await worker.ExpectAsync("grow 2000000", "Ok");
        await worker.AskAsync("fill-up 100000 5000 300");
        await worker.ExpectAsync("check-held", "same");
        await worker.ExpectAsync("committed", $"{8 << 20}");
        Assert.InRange(_heap.GetStatistics().UsedBytes, 7 << 20, 8 << 20);
    }

    [Fact]
    public async Task A_process_that_closed_all_its_descriptors_sees_growth_and_recovers_others()
    {
        await using var worker = await AttachAndCloseDescriptorsAsync();
        await using var dead = await HeapWorker.AttachAsync(_path);
        Assert.Equal(ShmStatus.Ok, _heap.Grow(7 << 20));
        var offset = _heap.Malloc(3 << 20);
        await worker.ExpectAsync($"fill {offset.Value} {3 << 20} 2", "filled");
        dead.Kill();
        await worker.ExpectAsync("recover", "1");
        Assert.Equal(2, HeapAssert.Participants(_heap));
    }

    [Fact]
    public async Task Detaching_leaves_alone_what_the_host_opened_under_the_number_of_our_descriptor()
    {
        await using var worker = await AttachAndCloseDescriptorsAsync();
        await worker.ExpectAsync("open-files 40", "opened");
        await worker.ExpectAsync("detach", "detached");
        await worker.ExpectAsync("read-files", "all open");
        Assert.Equal(1, HeapAssert.Participants(_heap));
    }

    /// <summary>Started by fork and exec, as all children of .NET programs are; or by fork alone, as servers in C do.</summary>
    [Theory]
    [InlineData("spawn")]
    [InlineData("fork")]
    public async Task A_child_that_outlives_the_process_does_not_keep_it_alive(string verb)
    {
        await using var worker = await HeapWorker.AttachAsync(_path);
        await worker.OffsetAsync("reserve 5000");
        using var child = Process.GetProcessById((int)await worker.NumberAsync(verb));
        try
        {
            Assert.Equal(0, _heap.RecoverDead());
            worker.Kill();
            Assert.False(child.HasExited);
            Assert.Equal(1, _heap.RecoverDead());
            HeapAssert.Empty(_heap);
        }
        finally
        {
            child.Kill();
        }
    }

    [Fact]
    public async Task A_child_that_ends_does_not_end_the_process()
    {
        await using var worker = await HeapWorker.AttachAsync(_path);
        await worker.ExpectAsync($"end-child {await worker.NumberAsync("fork")}", "ended");
        Assert.Equal(0, _heap.RecoverDead());
        await worker.OffsetAsync("reserve 5000");
    }

    private async Task<HeapWorker> AttachAndCloseDescriptorsAsync()
    {
        var worker = await HeapWorker.AttachAsync(_path);
        Assert.StartsWith("closed", await worker.AskAsync("close-descriptors"), StringComparison.Ordinal);
        Assert.DoesNotContain(
            Directory.GetFiles($"/proc/{worker.Process.Id}/fd"), descriptor => new FileInfo(descriptor).LinkTarget == _path.Value);
        return worker;
    }
}
