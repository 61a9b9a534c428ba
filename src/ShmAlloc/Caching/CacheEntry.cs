namespace ShmAlloc.Caching;

/// <summary>What there is to know of an entry without its value.</summary>
/// <param name="Key">The key.</param>
/// <param name="LengthBytes">Bytes of the value.</param>
/// <param name="Version">Names the value.</param>
/// <param name="Expires">When, by the clock of the cache; <see langword="null"/>: never.</param>
/// <param name="IsPinned">Whether it stays when room is made for others.</param>
public sealed record CacheEntry(ReadOnlyMemory<byte> Key, int LengthBytes, CacheVersion Version, DateTimeOffset? Expires, bool IsPinned);
