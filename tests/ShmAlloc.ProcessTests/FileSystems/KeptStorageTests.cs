namespace ShmAlloc.ProcessTests.FileSystems;

/// <summary>F2: what is refused for want of room leaves as much room as there was: at attaching, and where bare blocks get their storage again.</summary>
public sealed class KeptStorageTests
{
    private const long Tolerance = 256 << 10;
    private const int Mebibyte = 1 << 20;

    [Fact]
    public async Task F2_a_sparse_copy_that_does_not_fit_is_refused_and_takes_nothing()
    {
        await using var mounted = await MountedFileSystem.MountAsync(MountedFileSystem.Tmpfs, "size=20m");
        using var original = new TemporaryHeapPath();
        await MakeSparseCopyAsync(mounted.Worker, original.Value, mounted.HeapPath, 30 * Mebibyte);
        var free = await mounted.FreeBytesAsync();
        await mounted.Worker.ExpectAsync($"attach {mounted.HeapPath}", "failed FileSystemFull");
        Assert.InRange(await mounted.FreeBytesAsync(), free - Tolerance, free + Tolerance);

        await mounted.RunAsync($"mount -o remount,size=40m {mounted.Directory}");
        await mounted.Worker.AttachToAsync($"attach {mounted.HeapPath}");
        Assert.Equal("OutOfMemory", (await mounted.Worker.AskAsync("fill-up 100000")).Split(' ')[^1]);
        await mounted.Worker.ExpectAsync("check-held", "same");
    }

    /// <summary>A quota does not show in what the file system says is free: the fill begins, and fails half-way. What the copy holds stays.</summary>
    [Fact]
    public async Task F2_a_sparse_copy_beyond_a_quota_is_refused_and_gives_back_what_was_filled()
    {
        await using var mounted = await MountedFileSystem.MountAsync(MountedFileSystem.Btrfs);
        using var original = new TemporaryHeapPath();
        var part = $"{mounted.Directory}/part";
        await mounted.RunAsync($"btrfs quota enable {mounted.Directory}");
        await mounted.RunAsync($"btrfs -q subvolume create {part}");
        await mounted.RunAsync($"btrfs qgroup limit 30M {part}");
        await mounted.RunAsync($"touch {part}/heap");
        await mounted.RunAsync($"chattr +C {part}/heap");
        await mounted.RunAsync($"chmod 600 {part}/heap");
        await MakeSparseCopyAsync(mounted.Worker, original.Value, $"{part}/heap", 60 * Mebibyte);
        var free = await mounted.FreeBytesAsync();
        await mounted.Worker.ExpectAsync($"attach {part}/heap", "failed FileSystemFull");
        Assert.Contains("quota", await mounted.Worker.AskAsync("failure-text"), StringComparison.Ordinal);
        Assert.InRange(await mounted.FreeBytesAsync(), free - Tolerance, free + Tolerance);

        await mounted.RunAsync($"btrfs qgroup limit none {part}");
        await mounted.Worker.AttachToAsync($"attach {part}/heap");
        await mounted.Worker.ExpectAsync("verify", "sound 1");
    }

    /// <summary>Two bare pieces with a free block between them, of which the file system has room for one.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task F2_a_run_over_several_bare_pieces_that_is_refused_takes_nothing(bool cannotAsk)
    {
        const int piece = 16 * Mebibyte;
        await using var mounted = await MountedFileSystem.MountAsync(MountedFileSystem.Tmpfs);
        var worker = mounted.Worker;
        await worker.AttachToAsync($"create {mounted.HeapPath} size={2 * Mebibyte} maximum={64 * Mebibyte}");
        var first = await worker.OffsetAsync($"malloc {piece}");
        var between = await worker.OffsetAsync("malloc 200000");
        var second = await worker.OffsetAsync($"malloc {piece}");
        await worker.ExpectAsync($"free {first.Value}", "Ok");
        await worker.ExpectAsync($"free {second.Value}", "Ok");
        Assert.InRange(await worker.NumberAsync("trim"), (2 * piece) - (2 * Mebibyte), (2 * piece) + (16 * Mebibyte));
        await worker.ExpectAsync($"free {between.Value}", "Ok");
        await mounted.RunAsync($"fallocate -l {await mounted.FreeBytesAsync() - (piece + (4 * Mebibyte))} {mounted.Directory}/hog");
        var free = await mounted.FreeBytesAsync();
        if (cannotAsk)
        {
            await worker.ExpectAsync("refuse-statfs", "refusing fstatfs");
        }

        await worker.ExpectAsync($"malloc {30 * Mebibyte}", "FileSystemFull");
        Assert.InRange(await mounted.FreeBytesAsync(), free - Tolerance, free + Tolerance);
        await worker.ExpectAsync("verify", "sound 0");

        await mounted.RunAsync($"rm {mounted.Directory}/hog");
        await worker.OffsetAsync($"malloc {30 * Mebibyte}");
    }

    [Fact]
    public async Task F2_what_a_heap_on_xfs_shares_with_a_copy_takes_no_room_if_there_is_not_enough_for_all_of_it()
    {
        await using var mounted = await MountedFileSystem.MountAsync(MountedFileSystem.Xfs);
        await mounted.Worker.AttachToAsync($"create {mounted.HeapPath} size={20 * Mebibyte}");
        await mounted.Worker.AskAsync("fill-up 100000 5000");
        await mounted.Worker.ExpectAsync("free-held", "freed");
        await mounted.Worker.ExpectAsync("detach", "detached");
        await mounted.RunAsync($"cp --reflink=always {mounted.HeapPath} {mounted.HeapPath}2");
        await mounted.RunAsync($"fallocate -l {await mounted.FreeBytesAsync() - (8 * Mebibyte)} {mounted.Directory}/hog");
        var free = await mounted.FreeBytesAsync();
        await mounted.Worker.ExpectAsync($"attach {mounted.HeapPath}2", "failed CopyOnWrite");
        Assert.InRange(await mounted.FreeBytesAsync(), free - Tolerance, free + Tolerance);

        await mounted.RunAsync($"rm {mounted.Directory}/hog");
        await mounted.Worker.AttachToAsync($"attach {mounted.HeapPath}2");
    }

    /// <summary>With one allocation in it, so that not all of it is a hole.</summary>
    private static async Task MakeSparseCopyAsync(HeapWorker worker, string original, string copy, int sizeBytes)
    {
        await worker.AttachToAsync($"create {original} size={sizeBytes}");
        var kept = await worker.OffsetAsync("malloc 100000");
        await worker.ExpectAsync($"fill {kept.Value} 100000 7", "filled");
        await worker.ExpectAsync("detach", "detached");
        await worker.ExpectAsync($"run cp --sparse=always {original} {copy}", "done");
    }
}
