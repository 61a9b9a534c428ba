namespace ShmAlloc.Benchmarks.HitRates;

/// <summary>One row of the table: a trace and a size of cache.</summary>
/// <param name="Workload">Title of the trace.</param>
/// <param name="Share">The size as a share of the bytes of all keys.</param>
/// <param name="CapacityBytes">The size.</param>
/// <param name="Requests">The length of the trace.</param>
/// <param name="Outcomes">By the name of the policy.</param>
internal sealed record HitRateRow(string Workload, double Share, long CapacityBytes, int Requests, IReadOnlyDictionary<string, Outcome> Outcomes)
{
    /// <summary>Points of the hit rate by which ours is ahead of the better one of LRU and CLOCK; nothing if one of the three was left out.</summary>
    internal double? Lead =>
        Outcomes.TryGetValue(Contender.Ours.Name, out Outcome ours)
        && Outcomes.TryGetValue(Contender.Lru.Name, out Outcome lru)
        && Outcomes.TryGetValue(Contender.Clock.Name, out Outcome clock)
            ? 100 * (ours.HitRate - Math.Max(lru.HitRate, clock.HitRate))
            : null;
}
