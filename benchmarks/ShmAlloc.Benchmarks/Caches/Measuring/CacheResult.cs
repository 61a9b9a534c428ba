using ShmAlloc.Benchmarks.Measuring;

namespace ShmAlloc.Benchmarks.Caches.Measuring;

/// <summary>All rounds of a cache at a workload.</summary>
internal sealed record CacheResult(CacheSubject Subject, CacheWorkload Workload, IReadOnlyList<Round> Rounds)
    : Timing(Workload.Title, Subject.Name, Workload.Variant, Rounds)
{
    /// <summary>Managed memory for one operation, on the thread that asked.</summary>
    internal double MedianAllocatedBytes
    {
        get
        {
            double[] sorted = [.. Rounds.Select(round => round.AllocatedBytes)];
            Array.Sort(sorted);
            return Statistics.Median(sorted);
        }
    }
}
