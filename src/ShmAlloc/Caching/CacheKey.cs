namespace ShmAlloc.Caching;

/// <summary>A key that is looked for: private bytes, which stay where they are during the call, and their hash.</summary>
internal readonly unsafe struct CacheKey(byte* bytes, int length, ulong hash)
{
    internal byte* Bytes { get; } = bytes;

    internal int Length { get; } = length;

    internal ulong Hash { get; } = hash;
}
