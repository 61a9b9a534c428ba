namespace ShmAlloc.Native.Tests;

/// <summary>The sample that does what the original is for, on a real build: many short processes, fork and exec.</summary>
public sealed class StatCacheTests : IDisposable
{
    private readonly TemporaryHeapPath _path = new();
    private readonly string _alone = Directory.CreateTempSubdirectory("shmalloc-build-").FullName;
    private readonly string _cached = Directory.CreateTempSubdirectory("shmalloc-build-").FullName;

    public void Dispose()
    {
        _path.Dispose();
        Directory.Delete(_alone, recursive: true);
        Directory.Delete(_cached, recursive: true);
    }

    [Fact]
    public async Task A_build_with_the_cache_gives_the_same_files_and_most_answers_come_from_other_processes()
    {
        var library = await CProgram.BuildAsync(Path.Combine(Locations.Samples, "StatCache/stat_cache.c"), "-shared", "-fPIC");
        var alone = await BuildAsync(_alone);
        var cached = await BuildAsync(_cached, ("LD_PRELOAD", library), ("STAT_CACHE", _path.Value), ("STAT_CACHE_BELOW", "/usr/"));
        Assert.Equal((alone.ExitCode, alone.Output, alone.Errors), (cached.ExitCode, cached.Output, cached.Errors));
        Assert.Equal(0, alone.ExitCode);
        Assert.Equal(Contents(_alone), Contents(_cached));

        using var heap = ShmHeap.Attach(_path.Value);
        var table = new ShmOffset(heap.ReadRoot(0));
        var (hits, misses) = (Counter(heap, table, 0), Counter(heap, table, 1));
        TestContext.Current.TestOutputHelper?.WriteLine($"{hits} answers from the heap, {misses} from the kernel");
        Assert.True(hits > 5 * misses, $"{hits} answers from the heap, {misses} from the kernel");
        Assert.True(heap.Verify().IsSound);
        heap.RecoverDead();
        Assert.Equal(1, heap.GetStatistics().Participants);
    }

    private static Task<CommandResult> BuildAsync(string directory, params (string, string)[] environment) => Command.RunAsync(
        "sh", ["-c", "cd \"$1\" && exec \"$2\"", "build", directory, Path.Combine(Locations.Samples, "StatCache/build.sh")], environment);

    private static List<(string, string)> Contents(string directory) =>
        [.. from path in Directory.EnumerateFiles(directory).Order(StringComparer.Ordinal)
            select (Path.GetFileName(path), Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(path))))];

    private static ulong Counter(ShmHeap heap, ShmOffset table, int index) => heap.GetReference<ulong>(new ShmOffset(table.Value + ((ulong)index * 8)));
}
