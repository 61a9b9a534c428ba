namespace ShmAlloc.Caching;

/// <summary>Names one value of one key among all values that a heap ever has: for <see cref="SharedCache.Replace(ReadOnlySpan{byte}, ReadOnlySpan{byte}, CacheVersion, in CacheEntryOptions)"/>.</summary>
/// <param name="Value">A number that is given once; 0 is none.</param>
public readonly record struct CacheVersion(ulong Value);
