namespace ShmAlloc.Caching;

/// <summary>Which cache of all that there are: the same for every process and every object that opened it.</summary>
/// <param name="Seed0">Random when the heap was made, and mixed with the file: a copy of the heap has the same seed, and generations of its own.</param>
/// <param name="Seed1">The other half of it.</param>
/// <param name="Number">Of the cache in its heap.</param>
internal readonly record struct CacheIdentity(ulong Seed0, ulong Seed1, uint Number);
