namespace ShmAlloc.ProcessTests.Forks;

/// <summary>Values whose every word, and whose length, follow from their first word: so whoever reads one knows whether it is whole, and which.</summary>
internal static class CacheValue
{
    internal const int LongestBytes = 200_000;

    private const ulong Multiplier = 0x9E37_79B9_7F4A_7C15;

    /// <summary>Mostly within a word of the bitmap, often crossing words, sometimes a run of blocks; 8 bytes at least.</summary>
    internal static int LengthOf(long number)
    {
        var hash = (ulong)number * Multiplier;
        var most = (hash >> 59) switch
        {
            < 20 => 600,
            < 29 => 10_000,
            < 31 => 40_000,
            _ => LongestBytes,
        };
        return sizeof(long) + ((int)((hash >> 20 & 0xFFFF_FFFF) % (ulong)(most - sizeof(long))) & ~7);
    }

    /// <summary>Fills a value of that length.</summary>
    internal static void Fill(Span<byte> value, long number)
    {
        for (var at = 0; at < value.Length; at += sizeof(long))
        {
            BitConverter.TryWriteBytes(value[at..], WordAt(number, at));
        }
    }

    /// <summary>The number of a value, which must be whole.</summary>
    internal static long NumberOf(ReadOnlySpan<byte> value)
    {
        var number = value.Length < sizeof(long) ? 0 : BitConverter.ToInt64(value);
        if (value.Length != LengthOf(number))
        {
            throw new InvalidOperationException($"A value of {value.Length} bytes says that it is number {number}, which has {LengthOf(number)}.");
        }

        for (var at = 0; at < value.Length; at += sizeof(long))
        {
            if (BitConverter.ToInt64(value[at..]) != WordAt(number, at))
            {
                throw new InvalidOperationException($"Value {number} of {value.Length} bytes is wrong at {at}.");
            }
        }

        return number;
    }

    private static long WordAt(long number, int at) => at == 0 ? number : (long)(((ulong)number + (ulong)at) * Multiplier);
}
