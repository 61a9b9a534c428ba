using ShmAlloc.Benchmarks.HitRates.Policies;

namespace ShmAlloc.Benchmarks.HitRates;

/// <summary>A policy of the table.</summary>
/// <param name="Name">What the table calls it.</param>
/// <param name="OfBytes">Makes one that is bounded by bytes, from these and from how many entries are expected to fit.</param>
/// <param name="OfEntries">Makes one that is bounded by a number of entries; one of the two is there.</param>
internal sealed record Contender(string Name, Func<long, long, IEvictionPolicy>? OfBytes, Func<int, IEvictionPolicy>? OfEntries = null)
{
    internal static readonly Contender Lru = new("LRU", (bytes, _) => new Lru(bytes));
    internal static readonly Contender Clock = new("CLOCK", (bytes, _) => new Clock(bytes));
    internal static readonly Contender Ours = new("ShmAlloc", (bytes, entries) => new SharedCachePolicy(bytes, entries));

    internal static IReadOnlyList<Contender> All { get; } =
    [
        Lru,
        Clock,
        new("SIEVE", (bytes, _) => new Sieve(bytes)),
        new("S3-FIFO", (bytes, _) => new S3Fifo(bytes)),
        new("ConcurrentLru", null, CountBound.ConcurrentLru),
        new("ConcurrentLfu", null, CountBound.ConcurrentLfu),
        Ours,
    ];
}
