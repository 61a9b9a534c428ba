namespace ShmAlloc.Caching;

/// <summary>What <see cref="SharedCache.GetMany(ReadOnlySpan{ReadOnlyMemory{byte}}, Span{byte}, Span{CacheRead})"/> found of one key.</summary>
/// <param name="Status">
/// <see cref="CacheStatus.Ok"/>: the value was copied. <see cref="CacheStatus.BufferTooSmall"/>: there is one, for which there was no room left.
/// <see cref="CacheStatus.Missing"/>, <see cref="CacheStatus.Damaged"/>, or, hardly ever, <see cref="CacheStatus.Contended"/>: there is none to be had.
/// </param>
/// <param name="Offset">Where in the destination the value begins, in bytes; 0 if it was not copied.</param>
/// <param name="LengthBytes">Bytes of the value, also if it was not copied; 0 if there is none.</param>
/// <param name="Version">Names the value.</param>
public readonly record struct CacheRead(CacheStatus Status, int Offset, int LengthBytes, CacheVersion Version);
