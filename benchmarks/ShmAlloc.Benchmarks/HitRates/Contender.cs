using ShmAlloc.Benchmarks.HitRates.Policies;
using ShmAlloc.Benchmarks.HitRates.Policies.Ours;

namespace ShmAlloc.Benchmarks.HitRates;

/// <summary>A policy of the table.</summary>
/// <param name="Name">What the table calls it.</param>
/// <param name="OfBytes">Makes one that is bounded by bytes.</param>
/// <param name="OfEntries">Makes one that is bounded by a number of entries; one of the two is there.</param>
internal sealed record Contender(string Name, Func<long, IEvictionPolicy>? OfBytes, Func<int, IEvictionPolicy>? OfEntries = null)
{
    internal static readonly Contender Lru = new("LRU", bytes => new Lru(bytes));
    internal static readonly Contender Clock = new("CLOCK", bytes => new Clock(bytes));

    /// <summary>A model until the cache in shared memory takes its place.</summary>
    internal static readonly Contender Ours = new("ours (model)", bytes => new TwoHands(bytes));

    internal static IReadOnlyList<Contender> All { get; } =
    [
        Lru,
        Clock,
        new("SIEVE", bytes => new Sieve(bytes)),
        new("S3-FIFO", bytes => new S3Fifo(bytes)),
        new("ConcurrentLru", null, CountBound.ConcurrentLru),
        new("ConcurrentLfu", null, CountBound.ConcurrentLfu),
        Ours,
    ];
}
