namespace ShmAlloc.Benchmarks.HitRates.Policies.Ours;

/// <summary>Which hand evicted an entry: its bit in a word of the <see cref="GhostTable"/>.</summary>
internal enum Hand
{
    /// <summary>The one that follows the insertions, and drops what nobody asked for again.</summary>
    Probation = 0,

    /// <summary>The one that goes round all blocks.</summary>
    Main = 1,
}
