namespace ShmAlloc.Caching;

/// <summary>Names one value of one key among all values that a heap ever has: to replace it only if it is still there.</summary>
/// <remarks>
/// It may be handed to other processes. That of another heap names no value, since each heap begins to count at a number of its own, which is chosen at random;
/// but of a copied file, the copy goes on from where it was copied.
/// </remarks>
/// <param name="Value">A number that is given once; 0 is none.</param>
public readonly record struct CacheVersion(ulong Value);
