namespace ShmAlloc.ProcessTests;

/// <summary>Containers: processes in two namespaces of a kind share a heap with each other and with the outside.</summary>
public abstract class NamespaceTests : IDisposable
{
    private readonly TemporaryHeapPath _path = new();
    private readonly string[] _launcher;
    private readonly ShmHeap _heap;

    private protected NamespaceTests(string[] launcher)
    {
        Namespaces.SkipUnlessPermitted(launcher);
        _launcher = launcher;
        _heap = ShmHeap.Create(_path.Value, new ShmHeapOptions { SizeBytes = 1 << 20 });
    }

    public void Dispose()
    {
        _heap?.Dispose();
        _path.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Processes_in_two_namespaces_are_two_participants_that_both_live()
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
        Kill(first);
        await second.ExpectAsync("recover", "1");
        await second.ExpectAsync("participants", "2");
        HeapAssert.Empty(_heap);
    }

    [Fact]
    public async Task A_death_in_a_namespace_is_noticed_outside()
    {
        await using var worker = await AttachInNamespaceAsync();
        await worker.OffsetAsync("reserve 5000");
        Kill(worker);
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

    [Fact]
    public async Task What_is_published_in_one_namespace_can_be_read_and_freed_in_another()
    {
        await using var first = await AttachInNamespaceAsync();
        await using var second = await AttachInNamespaceAsync();
        var offset = await first.OffsetAsync("malloc 5000");
        await first.ExpectAsync($"fill {offset.Value} 5000 4", "filled");
        await second.ExpectAsync($"check {offset.Value} 5000 4", "same");
        await second.ExpectAsync($"free {offset.Value}", "Ok");
        HeapAssert.Empty(_heap);
    }

    /// <summary>Fails unless the worker is where it is supposed to be.</summary>
    private protected abstract Task ExpectInsideAsync(HeapWorker worker);

    private protected abstract void Kill(HeapWorker worker);

    private async Task<HeapWorker> AttachInNamespaceAsync()
    {
        var worker = await HeapWorker.StartAsync(_launcher);
        await ExpectInsideAsync(worker);
        await worker.AttachToAsync($"attach {_path}");
        return worker;
    }
}

/// <summary>Processes that all believe to be number 1.</summary>
public sealed class ProcessNamespaceTests() : NamespaceTests(Namespaces.OwnProcessIds)
{
    private protected override Task ExpectInsideAsync(HeapWorker worker) => worker.ExpectAsync("process-id", "1");

    private protected override void Kill(HeapWorker worker) => worker.KillLaunched();
}

/// <summary>Rootless containers.</summary>
public sealed class UserNamespaceTests() : NamespaceTests(Namespaces.OwnUsers)
{
    private protected override async Task ExpectInsideAsync(HeapWorker worker) =>
        Assert.NotEqual(new FileInfo("/proc/self/ns/user").LinkTarget, await worker.AskAsync("user-namespace"));

    private protected override void Kill(HeapWorker worker) => worker.Kill();
}
