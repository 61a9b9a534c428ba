namespace ShmAlloc.Benchmarks.HitRates.Policies;

/// <summary>
/// A cache that is bounded by bytes, reduced to what a trace can see of it. Adapters over real caches implement it too; if one has something to
/// release, it is also <see cref="IDisposable"/>, and the replay disposes it.
/// </summary>
internal interface IEvictionPolicy
{
    /// <summary>The bytes of all entries that are there now, each as large as it was when it was inserted.</summary>
    long ResidentBytes { get; }

    /// <summary>Asks for a key; if it is not there, it is inserted, and others are evicted for it.</summary>
    /// <param name="key">Which.</param>
    /// <param name="sizeBytes">What the entry takes: key, value and the overhead that <see cref="Traces.Request.OverheadBytes"/> describes.</param>
    /// <returns>Whether it was there. A key that is there keeps the size that it was inserted with.</returns>
    bool Request(ulong key, int sizeBytes);
}
