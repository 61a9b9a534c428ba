namespace ShmAlloc.Benchmarks.Caches.Measuring;

/// <summary>What is measured.</summary>
/// <param name="Data">Data sets, one after the other.</param>
/// <param name="Operations">One table for each of them, on each data set.</param>
/// <param name="Who">Threads and processes.</param>
internal sealed record CacheCatalogue(IReadOnlyList<DataSet> Data, IReadOnlyList<Operation> Operations, IReadOnlyList<(int Threads, int Processes)> Who)
{
    private static readonly Operation[] AllOperations = [Operation.Get, Operation.Set, Operation.MostlyGet, Operation.Half];
    private static readonly (int Threads, int Processes)[] Everybody = [(1, 1), (2, 1), (1, 2)];

    /// <summary>Where the targets are measured.</summary>
    internal static readonly DataSet Small = new(100_000, 100);

    /// <summary>Everything that fits in the memory of a small machine: large values are fewer, more than any processor caches.</summary>
    internal static readonly CacheCatalogue Full = new([Small, new(100_000, 1024), new(20_000, 16 * 1024)], AllOperations, Everybody);

    /// <summary>What the targets need, and a mixture.</summary>
    internal static readonly CacheCatalogue Quick = new([Small], [Operation.Get, Operation.Set, Operation.MostlyGet], Everybody);

    /// <summary>What takes gigabytes.</summary>
    internal static readonly CacheCatalogue Large = new([new(10_000_000, 100), new(100_000, 16 * 1024)], [Operation.Get, Operation.Set], Everybody);

    /// <summary>Whether everything runs.</summary>
    internal static readonly CacheCatalogue Smoke = new([new(500, 100), new(100, 16 * 1024)], AllOperations, Everybody);

    /// <summary>The workloads on a data set: those of one distribution follow each other, because drivers keep the orders of one.</summary>
    internal IEnumerable<CacheWorkload> On(DataSet data) =>
        from distribution in CacheWorkload.Distributions
        from operation in Operations
        from who in Who
        select new CacheWorkload(data, operation, distribution, who.Threads, who.Processes);

    /// <summary>What is done by two processes, and by one of them, in turns: on the first data set only.</summary>
    internal IEnumerable<CacheWorkload> SharedOn(DataSet data) =>
        from distribution in CacheWorkload.Distributions
        where data == Data[0]
        select new CacheWorkload(data, Operation.SharedGet, distribution, 1, 2);
}
