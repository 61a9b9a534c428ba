using System.Globalization;

namespace ShmAlloc.Native.Tests;

/// <summary>
/// Crowds of threads in C, as those in .NET: no call fails while there is room. Never more than an eighth of what the heap may grow to is live at once. The
/// longest single call is printed, and never judged.
/// </summary>
public sealed class CrowdTests(ITestOutputHelper output) : IDisposable
{
    private const long MiB = 1 << 20;
    private const long Start = 16 * MiB;
    private const long Maximum = 2048 * MiB;

    /// <summary>How long each crowd works at least; its calls are counted, too.</summary>
    private static readonly int Milliseconds = Effort.Choose(200, 3_000, 18_000);

    private readonly TemporaryHeapPath _path = new();

    public static TheoryData<int, int> Crowds =>
        [.. from threads in (int[])[1, 8, 17, 32, 64, 128] from processes in (int[])[1, 4] select (threads, processes)];

    public void Dispose() => _path.Dispose();

    [Theory]
    [MemberData(nameof(Crowds))]
    public Task F1_no_allocation_fails_while_there_is_room_and_each_is_its_owners_alone(int threads, int processes) => RunAsync(
        "mix", processes, threads, 1, 65_536, Math.Min(8 * MiB, 256 * MiB / (threads * processes)), Math.Max(200, 40_000 / (threads * processes)), Start, Maximum);

    /// <summary>F1: operations had 16 cells, and threads are preempted while they hold one.</summary>
    [Fact]
    public Task F1_sixty_four_threads_allocate_and_free_in_an_empty_heap() => RunAsync("mix", 1, 64, 3_000, 3_000, 3_000, 4_000, Maximum, Maximum);

    /// <summary>F1: what one thread had the heap grow for, another one took, until the first gave up.</summary>
    [Fact]
    public Task F1_thirty_two_threads_ask_for_runs_of_blocks_while_the_heap_grows() => RunAsync("mix", 1, 32, 51_200, 51_200, 8 * MiB, 1_000, Start, Maximum);

    /// <summary>F1: a test of the original's, which it passes.</summary>
    [Fact]
    public Task F1_ten_processes_of_ten_threads_allocate_while_the_heap_grows() => RunAsync("mix", 10, 10, 1, 4_096, 2 * MiB, 10_000, Start, Maximum);

    /// <summary>F1: a cell was held while memory was cleared, which takes long.</summary>
    [Fact]
    public Task F1_sixteen_threads_clear_much_memory_and_others_allocate_meanwhile() => RunAsync("calloc", 1, 32, 1_000, 64 * MiB, 0, 3, Start, 2 * Maximum);

    /// <summary>F38: as F1, in a cache.</summary>
    [Fact]
    public Task F38_sixty_four_threads_set_large_values_in_a_cache_that_has_room_for_all() => RunAsync("set", 1, 64, 200_000, 0, 4, 60, Start, Maximum);

    private async Task RunAsync(string mode, int processes, int threads, long smallest, long largest, long live, int calls, long size, long maximum)
    {
        var program = await CProgram.BuildAsync("crowd.c");
        long[] numbers = [processes, threads, smallest, largest, live, calls, Milliseconds, size, maximum];
        var words = numbers.Select(number => number.ToString(CultureInfo.InvariantCulture));
        var result = await Command.RunAsync(program, [mode, .. words], ("TEST_HEAP", _path.Value));
        output.WriteLine(result.Output);
        Assert.True(result.ExitCode == 0, result.Text);
    }
}
