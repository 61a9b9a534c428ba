using System.Diagnostics;
using System.Globalization;

namespace ShmAlloc.ProcessTests;

/// <summary>A file system without room is an error that says so, never a SIGBUS: every byte that was handed out is written.</summary>
public sealed class FullFileSystemTests : IDisposable
{
    private readonly DirectoryInfo _directory;

    public FullFileSystemTests()
    {
        Namespaces.SkipUnlessPermitted(Namespaces.OwnMounts);
        _directory = Directory.CreateDirectory(new TemporaryHeapPath().Value);
    }

    private string HeapPath => Path.Combine(_directory.FullName, "heap");

    public void Dispose() => _directory?.Delete(recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_heap_that_does_not_fit_is_not_created_and_leaves_nothing(bool withoutUnnamedFiles)
    {
        await using var worker = await StartOnSmallFileSystemAsync();
        if (withoutUnnamedFiles)
        {
            await worker.ExpectAsync("refuse-unnamed-files", "refusing");
        }

        await worker.ExpectAsync($"create {HeapPath} size=8000000", "failed FileSystemFull");
        await worker.ExpectAsync($"open {HeapPath} size=8000000", "failed FileSystemFull");
        await worker.ExpectAsync($"list {_directory}", "");
        await worker.AttachToAsync($"create {HeapPath} size=3000000");
        await worker.AskAsync("fill-up 100000 5000 32");
        await worker.ExpectAsync("check-held", "same");
    }

    [Fact]
    public async Task Growth_that_does_not_fit_is_a_status_and_the_heap_stays_usable()
    {
        await using var worker = await StartOnSmallFileSystemAsync();
        await worker.AttachToAsync($"create {HeapPath} size=1000000 maximum=64000000");
        await worker.ExpectAsync("grow 32000000", "FileSystemFull");
        await worker.ExpectAsync("committed", $"{1 << 20}");

        var statuses = (await worker.AskAsync("fill-up 200000 5000 700 32")).Split(' ').Where((_, index) => index % 2 == 1);
        Assert.All(statuses, status => Assert.Equal("FileSystemFull", status));
        Assert.InRange(await worker.NumberAsync("committed"), 3 << 20, 4 << 20);
        await worker.ExpectAsync("check-held", "same");
        Assert.StartsWith("sound", await worker.AskAsync("verify"), StringComparison.Ordinal);

        await worker.ExpectAsync("free-held", "freed");
        await worker.OffsetAsync("malloc 2000000");
        await worker.OffsetAsync("reserve 5000");
        await worker.ExpectAsync("verify", "sound 1");
    }

    [Fact]
    public async Task A_heap_does_not_notice_that_others_fill_its_file_system()
    {
        await using var worker = await StartOnSmallFileSystemAsync();
        await worker.AttachToAsync($"create {HeapPath} size=1000000 maximum=2000000");
        await worker.ExpectAsync($"hog {_directory}/hog", "full");
        var words = (await worker.AskAsync("fill-up 100000 5000 32")).Split(' ');
        Assert.Equal("FileSystemFull", words[^1]);
        await worker.ExpectAsync("check-held", "same");
        await worker.ExpectAsync("detach", "detached");
        await worker.AttachToAsync($"attach {HeapPath}");
        await worker.ExpectAsync("check-held", "same");
        Assert.StartsWith("sound", await worker.AskAsync("verify"), StringComparison.Ordinal);
    }

    /// <summary>A moment without room, or without a descriptor to ask for it: values make room for one another until it is over, and the heap grows then.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task F32_a_cache_whose_heap_could_not_grow_for_a_moment_grows_again(bool isDiskFull)
    {
        await using var worker = await StartOnSmallFileSystemAsync();
        await worker.AttachToAsync($"create {HeapPath} size=1000000 maximum=64000000");
        await worker.ExpectAsync("open-cache", "opened default");
        var committed = await worker.NumberAsync("committed");
        await worker.ExpectAsync(isDiskFull ? $"hog {_directory}/hog" : "use-up-descriptors", isDiskFull ? "full" : "limited");
        var evictions = await SetManyAsync();
        Assert.NotEqual(0, evictions);
        Assert.Equal(committed, await worker.NumberAsync("committed"));

        await worker.ExpectAsync(isDiskFull ? $"run rm {_directory}/hog" : "limit 7 1024", isDiskFull ? "done" : "limited");
        for (var start = Stopwatch.GetTimestamp(); await worker.NumberAsync("committed") == committed;)
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromMinutes(1), "The heap never grows again.");
            evictions = await SetManyAsync();
        }

        await SetManyAsync();
        var before = await SetManyAsync();
        Assert.Equal(before, await SetManyAsync());

        async Task<long> SetManyAsync()
        {
            var words = (await worker.AskAsync("set-many 1500 1000")).Split(' ');
            Assert.Equal("0", words[0]);
            return long.Parse(words[1], CultureInfo.InvariantCulture);
        }
    }

    private async Task<HeapWorker> StartOnSmallFileSystemAsync()
    {
        var worker = await HeapWorker.StartAsync(Namespaces.OwnMounts);
        await worker.ExpectAsync($"mount-tmpfs {_directory} 4m", "mounted");
        return worker;
    }
}
