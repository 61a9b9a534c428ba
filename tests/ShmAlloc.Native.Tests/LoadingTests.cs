namespace ShmAlloc.Native.Tests;

/// <summary>Loading, preloading and closing the library.</summary>
public sealed class LoadingTests : IDisposable
{
    private readonly TemporaryHeapPath _path = new();

    public void Dispose() => _path.Dispose();

    [Theory]
    [InlineData("keep")]
    [InlineData("leave")]
    public async Task A_thousand_rounds_of_loading_and_closing_leave_nothing_behind(string mode)
    {
        var executable = await CProgram.BuildAsync("loading.c", "-Wl,--as-needed");
        var result = await Command.RunAsync(executable, [Locations.Library, _path.Value, mode]);
        Assert.True(result.ExitCode == 0, result.Text);
        using var heap = ShmHeap.Attach(_path.Value);
        Assert.InRange(heap.GetStatistics().Participants, 1, 2);
        Assert.Equal(0, heap.GetStatistics().Allocations);
    }

    [Fact]
    public async Task Preloaded_into_a_shell_pipeline_it_changes_nothing_and_every_process_maps_the_heap()
    {
        const string pipeline = "seq 1 2000 | sort -rn | (head -n 500; cat > /dev/null) | grep 1 | awk '{ sum += $1 } END { print sum }'; "
            + "for i in 1 2 3 4 5; do echo $(expr $i \\* 2); done | tr '\\n' ' '; grep -c libshm_alloc /proc/self/maps; exit 7";
        var alone = await Command.RunAsync("sh", ["-c", pipeline]);
        var preloaded = await Command.RunAsync("sh", ["-c", pipeline], ("LD_PRELOAD", Locations.Library), ("SHM_FILE", _path.Value));
        Assert.Equal(7, alone.ExitCode);
        Assert.Equal(7, preloaded.ExitCode);
        Assert.Equal("", preloaded.Errors);
        var (before, after) = (alone.Output.TrimEnd().Split(' '), preloaded.Output.TrimEnd().Split(' '));
        Assert.Equal(before[..^1], after[..^1]);
        Assert.Equal("0", before[^1]);
        Assert.NotEqual("0", after[^1]);
        using var heap = ShmHeap.Attach(_path.Value);
        Assert.Equal(1, heap.GetStatistics().Participants);
        Assert.True(heap.Verify().IsSound);
    }

    [Fact]
    public async Task Preloaded_without_a_path_it_does_nothing()
    {
        var result = await Command.RunAsync("sh", ["-c", "echo $(echo inner)"], ("LD_PRELOAD", Locations.Library));
        Assert.Equal(("inner\n", "", 0), (result.Output, result.Errors, result.ExitCode));
    }

    [Fact]
    public async Task A_path_that_cannot_be_used_is_silent_at_load()
    {
        var result = await Command.RunAsync("echo", ["still works"], ("LD_PRELOAD", Locations.Library), ("SHM_FILE", "/dev/null/none"));
        Assert.Equal(("still works\n", "", 0), (result.Output, result.Errors, result.ExitCode));
    }
}
