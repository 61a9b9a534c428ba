namespace ShmAlloc.ProcessTests;

/// <summary>Rootless containers: processes in two user namespaces share a heap with each other and with the outside.</summary>
public sealed class UserNamespaceTests : IDisposable
{
    private readonly TemporaryHeapPath _path = new();
    private readonly ShmHeap _heap;

    public UserNamespaceTests()
    {
        Namespaces.SkipUnlessPermitted(Namespaces.OwnUsers);
        _heap = ShmHeap.Create(_path.Value, new ShmHeapOptions { SizeBytes = 1 << 20 });
    }

    public void Dispose()
    {
        _heap?.Dispose();
        _path.Dispose();
    }

    [Fact]
    public async Task A_death_in_one_user_namespace_is_noticed_in_another()
    {
        await using var first = await AttachInNamespaceAsync();
        await using var second = await AttachInNamespaceAsync();
        await second.ExpectAsync("recover", "0");
        await first.OffsetAsync("reserve 5000");
        first.Kill();
        await second.ExpectAsync("recover", "1");
        await second.ExpectAsync("participants", "2");
        second.Kill();
        Assert.Equal(1, _heap.RecoverDead());
        HeapAssert.Empty(_heap);
    }

    [Fact]
    public async Task A_death_outside_is_noticed_in_a_user_namespace()
    {
        await using var inside = await AttachInNamespaceAsync();
        await using var outside = await HeapWorker.AttachAsync(_path);
        await outside.OffsetAsync("reserve 5000");
        outside.Kill();
        await inside.ExpectAsync("recover", "1");
        HeapAssert.Empty(_heap);
    }

    [Fact]
    public async Task What_is_published_in_one_user_namespace_can_be_freed_in_another()
    {
        await using var first = await AttachInNamespaceAsync();
        await using var second = await AttachInNamespaceAsync();
        var offset = await first.OffsetAsync("malloc 5000");
        await first.ExpectAsync($"fill {offset.Value} 5000 4", "filled");
        await second.ExpectAsync($"check {offset.Value} 5000 4", "same");
        await second.ExpectAsync($"free {offset.Value}", "Ok");
        HeapAssert.Empty(_heap);
    }

    private async Task<HeapWorker> AttachInNamespaceAsync()
    {
        var worker = await HeapWorker.StartAsync(Namespaces.OwnUsers);
        await worker.AttachToAsync($"attach {_path}");
        return worker;
    }
}
