namespace ShmAlloc.ProcessTests.FileSystems;

/// <summary>
/// A file system that only one worker sees: an image behind a loop device, or memory. It is gone with the worker, also if the test fails;
/// where this process may not mount it, the test is skipped with the reason.
/// </summary>
internal sealed class MountedFileSystem : IAsyncDisposable
{
    internal const string Tmpfs = "tmpfs";
    internal const string Ext4 = "ext4";
    internal const string Xfs = "xfs";
    internal const string Btrfs = "btrfs";
    internal const string OverlayOnExt4 = "overlayfs on ext4";
    internal const string OverlayOnBtrfs = "overlayfs on btrfs";

    private static readonly Dictionary<string, string[]> Makers = new(StringComparer.Ordinal)
    {
        [Ext4] = ["mkfs.ext4", "-q"],
        [Xfs] = ["mkfs.xfs", "-q"],
        [Btrfs] = ["mkfs.btrfs", "-q"],
    };

    private readonly DirectoryInfo _outside;

    private MountedFileSystem(DirectoryInfo outside, HeapWorker worker, string directory)
    {
        _outside = outside;
        Worker = worker;
        Directory = directory;
    }

    /// <summary>All that are tried.</summary>
    internal static string[] All => [Tmpfs, Ext4, Xfs, Btrfs, OverlayOnExt4, OverlayOnBtrfs];

    /// <summary>The one that sees it.</summary>
    internal HeapWorker Worker { get; }

    /// <summary>Where it is mounted.</summary>
    internal string Directory { get; }

    internal string HeapPath => Path.Combine(Directory, "heap");

    /// <summary>Makes one of 300 MiB (those that must be larger: 360), and mounts it.</summary>
    /// <param name="name">One of <see cref="All"/>.</param>
    /// <param name="options">For mount.</param>
    internal static async Task<MountedFileSystem> MountAsync(string name, string options = "")
    {
        Namespaces.SkipUnlessPermitted(Namespaces.OwnMounts);
        var outside = System.IO.Directory.CreateDirectory(new TemporaryHeapPath().Value);
        HeapWorker? worker = null;
        try
        {
            worker = await HeapWorker.StartAsync(Namespaces.OwnMounts);
            var words = name.Split(' ');
            var directory = Path.Combine(outside.FullName, "mounted");
            System.IO.Directory.CreateDirectory(directory);
            var source = words[^1];
            await RunAsync(worker, source == Tmpfs ? $"mount -t tmpfs -o size=300m{(options.Length == 0 ? "" : ",")}{options} tmpfs {directory}"
                : await ImageAsync(worker, source, options, outside, directory));
            if (words.Length > 1)
            {
                directory = await OverlayAsync(worker, outside, directory);
            }

            return new MountedFileSystem(outside, worker, directory);
        }
        catch
        {
            await DisposeAsync(outside, worker);
            throw;
        }
    }

    /// <summary>Of all that is written; btrfs counts only that.</summary>
    internal async Task<long> FreeBytesAsync()
    {
        await RunAsync($"sync -f {Directory}");
        return await Worker.NumberAsync($"free-bytes {Directory}");
    }

    /// <summary>Runs a program that sees the file system, and fails if that fails.</summary>
    internal Task RunAsync(string command) => Worker.ExpectAsync($"run {command}", "done");

    public ValueTask DisposeAsync() => DisposeAsync(_outside, Worker);

    private static async ValueTask DisposeAsync(DirectoryInfo outside, HeapWorker? worker)
    {
        if (worker != null)
        {
            await worker.DisposeAsync();
        }

        outside.Delete(recursive: true);
    }

    /// <returns>How to mount it.</returns>
    private static async Task<string> ImageAsync(HeapWorker worker, string type, string options, DirectoryInfo outside, string directory)
    {
        const long mebibyte = 1 << 20;
        Assert.SkipUnless(Environment.IsPrivilegedProcess, $"Only root may mount an image of {type}.");
        var image = Path.Combine(outside.FullName, "image");
        using (var file = File.Create(image))
        {
            file.SetLength((type == Ext4 ? 300 : 360) * mebibyte);
        }

        await RunAsync(worker, $"{string.Join(' ', Makers[type])} {image}");
        return $"mount -t {type} -o loop{(options.Length == 0 ? "" : ",")}{options} {image} {directory}";
    }

    private static async Task<string> OverlayAsync(HeapWorker worker, DirectoryInfo outside, string below)
    {
        var directory = Path.Combine(outside.FullName, "overlay");
        System.IO.Directory.CreateDirectory(directory);
        await RunAsync(worker, $"mkdir {below}/lower {below}/upper {below}/work");
        await RunAsync(worker, $"mount -t overlay -o lowerdir={below}/lower,upperdir={below}/upper,workdir={below}/work overlay {directory}");
        return directory;
    }

    /// <summary>Only a kernel that does not mount it skips a test: that is what exit code 32 of mount says. Whatever else fails is a failure.</summary>
    private static async Task RunAsync(HeapWorker worker, string command)
    {
        var answer = await worker.AskAsync($"run {command}");
        Assert.SkipWhen(command.StartsWith("mount ", StringComparison.Ordinal) && answer.StartsWith("exit 32:", StringComparison.Ordinal),
            $"This is not mounted here: '{command}': {answer}");
        Assert.True(answer == "done", $"'{command}': {answer}");
    }
}
