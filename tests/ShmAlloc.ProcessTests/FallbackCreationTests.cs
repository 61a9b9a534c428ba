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

    /// <summary>
    /// As if it were killed right there, or slow: there is no moment at which a heap has its name and another one, at which others take offence.
    /// </summary>
    [Fact]
    public async Task A_creator_that_does_nothing_more_after_naming_the_heap_leaves_a_whole_one()
    {
        await using var creator = await StartAsync("refuse-unnamed-files", "refuse-unlink");
        var id = await creator.AttachToAsync($"create {HeapPath} size=1000000");
        Assert.Equal([HeapPath], Entries());
        await using var other = await HeapWorker.StartAsync();
        Assert.Equal(id, await other.AttachToAsync($"open {HeapPath}"));
    }

    /// <summary>Its creation fails late and cannot clean up, so that what is there is what a death at that moment leaves.</summary>
    [Fact]
    public async Task What_a_creator_leaves_that_dies_before_it_names_the_heap_is_in_nobodys_way()
    {
        await using (var creator = await StartAsync("refuse-unnamed-files", "refuse-fallocate", "refuse-unlink"))
        {
            await creator.ExpectAsync($"create {HeapPath} size=1000000", "failed CannotPreallocate");
        }

        Assert.Matches("/heap[.][0-9a-f]{16}$", Assert.Single(Entries()));
        await using var other = await HeapWorker.StartAsync();
        await other.AttachToAsync($"open {HeapPath} size=1000000");
        Assert.Equal(2, Entries().Length);
    }

    [Fact]
    public async Task A_heap_that_a_dead_creator_left_with_two_names_is_refused_until_one_is_deleted()
    {
        await using var creator = await StartAsync("refuse-unnamed-files", "refuse-rename", "refuse-unlink");
        var id = await creator.AttachToAsync($"create {HeapPath} size=1000000");
        creator.Kill();
        await using var other = await HeapWorker.StartAsync();
        await other.ExpectAsync($"attach {HeapPath}", "failed LinkCount");

        File.Delete(Assert.Single(Entries(), entry => entry != HeapPath));
        Assert.Equal(id, await other.AttachToAsync($"attach {HeapPath}"));
        await other.ExpectAsync("participants", "1");
    }

    [Fact]
    public async Task Processes_that_open_one_path_at_once_all_get_the_same_heap()
    {
        var workers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => StartAsync("refuse-unnamed-files")));
        for (var round = 0; round < Effort.Choose(30, 150, 1000); round++)
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
