using ShmAlloc.Benchmarks.Measuring;

namespace ShmAlloc.Benchmarks.Hybrid.Measuring;

/// <summary>All rounds of a cache at a workload.</summary>
internal sealed record HybridResult(HybridSubject Subject, HybridWorkload Workload, IReadOnlyList<Round> Rounds)
    : Timing(Workload.Title, Subject.Name, Workload.Variant, Rounds)
{
    /// <summary>Managed memory that a call leaves to the collector, in bytes: that of the median round.</summary>
    internal double Garbage => Statistics.Median([.. Rounds.Select(round => round.AllocatedBytes).Order()]);
}
