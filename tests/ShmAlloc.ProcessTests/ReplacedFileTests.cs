namespace ShmAlloc.ProcessTests;

/// <summary>The file is deleted, or another takes its place, while processes use it: each goes on with its own.</summary>
public sealed class ReplacedFileTests : IDisposable
{
    private static readonly ShmHeapOptions Options = new() { SizeBytes = 1 << 20, MaximumSizeBytes = 8 << 20, MaxParticipants = 8 };

    private readonly TemporaryHeapPath _path = new();
    private readonly ShmHeap _old;
    private ShmHeap? _new;

    public ReplacedFileTests() => _old = ShmHeap.Create(_path.Value, Options);

    public void Dispose()
    {
        _old.Dispose();
        _new?.Dispose();
        _path.Dispose();
    }

    [Fact]
    public async Task Those_who_have_a_deleted_file_go_on_using_it()
    {
        await using var worker = await HeapWorker.AttachAsync(_path);
        File.Delete(_path.Value);
        await worker.AskAsync("fill-up 100000 5000 32");
        await worker.ExpectAsync("check-held", "same");
        Assert.InRange(_old.GetStatistics().UsedBytes, 7 << 20, 8 << 20);
        Assert.False(_path.Exists);

        worker.Kill();
        Assert.Equal(1, _old.RecoverDead());
        HeapAssert.Sound(_old);
        Assert.False(_path.Exists);
    }

    [Fact]
    public async Task Whoever_opens_the_path_then_gets_a_new_heap()
    {
        await using var worker = await HeapWorker.AttachAsync(_path);
        Replace();
        Assert.NotEqual(_old.Id, _new!.Id);
        var offset = await worker.OffsetAsync("malloc 100");
        Assert.NotEqual(0, _old.UsableSize(offset));
        Assert.Equal(0, _new.UsableSize(offset));
        await using var second = await HeapWorker.StartAsync();
        Assert.Equal(_new.Id, await second.AttachToAsync($"open {_path}"));
    }

    /// <summary>Also if the host has closed the descriptor, so that there is only the path to find the file by.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Growth_never_touches_the_file_that_took_the_place(bool closeDescriptors)
    {
        await using var worker = await HeapWorker.AttachAsync(_path);
        if (closeDescriptors)
        {
            await worker.AskAsync("close-descriptors");
        }

        Replace();
        var before = new FileInfo(_path.Value).Length;
        await worker.ExpectAsync("grow 4000000", closeDescriptors ? "FileNotCurrent" : "Ok");
        await worker.AskAsync("fill-up 100000 5000 32");
        await worker.ExpectAsync("check-held", "same");
        Assert.Equal(before, new FileInfo(_path.Value).Length);
        Assert.Equal(0, HeapAssert.Sound(_new!).Allocations);
        HeapAssert.Sound(_old);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Recovery_never_asks_for_locks_of_the_file_that_took_the_place(bool closeDescriptors)
    {
        await using var worker = await HeapWorker.AttachAsync(_path);
        await using var dead = await HeapWorker.AttachAsync(_path);
        if (closeDescriptors)
        {
            await worker.AskAsync("close-descriptors");
        }

        Replace();
        dead.Kill();

        // In the new heap these slots are free, so their locks there would say that everybody in the old one is dead.
        await worker.ExpectAsync("recover", closeDescriptors ? "0" : "1");
        await worker.ExpectAsync("participants", closeDescriptors ? "3" : "2");
        Assert.Equal(closeDescriptors ? 1 : 0, _old.RecoverDead());
        Assert.Equal(1, HeapAssert.Participants(_new!));
    }

    private void Replace()
    {
        File.Delete(_path.Value);
        _new = ShmHeap.Open(_path.Value, Options);
    }
}
