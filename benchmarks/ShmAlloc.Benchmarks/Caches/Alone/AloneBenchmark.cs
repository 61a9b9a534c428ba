using ShmAlloc.Benchmarks.Measuring;

namespace ShmAlloc.Benchmarks.Caches.Alone;

/// <summary>Measures calls of this cache that others do not have.</summary>
internal static class AloneBenchmark
{
    /// <summary>The rest is for everybody else.</summary>
    private const double Share = 0.8;

    /// <exception cref="BenchmarkException">Something went wrong, or there is too little memory.</exception>
    internal static IReadOnlyList<AloneResult> Measure(AloneGroup group, Effort effort)
    {
        if (group.NeedBytes > HeapSizes.AvailableMemory() * Share)
        {
            throw new BenchmarkException($"its {group.NeedBytes >> 20} MiB do not fit in memory.");
        }

        using Place place = new();
        List<AloneCell> cells = [];
        try
        {
            foreach (AloneCase each in group.Cases)
            {
                cells.Add(new AloneCell(each, place, cells.Count));
                cells[^1].WarmUp(effort);
            }

            List<Round>[] rounds = [.. cells.Select(_ => new List<Round>())];
            for (int round = 0; round < effort.Rounds; round++)
            {
                for (int turn = 0; turn < cells.Count; turn++)
                {
                    int index = (round + turn) % cells.Count;
                    rounds[index].Add(cells[index].Once());
                }
            }

            return [.. group.Cases.Select((each, index) => new AloneResult(group.Title, each.Variant, rounds[index]))];
        }
        finally
        {
            cells.ForEach(cell => cell.Dispose());
        }
    }
}
