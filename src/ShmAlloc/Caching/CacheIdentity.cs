namespace ShmAlloc.Caching;

/// <summary>Which cache of all that there are: the same for every process and every object that opened it.</summary>
/// <param name="Seed0">Random when the heap was made.</param>
/// <param name="Seed1">The other half of it.</param>
/// <param name="Number">Of the cache in its heap.</param>
internal readonly record struct CacheIdentity(ulong Seed0, ulong Seed1, uint Number);
