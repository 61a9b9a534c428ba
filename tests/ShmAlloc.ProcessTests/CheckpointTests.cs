using System.Text.RegularExpressions;

namespace ShmAlloc.ProcessTests;

/// <summary>A process dies before each store of the heap in turn, and before each request by which others notice it.</summary>
public sealed partial class CheckpointTests : IDisposable
{
    /// <summary>
    /// Only a race leads there, and a script has one process: a block that fills while it is closed, one that stands still, a recoverer that does not see all of
    /// the heap, a retired run that a late claim names.
    /// </summary>
    private static readonly string[] OnlyInRaces =
    [
        "CloseBlock.cs: Blocks<TMachine>.TryChange(heap, block, busy, BlockWord.Open);",
        "Meeting.cs: TMachine.Write(&heap->StandsStill, _transitions);",
        "Recovery.cs: TMachine.CompareExchange(&heap->Slots[slot].Word, claimed.Unclaimed.Bits, claimed.Bits);",
        "Sweep.cs: Blocks<TMachine>.TryChange(heap, head, BlockWord.Freeing(slot, length), BlockWord.Retired(length));",
    ];

    private readonly TemporaryHeapPath _path = new();

    public void Dispose() => _path.Dispose();

    [Fact]
    public async Task A_death_before_any_store_of_the_heap_loses_nothing_and_every_store_without_a_race_is_tried()
    {
        var lines = await ForkRun.ExpectWellAsync("points", _path.Value, Effort.Choose("6", "1", "1"));
        var reached = lines.Where(line => line.StartsWith("checkpoint: ", StringComparison.Ordinal)).Select(line => line.Split(' ')[1]).ToHashSet();
        var stores = StoresOfTheHeap().ToList();
        Assert.True(stores.Count > 20, "The stores of the heap were not found.");
        Assert.Equal(OnlyInRaces, stores.Where(store => !reached.Contains(store.Place)).Select(store => store.Text).Order(StringComparer.Ordinal));
    }

    /// <summary>
    /// By file and line, as the seam names them: what hands on its caller's place is no place itself. Those of the cache are died at in the simulator, where a
    /// test sees to it that none is left out, and in the storms of the cache.
    /// </summary>
    private static IEnumerable<(string Place, string Text)> StoresOfTheHeap()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "ShmAlloc.slnx")))
        {
            directory = directory.Parent ?? throw new DirectoryNotFoundException($"ShmAlloc.slnx is in no directory above {AppContext.BaseDirectory}");
        }

        return
            from file in Directory.EnumerateFiles(Path.Combine(directory.FullName, "src", "ShmAlloc"), "*.cs", SearchOption.AllDirectories)
            from line in File.ReadLines(file).Index()
            where !file.Contains("/Caching/", StringComparison.Ordinal) && Store().IsMatch(line.Item)
            select ($"{Path.GetFileName(file)}:{line.Index + 1}", $"{Path.GetFileName(file)}: {line.Item.Trim()}");
    }

    [GeneratedRegex(@"(TMachine\.(CompareExchange|Announce|Write|Or|And|Clear)|Blocks<TMachine>\.TryChange|Cells<TMachine>\.Name)\((?!.*, file, line\))")]
    private static partial Regex Store();
}
