using System.Globalization;

namespace ShmAlloc.ProcessTests;

/// <summary>
/// Crowds of threads, in one process and in several: no call fails while there is room, however many there are and whoever of them is preempted where. Never more
/// than an eighth of what the heap may grow to is live at once, so room is never the reason. The longest single call is printed, and never judged.
/// </summary>
public sealed class CrowdTests(ITestOutputHelper output) : IDisposable
{
    private const long MiB = 1 << 20;
    private const string Growing = "size=16777216 maximum=2147483648";

    /// <summary>How long each crowd works at least; its calls are counted, too.</summary>
    private static readonly int Milliseconds = Effort.Choose(200, 3_000, 18_000);

    private readonly TemporaryHeapPath _path = new();

    public static TheoryData<int, int> Crowds =>
        [.. from threads in (int[])[1, 8, 17, 32, 64, 128] from processes in (int[])[1, 4] select (threads, processes)];

    public void Dispose() => _path.Dispose();

    [Theory]
    [MemberData(nameof(Crowds))]
    public Task F1_no_allocation_fails_while_there_is_room_and_each_is_its_owners_alone(int threads, int processes) =>
        MixAsync(Growing, processes, threads, 1, 65_536, Math.Min(8 * MiB, 256 * MiB / (threads * processes)), Math.Max(200, 40_000 / (threads * processes)));

    /// <summary>F1: operations had 16 cells, and threads are preempted while they hold one.</summary>
    [Fact]
    public Task F1_sixty_four_threads_allocate_and_free_in_an_empty_heap() => MixAsync("size=2147483648", 1, 64, 3_000, 3_000, 3_000, 4_000);

    /// <summary>F1: what one thread had the heap grow for, another one took, until the first gave up.</summary>
    [Fact]
    public Task F1_thirty_two_threads_ask_for_runs_of_blocks_while_the_heap_grows() => MixAsync(Growing, 1, 32, 51_200, 51_200, 8 * MiB, 1_000);

    /// <summary>F1: a test of the original's, which it passes.</summary>
    [Fact]
    public Task F1_ten_processes_of_ten_threads_allocate_while_the_heap_grows() => MixAsync(Growing, 10, 10, 1, 4_096, 2 * MiB, 10_000);

    /// <summary>F1: a cell was held while memory was cleared, which takes long.</summary>
    [Fact]
    public Task F1_sixteen_threads_clear_much_memory_and_others_allocate_meanwhile() =>
        ExpectWellAsync("size=16777216 maximum=4294967296", string.Create(CultureInfo.InvariantCulture, $"calloc-beside-malloc 16 {64 * MiB} 1000 3 {Milliseconds}"));

    /// <summary>F38: as F1, in a cache.</summary>
    [Fact]
    public Task F38_sixty_four_threads_set_large_values_in_a_cache_that_has_room_for_all() =>
        ExpectWellAsync(Growing, string.Create(CultureInfo.InvariantCulture, $"set-values 64 200000 4 60 {Milliseconds}"));

    private async Task MixAsync(string options, int processes, int threads, int smallest, int largest, long liveBytes, int calls)
    {
        await using var first = await HeapWorker.StartAsync();
        await first.AttachToAsync($"create {_path} {options}");
        using var heap = ShmHeap.Attach(_path.Value);
        Assert.InRange(threads * processes * liveBytes, 0, heap.MaximumBytes / 8);
        var exchange = Exchange.Create(heap);
        var others = await HeapWorker.AttachManyAsync(_path, processes - 1);
        HeapWorker[] all = [first, .. others];
        var answers = await Task.WhenAll(all.Select((worker, number) => worker.AskLongAsync(string.Create(
            CultureInfo.InvariantCulture, $"mix {exchange.Table.Value} {threads} {smallest} {largest} {liveBytes} {calls} {Milliseconds} {number + 1}"))));
        await Task.WhenAll(others.Select(worker => worker.DisposeAsync().AsTask()));
        Expect(answers);

        for (var word = 0; word < Exchange.Words; word++)
        {
            if (exchange.Swap(word, default) is { Offset.IsNull: false } left)
            {
                Assert.True(left.IsIntact(heap), $"somebody else wrote to {left}");
                Assert.Equal(ShmStatus.Ok, heap.Free(left.Offset));
            }
        }

        Assert.Equal(ShmStatus.Ok, heap.Free(exchange.Table));
        first.Kill();
        heap.RecoverDead();
        HeapAssert.Empty(heap);
    }

    private async Task ExpectWellAsync(string options, string verb)
    {
        await using var worker = await HeapWorker.StartAsync();
        await worker.AttachToAsync($"create {_path} {options}");
        using var heap = ShmHeap.Attach(_path.Value);
        Expect(await worker.AskLongAsync(verb));
        HeapAssert.Sound(heap);
    }

    private void Expect(params string[] answers)
    {
        Array.ForEach(answers, output.WriteLine);
        Assert.All(answers, answer => Assert.StartsWith("well: ", answer, StringComparison.Ordinal));
    }
}
