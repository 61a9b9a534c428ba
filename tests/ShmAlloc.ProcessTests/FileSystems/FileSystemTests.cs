namespace ShmAlloc.ProcessTests.FileSystems;

/// <summary>F2, F5: every file system keeps what a heap promises, or the heap is refused there. docs/operations.md has the table.</summary>
public sealed class FileSystemTests
{
    private const long Tolerance = 256 << 10;

    public static TheoryData<string> Names => [.. MountedFileSystem.All];

    public static TheoryData<string, bool> NamesTwice =>
        [.. MountedFileSystem.All.SelectMany(name => (TheoryDataRow<string, bool>[])[new(name, false), new(name, true)])];

    /// <summary>Where the file system does not say what is free (a quota does not show), the growth begins, fails half-way, and gives back.</summary>
    [Theory]
    [MemberData(nameof(NamesTwice))]
    public async Task F2_a_growth_that_fails_leaves_as_much_room_as_there_was(string name, bool cannotAsk)
    {
        await using var mounted = await MountedFileSystem.MountAsync(name);
        var worker = mounted.Worker;
        await worker.AttachToAsync($"create {mounted.HeapPath} size={4 << 20} maximum={1 << 30}");
        var free = await mounted.FreeBytesAsync();
        if (cannotAsk)
        {
            await worker.ExpectAsync("refuse-statfs", "refusing fstatfs");
        }

        await worker.ExpectAsync($"malloc {400 << 20}", "FileSystemFull");
        await worker.ExpectAsync("committed", $"{4 << 20}");
        Assert.InRange(await mounted.FreeBytesAsync(), free - Tolerance, free + Tolerance);

        await worker.ExpectAsync($"grow {8 << 20}", "Ok");
        Assert.InRange(await mounted.FreeBytesAsync(), free - (9 << 20), free - (8 << 20) + Tolerance);
        await worker.ExpectAsync("verify", "sound 0");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task F2_a_creation_that_fails_leaves_as_much_room_as_there_was_and_no_file(string name)
    {
        await using var mounted = await MountedFileSystem.MountAsync(name);
        var free = await mounted.FreeBytesAsync();
        await mounted.Worker.ExpectAsync($"create {mounted.HeapPath} size={400 << 20}", "failed FileSystemFull");
        await mounted.Worker.ExpectAsync($"list {mounted.Directory}", name == MountedFileSystem.Ext4 ? "lost+found" : "");
        Assert.InRange(await mounted.FreeBytesAsync(), free - Tolerance, free + Tolerance);
    }

    /// <summary>Not large: a btrfs that is full takes milliseconds for each page.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public async Task F5_memory_can_be_written_again_when_others_have_filled_the_disk(string name)
    {
        await using var mounted = await MountedFileSystem.MountAsync(name);
        var worker = mounted.Worker;
        await worker.AttachToAsync($"create {mounted.HeapPath} size=500000 maximum=1000000");
        await worker.ExpectAsync("grow 400000", "Ok");
        await worker.AskAsync("fill-up 100000 5000 32");
        await mounted.RunAsync($"sync -f {mounted.HeapPath}");
        await worker.ExpectAsync($"fill-disk {mounted.Directory}/hog", "full");
        await worker.ExpectAsync("rewrite-held", "rewritten");
        await mounted.RunAsync($"sync -f {mounted.HeapPath}");
        await worker.ExpectAsync("rewrite-held", "rewritten");
        await worker.ExpectAsync("check-held", "same");
        await worker.ExpectAsync("detach", "detached");
        await worker.AttachToAsync($"attach {mounted.HeapPath}");
        await worker.ExpectAsync("check-held", "same");
    }

    [Fact]
    public async Task F5_a_heap_on_btrfs_whose_file_is_copied_on_write_is_refused()
    {
        await using var mounted = await MountedFileSystem.MountAsync(MountedFileSystem.Btrfs);
        await MakeAndLeaveAsync(mounted);
        await mounted.RunAsync($"cp --reflink=never {mounted.HeapPath} {mounted.HeapPath}2");
        await RefusedAsync(mounted, $"{mounted.HeapPath}2", "chattr +C");
        await mounted.Worker.AttachToAsync($"attach-read-only {mounted.HeapPath}2");

        await mounted.RunAsync($"touch {mounted.HeapPath}3");
        await mounted.RunAsync($"chattr +C {mounted.HeapPath}3");
        await mounted.RunAsync($"chmod 600 {mounted.HeapPath}3");
        await mounted.RunAsync($"cp --reflink=never {mounted.HeapPath} {mounted.HeapPath}3");
        await mounted.Worker.AttachToAsync($"attach {mounted.HeapPath}3");
    }

    [Fact]
    public async Task F5_a_heap_on_btrfs_of_which_there_is_a_snapshot_is_refused()
    {
        await using var mounted = await MountedFileSystem.MountAsync(MountedFileSystem.Btrfs);
        await mounted.RunAsync($"btrfs -q subvolume create {mounted.Directory}/part");
        await mounted.Worker.AttachToAsync($"create {mounted.Directory}/part/heap size=1000000");
        await mounted.Worker.ExpectAsync("detach", "detached");
        await mounted.RunAsync($"btrfs -q subvolume snapshot {mounted.Directory}/part {mounted.Directory}/snapshot");
        await RefusedAsync(mounted, $"{mounted.Directory}/part/heap", "snapshot");
    }

    [Fact]
    public async Task F5_what_a_heap_on_xfs_shares_with_a_copy_gets_storage_of_its_own_if_there_is_room()
    {
        await using var mounted = await MountedFileSystem.MountAsync(MountedFileSystem.Xfs);
        await MakeAndLeaveAsync(mounted);
        await mounted.RunAsync($"cp --reflink=always {mounted.HeapPath} {mounted.HeapPath}2");
        await mounted.Worker.ExpectAsync($"fill-disk {mounted.Directory}/hog", "full");
        await RefusedAsync(mounted, $"{mounted.HeapPath}2", "cp --reflink");
        await RefusedAsync(mounted, mounted.HeapPath, "cp --reflink");

        await mounted.RunAsync($"rm {mounted.Directory}/hog");
        await mounted.Worker.AttachToAsync($"attach {mounted.HeapPath}2");
        await mounted.Worker.AskAsync("fill-up 100000 5000 32");
        await mounted.Worker.ExpectAsync($"fill-disk {mounted.Directory}/hog", "full");
        await mounted.Worker.ExpectAsync("rewrite-held", "rewritten");
        await mounted.RunAsync($"sync -f {mounted.HeapPath}2");
        await mounted.Worker.ExpectAsync("check-held", "same");
    }

    /// <summary>A quota does not show in what the file system says is free. This kind needs no support in the kernel but that of btrfs.</summary>
    [Fact]
    public async Task F2_F7_a_quota_is_named_and_what_was_taken_before_it_is_given_back()
    {
        await using var mounted = await MountedFileSystem.MountAsync(MountedFileSystem.Btrfs);
        var worker = mounted.Worker;
        var part = $"{mounted.Directory}/part";
        await mounted.RunAsync($"btrfs quota enable {mounted.Directory}");
        await mounted.RunAsync($"btrfs -q subvolume create {part}");
        await mounted.RunAsync($"btrfs qgroup limit 30M {part}");
        await worker.AttachToAsync($"create {part}/heap size={4 << 20} maximum={1 << 30}");
        var free = await mounted.FreeBytesAsync();
        await worker.ExpectAsync($"malloc {100 << 20}", "FileSystemFull");
        Assert.InRange(await mounted.FreeBytesAsync(), free - Tolerance, free + Tolerance);
        await worker.ExpectAsync($"grow {16 << 20}", "Ok");
        await worker.ExpectAsync($"create {part}/heap2 size={30 << 20}", "failed FileSystemFull");
        Assert.Contains("quota", await worker.AskAsync("failure-text"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task F7_a_file_system_without_inodes_is_named()
    {
        await using var mounted = await MountedFileSystem.MountAsync(MountedFileSystem.Tmpfs, "nr_inodes=2");
        await mounted.RunAsync($"touch {mounted.Directory}/other");
        await mounted.Worker.ExpectAsync($"create {mounted.HeapPath} size=1000000", "failed FileSystemFull");
        Assert.Contains("inodes", await mounted.Worker.AskAsync("failure-text"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task F7_a_file_system_that_is_mounted_read_only_is_named()
    {
        await using var mounted = await MountedFileSystem.MountAsync(MountedFileSystem.Tmpfs);
        await MakeAndLeaveAsync(mounted);
        await mounted.RunAsync($"mount -o remount,ro {mounted.Directory}");
        await mounted.Worker.ExpectAsync($"open {mounted.HeapPath}", "failed AccessDenied");
        Assert.Contains("mounted read-only", await mounted.Worker.AskAsync("failure-text"), StringComparison.Ordinal);
        await mounted.Worker.AttachToAsync($"attach-read-only {mounted.HeapPath}");
    }

    /// <summary>As on a shared-memory file system of a container, 64 MiB: others find room there.</summary>
    [Fact]
    public async Task F61_a_heap_of_default_size_leaves_half_of_its_file_system()
    {
        await using var mounted = await MountedFileSystem.MountAsync(MountedFileSystem.Tmpfs, "size=64m");
        await mounted.Worker.AttachToAsync($"create {mounted.HeapPath}");
        Assert.Equal("OutOfMemory", (await mounted.Worker.AskAsync("fill-up 100000")).Split(' ')[^1]);
        Assert.InRange(await mounted.FreeBytesAsync(), 30 << 20, 32 << 20);
        await mounted.Worker.ExpectAsync("committed", $"{32 << 20}");
    }

    private static async Task MakeAndLeaveAsync(MountedFileSystem mounted)
    {
        await mounted.Worker.AttachToAsync($"create {mounted.HeapPath} size=1000000");
        await mounted.Worker.ExpectAsync("detach", "detached");
    }

    private static async Task RefusedAsync(MountedFileSystem mounted, string path, string word)
    {
        await mounted.Worker.ExpectAsync($"attach {path}", "failed CopyOnWrite");
        Assert.Contains(word, await mounted.Worker.AskAsync("failure-text"), StringComparison.Ordinal);
    }
}
