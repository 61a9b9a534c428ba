namespace ShmAlloc.Benchmarks.Measuring;

/// <summary>Which clock the tables show. On a machine with other things to do, the time a thread was running is the steadier one.</summary>
internal enum Clock
{
    /// <summary>Time that passed.</summary>
    Wall,

    /// <summary>Time that the thread was running; waiting for a lock does not count.</summary>
    Cpu,
}

/// <summary>All rounds of one cell.</summary>
/// <param name="Group">The table that it belongs to.</param>
/// <param name="Name">Of the subject.</param>
/// <param name="Variant">What of the table's workload varies.</param>
/// <param name="Rounds">What each round gave.</param>
internal abstract record Timing(string Group, string Name, string Variant, IReadOnlyList<Round> Rounds)
{
    internal long Failures => Rounds.Sum(round => round.Failures);

    internal double[] Sorted(Clock clock)
    {
        double[] sorted = [.. Rounds.Select(round => clock == Clock.Wall ? round.WallNanoseconds : round.CpuNanoseconds)];
        Array.Sort(sorted);
        return sorted;
    }

    internal double Median(Clock clock) => Statistics.Median(Sorted(clock));
}

/// <summary>All rounds of an allocator at a workload.</summary>
internal sealed record Result(string Group, Subject Subject, Workload Workload, IReadOnlyList<Round> Rounds)
    : Timing(Group, Subject.Name, Workload.Variant, Rounds);

/// <summary>The little that is needed.</summary>
internal static class Statistics
{
    internal static double Median(double[] sorted)
    {
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
