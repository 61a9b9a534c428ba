namespace ShmAlloc.ProcessTests;

/// <summary>Containers: processes that all believe to be number 1 share a heap.</summary>
public sealed class ProcessNamespaceTests : IDisposable
{
    private readonly TemporaryHeapPath _path = new();
    private readonly ShmHeap _heap;

    public ProcessNamespaceTests()
    {
        Namespaces.SkipUnlessPermitted(Namespaces.OwnProcessIds);
        _heap = ShmHeap.Create(_path.Value, new ShmHeapOptions { SizeBytes = 1 << 20 });
    }

    public void Dispose()
    {
        _heap?.Dispose();
        _path.Dispose();
    }

    [Fact]
    public async Task Processes_with_equal_ids_are_different_participants()
    {
        await using var first = await AttachInNamespaceAsync();
        await using var second = await AttachInNamespaceAsync();
        Assert.NotEqual(first.Slot, second.Slot);
        Assert.Equal(0, _heap.RecoverDead());
        await first.ExpectAsync("recover", "0");
        await second.ExpectAsync("recover", "0");
        Assert.Equal(3, HeapAssert.Participants(_heap));
    }

    [Fact]
    public async Task A_death_in_one_namespace_is_noticed_in_another()
    {
        await using var first = await AttachInNamespaceAsync();
        await using var second = await AttachInNamespaceAsync();
        await first.OffsetAsync("reserve 5000");
        first.KillLaunched();
        await second.ExpectAsync("recover", "1");
        await second.ExpectAsync("participants", "2");
        HeapAssert.Empty(_heap);
    }

    [Fact]
    public async Task A_death_in_a_namespace_is_noticed_outside()
    {
        await using var worker = await AttachInNamespaceAsync();
        await worker.OffsetAsync("reserve 5000");
        worker.KillLaunched();
        Assert.Equal(1, _heap.RecoverDead());
        HeapAssert.Empty(_heap);
    }

    [Fact]
    public async Task A_death_outside_is_noticed_in_a_namespace()
    {
        await using var inside = await AttachInNamespaceAsync();
        await using var outside = await HeapWorker.AttachAsync(_path);
        await outside.OffsetAsync("reserve 5000");
        outside.Kill();
        await inside.ExpectAsync("recover", "1");
        HeapAssert.Empty(_heap);
    }

    private async Task<HeapWorker> AttachInNamespaceAsync()
    {
        var worker = await HeapWorker.StartAsync(Namespaces.OwnProcessIds);
        await worker.ExpectAsync("process-id", "1");
        await worker.AttachToAsync($"attach {_path}");
        return worker;
    }
}
