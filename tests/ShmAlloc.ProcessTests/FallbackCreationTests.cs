namespace ShmAlloc.ProcessTests;

/// <summary>
/// Creation where the file system has no unnamed files. The workers have their own system calls refused, as such a file system would, so the
/// tests run anywhere.
/// </summary>
public sealed class FallbackCreationTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateDirectory(new TemporaryHeapPath().Value);

    private string HeapPath => Path.Combine(_directory.FullName, "heap");

    public void Dispose() => _directory.Delete(recursive: true);

    /// <summary>Named by renaming or, where that cannot be done without replacing, by a link.</summary>
    [Theory]
    [InlineData("refuse-unnamed-files")]
    [InlineData("refuse-rename")]
    public async Task A_heap_is_created_and_nothing_else_is_left(string refusal)
    {
        await using var worker = await StartAsync("refuse-unnamed-files", refusal);
        await worker.AttachToAsync($"create {HeapPath} size=1000000");
        Assert.Equal([HeapPath], Entries());
        using var heap = ShmHeap.Attach(HeapPath);
        HeapAssert.Sound(heap);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(HeapPath));
    }

    [Theory]
    [InlineData("refuse-unnamed-files")]
    [InlineData("refuse-rename")]
    public async Task A_file_that_is_there_is_never_replaced(string refusal)
    {
        File.WriteAllText(HeapPath, "mine");
        await using var worker = await StartAsync("refuse-unnamed-files", refusal);
        await worker.ExpectAsync($"create {HeapPath} size=1000000", "failed AlreadyExists");
        Assert.Equal([HeapPath], Entries());
        Assert.Equal("mine", File.ReadAllText(HeapPath));
    }

    [Fact]
    public async Task A_creation_that_fails_removes_its_temporary_name()
    {
        await using var worker = await StartAsync("refuse-unnamed-files", "refuse-fallocate");
        await worker.ExpectAsync($"create {HeapPath} size=1000000", "failed CannotPreallocate");
        Assert.Empty(Entries());
    }

    [Fact]
    public async Task A_file_system_that_cannot_preallocate_is_refused()
    {
        await using var worker = await StartAsync("refuse-fallocate");
        await worker.ExpectAsync($"create {HeapPath} size=1000000", "failed CannotPreallocate");
        Assert.Empty(Entries());
    }

    [Fact]
    public async Task Processes_that_open_one_path_at_once_all_get_the_same_heap()
    {
        var workers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => StartAsync("refuse-unnamed-files")));
        for (var round = 0; round < Effort.Choose(60, 1000); round++)
        {
            var ids = await Task.WhenAll(workers.Select(worker => worker.AttachToAsync($"open {HeapPath} size=100000 participants=8")));
            Assert.Single(ids.Distinct());
            Assert.Equal([HeapPath], Entries());
            await Task.WhenAll(workers.Select(worker => worker.ExpectAsync("detach", "detached")));
            File.Delete(HeapPath);
        }

        await Task.WhenAll(workers.Select(worker => worker.DisposeAsync().AsTask()));
    }

    private static async Task<HeapWorker> StartAsync(params string[] refusals)
    {
        var worker = await HeapWorker.StartAsync();
        foreach (var refusal in refusals.Distinct())
        {
            var answer = await worker.AskAsync(refusal);
            Assert.SkipWhen(answer.StartsWith("exception", StringComparison.Ordinal), $"System calls cannot be refused here: {answer}");
        }

        return worker;
    }

    private string[] Entries() => Directory.GetFileSystemEntries(_directory.FullName);
}
