namespace ShmAlloc.Benchmarks.HitRates.Traces;

/// <summary>One request of a trace.</summary>
/// <param name="Key">Which entry.</param>
/// <param name="SizeBytes">What the entry takes if it is inserted: <see cref="Request.EntryBytes"/>.</param>
internal readonly record struct Request(ulong Key, int SizeBytes)
{
    /// <summary>
    /// What any cache keeps beside key and value: about a header of 40 bytes (stamp, hash, lengths, expiry, flags) and 8 bytes of index. It is the
    /// same for all policies, so that their hit rates are those of equal memory.
    /// </summary>
    internal const int OverheadBytes = 48;

    internal static int EntryBytes(int keyBytes, int valueBytes) => keyBytes + valueBytes + OverheadBytes;
}
