namespace ShmAlloc.Caching;

/// <summary>Names one value of one key among all values that a heap ever has: to replace it only if it is still there.</summary>
/// <param name="Value">A number that is given once; 0 is none.</param>
public readonly record struct CacheVersion(ulong Value);
