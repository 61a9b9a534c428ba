using static ShmAlloc.Simulation.Programs.CacheKeys;

namespace ShmAlloc.Simulation.Programs;

/// <summary>One operation of a cache program; the number keeps the values of two threads apart.</summary>
internal sealed record CacheOperation(string Name, Action<CacheActor, int> Body)
{
    /// <summary>Whether a value may vanish by it without having been removed.</summary>
    internal bool Drops { get; init; }
}

/// <summary>The operations of a cache, all around one key.</summary>
internal static class CacheOperations
{
    internal static readonly CacheOperation Set = new("set", (cache, n) => cache.Set(A, n));
    internal static readonly CacheOperation Add = new("add", (cache, n) => cache.Add(A, n));
    internal static readonly CacheOperation Replace = new("replace", (cache, n) => cache.Replace(A, n));
    internal static readonly CacheOperation Remove = new("remove", (cache, _) => cache.Remove(A));
    internal static readonly CacheOperation Get = new("get", (cache, _) => cache.Get(A));
    internal static readonly CacheOperation Lease = new("lease", (cache, _) => cache.Lease(A));
    internal static readonly CacheOperation SetOther = new("set of a neighbour", (cache, n) => cache.Set(B, n));
    internal static readonly CacheOperation Evict = new("evict", (cache, _) => cache.Evict()) { Drops = true };
    internal static readonly CacheOperation Clear = new("clear", (cache, _) => cache.Clear(0, 0).Clear(0, 1)) { Drops = true };
    internal static readonly CacheOperation Land = new("fly and land", (cache, n) => cache.Fly(A, n));
    internal static readonly CacheOperation GiveUp = new("fly and give up", (cache, n) => cache.Fly(A, n, gives: false));

    internal static readonly CacheOperation[] All = [Set, Add, Replace, Remove, Get, Lease, SetOther, Evict, Clear, Land, GiveUp];
}
