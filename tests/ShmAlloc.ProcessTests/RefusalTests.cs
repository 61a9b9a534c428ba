namespace ShmAlloc.ProcessTests;

/// <summary>F6, F7, F8: what a process may not do any more is named, nothing is lost, and no signal ends it.</summary>
public sealed class RefusalTests : IDisposable
{
    private const int FileSize = 1;
    private const int SomeUser = 12345;

    private readonly DirectoryInfo _directory = Directory.CreateDirectory(new TemporaryHeapPath().Value);

    private string HeapPath => Path.Combine(_directory.FullName, "heap");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task F6_a_limit_on_the_size_of_files_is_an_answer_and_no_signal()
    {
        await using var worker = await HeapWorker.StartAsync();
        await worker.AttachToAsync($"create {HeapPath} size=4000000 maximum=64000000");
        await worker.ExpectAsync($"limit {FileSize} {10 << 20}", "limited");
        await worker.ExpectAsync("grow 32000000", "FileSystemFull");
        await worker.AskAsync("fill-up 100000 5000 32");
        await worker.ExpectAsync("check-held", "same");
        Assert.InRange(new FileInfo(HeapPath).Length, 5 << 20, 10 << 20);

        await worker.ExpectAsync($"create {HeapPath}2 size=20000000", "failed FileSystemFull");
        Assert.Contains("RLIMIT_FSIZE", await worker.AskAsync("failure-text"), StringComparison.Ordinal);
        Assert.Single(Directory.GetFiles(_directory.FullName));
    }

    /// <summary>What others made larger than we might is used all the same.</summary>
    [Fact]
    public async Task F6_a_limit_on_the_size_of_files_does_not_keep_anybody_from_a_larger_heap()
    {
        using var heap = ShmHeap.Create(HeapPath, new ShmHeapOptions { SizeBytes = 20 << 20 });
        await using var worker = await HeapWorker.StartAsync();
        await worker.ExpectAsync($"limit {FileSize} {10 << 20}", "limited");
        await worker.AttachToAsync($"attach {HeapPath}");
        await worker.AskAsync("fill-up 100000 5000 32");
        await worker.ExpectAsync("check-held", "same");
    }

    /// <summary>A timer and a kernel that undoes what was interrupted: only short calls get through.</summary>
    [Fact]
    public async Task F8_a_creation_ends_although_every_long_call_is_interrupted_and_undone()
    {
        await using var worker = await StartAsync("interrupt-fallocate 16");
        await worker.AttachToAsync($"create {HeapPath} size=4000000 maximum=64000000");
        await worker.ExpectAsync("grow 8000000", "Ok");
        await worker.ExpectAsync("verify", "sound 0");
    }

    [Fact]
    public async Task F8_a_creation_that_is_always_interrupted_fails_and_says_so()
    {
        await using var worker = await StartAsync("interrupt-fallocate");
        await worker.ExpectAsync($"create {HeapPath} size=4000000", "failed SystemCall");
        Assert.Contains("signals", await worker.AskAsync("failure-text"), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_directory.FullName));
    }

    [Fact]
    public async Task F7_a_process_without_descriptors_is_told_so()
    {
        await using var worker = await HeapWorker.StartAsync();
        await worker.AttachToAsync($"create {HeapPath} size=1000000 maximum=64000000");
        await worker.ExpectAsync($"attach {HeapPath}2", "failed NotFound");
        await worker.ExpectAsync("use-up-descriptors", "limited");
        await worker.ExpectAsync("grow 1000000", "NoDescriptor");
        await worker.ExpectAsync($"attach {HeapPath}", "failed SystemCall");
        Assert.Contains("no descriptor left", await worker.AskAsync("failure-text"), StringComparison.Ordinal);
        await worker.ExpectAsync($"create {HeapPath}2", "failed SystemCall");
        Assert.Contains("no descriptor left", await worker.AskAsync("failure-text"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task F7_a_process_that_became_another_user_is_told_that_it_has_no_permission()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root can become another user.");
        await using var worker = await HeapWorker.StartAsync();
        await worker.AttachToAsync($"create {HeapPath} size=1000000 maximum=64000000");
        await worker.ExpectAsync($"set-user {SomeUser}", "changed");
        await worker.ExpectAsync("grow 1000000", "FileDenied");
        await worker.ExpectAsync($"attach {HeapPath}", "failed AccessDenied");
        Assert.Contains("may not open the file", await worker.AskAsync("failure-text"), StringComparison.Ordinal);
        await worker.ExpectAsync($"create {HeapPath}2", "failed AccessDenied");
        Assert.Contains("may not create files", await worker.AskAsync("failure-text"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task F7_a_process_with_another_root_is_told_that_its_file_cannot_be_found()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root can change its root.");
        Directory.CreateDirectory(Path.Combine(_directory.FullName, "root"));
        await using var worker = await HeapWorker.StartAsync();
        await worker.AttachToAsync($"create {HeapPath} size=1000000 maximum=64000000");
        await worker.ExpectAsync($"create {HeapPath}/x", "failed NotFound");
        await worker.ExpectAsync("is-current", "True");
        await worker.ExpectAsync($"change-root-only {_directory.FullName}/root", "changed");
        await worker.ExpectAsync("grow 1000000", "FileNotCurrent");
        await worker.ExpectAsync("is-current", "False");
        await worker.ExpectAsync($"create {HeapPath}", "failed NotFound");
        Assert.Contains("chroot", await worker.AskAsync("failure-text"), StringComparison.Ordinal);
    }

    /// <summary>A heap with bare blocks gets their storage with a descriptor of its own, too.</summary>
    [Fact]
    public async Task F7_a_process_without_descriptors_is_told_so_where_blocks_are_bare()
    {
        await using var worker = await StartWithBareBlocksAsync();
        await worker.ExpectAsync($"attach {HeapPath}2", "failed NotFound");
        await worker.ExpectAsync("use-up-descriptors", "limited");
        await AllRefusedAsync(worker, "NoDescriptor");
    }

    [Fact]
    public async Task F7_a_process_that_became_another_user_is_told_so_where_blocks_are_bare()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root can become another user.");
        await using var worker = await StartWithBareBlocksAsync();
        await worker.ExpectAsync($"set-user {SomeUser}", "changed");
        await AllRefusedAsync(worker, "FileDenied");
    }

    /// <summary>An error of a disk, a kernel without memory, a filter of system calls, a file system that cannot preallocate.</summary>
    [Theory]
    [InlineData(5)]
    [InlineData(12)]
    [InlineData(1)]
    [InlineData(95)]
    public async Task F7_a_growth_that_fails_for_another_reason_is_no_full_file_system(int error)
    {
        await using var worker = await StartWithBareBlocksAsync();
        var answer = await worker.AskAsync($"refuse-fallocate {error}");
        Assert.SkipWhen(answer.StartsWith("exception", StringComparison.Ordinal), $"System calls cannot be refused here: {answer}");
        await worker.ExpectAsync("grow 4000000", "SystemFailure");
        await AllRefusedAsync(worker, "SystemFailure");
    }

    /// <summary>It may be one that writes to new places.</summary>
    [Fact]
    public async Task F5_a_file_system_that_does_not_say_what_it_is_is_refused()
    {
        using var heap = ShmHeap.Create(HeapPath, new ShmHeapOptions { SizeBytes = 1 << 20 });
        await using var worker = await StartAsync("refuse-statfs");
        await worker.ExpectAsync($"create {HeapPath}2 size=1000000", "failed CopyOnWrite");
        Assert.Contains("fstatfs", await worker.AskAsync("failure-text"), StringComparison.Ordinal);
        await worker.ExpectAsync($"attach {HeapPath}", "failed CopyOnWrite");
        await worker.AttachToAsync($"attach-read-only {HeapPath}");
        Assert.Single(Directory.GetFiles(_directory.FullName));
    }

    private async Task<HeapWorker> StartWithBareBlocksAsync()
    {
        var worker = await HeapWorker.StartAsync();

        // A rehearsal, so that the runtime needs nothing more while something is refused.
        await worker.AttachToAsync($"create {HeapPath}-rehearsal size=1000000 maximum=4000000");
        Assert.EndsWith(" OutOfMemory", await worker.AskAsync("fill-up 400000 5000"), StringComparison.Ordinal);
        await worker.ExpectAsync("check-held", "same");
        await worker.ExpectAsync("free-held", "freed");
        await worker.ExpectAsync("verify", "sound 0");
        await worker.ExpectAsync("detach", "detached");

        await worker.AttachToAsync($"create {HeapPath} size=1000000 maximum=32000000");
        await worker.ExpectAsync("grow 8000000", "Ok");
        Assert.InRange(await worker.NumberAsync("trim"), 8_000_000, 9_000_000);
        return worker;
    }

    /// <summary>A run and what lies in a block are refused with the same status, and nothing is lost.</summary>
    private static async Task AllRefusedAsync(HeapWorker worker, string status)
    {
        await worker.ExpectAsync("malloc 2000000", status);
        Assert.EndsWith($" {status}", await worker.AskAsync("fill-up 5000"), StringComparison.Ordinal);
        await worker.ExpectAsync("check-held", "same");
        await worker.ExpectAsync("free-held", "freed");
        await worker.ExpectAsync("verify", "sound 0");
    }

    private static async Task<HeapWorker> StartAsync(string refusal)
    {
        var worker = await HeapWorker.StartAsync();
        var answer = await worker.AskAsync(refusal);
        Assert.SkipWhen(answer.StartsWith("exception", StringComparison.Ordinal), $"System calls cannot be refused here: {answer}");
        return worker;
    }
}
