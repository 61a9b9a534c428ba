namespace ShmAlloc.ProcessTests;

/// <summary>
/// What the tests write into allocations, in all processes: every byte follows from a seed, so whoever knows the seed can check it.
/// The "stamp" is the same with the offset as the seed and the length in front, so that anybody can check it.
/// </summary>
internal static class Contents
{
    internal const int SmallestStampBytes = 16;

    private const ulong Multiplier = 0x9E37_79B9_7F4A_7C15;

    internal static void Fill(ShmHeap heap, ShmOffset offset, int lengthBytes, ulong seed)
    {
        var bytes = heap.GetSpan(offset, lengthBytes);
        for (var index = 0; index < bytes.Length; index++)
        {
            bytes[index] = ByteAt(seed, index);
        }
    }

    /// <returns>Index of the first byte that is wrong, or −1.</returns>
    internal static int FirstDifference(ShmHeap heap, ShmOffset offset, int lengthBytes, ulong seed)
    {
        var bytes = heap.GetReadOnlySpan(offset, lengthBytes);
        for (var index = 0; index < bytes.Length; index++)
        {
            if (bytes[index] != ByteAt(seed, index))
            {
                return index;
            }
        }

        return -1;
    }

    internal static void Stamp(ShmHeap heap, ShmOffset offset, int lengthBytes)
    {
        var bytes = heap.GetSpan(offset, lengthBytes);
        BitConverter.TryWriteBytes(bytes, offset.Value * Multiplier);
        BitConverter.TryWriteBytes(bytes[8..], (ulong)lengthBytes);
        for (var index = SmallestStampBytes; index < bytes.Length; index += Step(index))
        {
            bytes[index] = ByteAt(offset.Value, index);
        }

        bytes[^1] = lengthBytes > SmallestStampBytes ? ByteAt(offset.Value, lengthBytes - 1) : bytes[^1];
    }

    /// <summary>Whether a published allocation holds a whole stamp.</summary>
    internal static bool HasStamp(ShmHeap heap, ShmOffset offset)
    {
        var usable = heap.UsableSize(offset);
        if (usable < SmallestStampBytes)
        {
            return false;
        }

        var bytes = heap.GetReadOnlySpan(offset, (int)usable);
        var length = BitConverter.ToUInt64(bytes[8..]);
        if (BitConverter.ToUInt64(bytes) != offset.Value * Multiplier || length < SmallestStampBytes || length > (ulong)usable)
        {
            return false;
        }

        for (var index = SmallestStampBytes; index < (int)length; index += Step(index))
        {
            if (bytes[index] != ByteAt(offset.Value, index))
            {
                return false;
            }
        }

        var last = (int)length - 1;
        return length == SmallestStampBytes || bytes[last] == ByteAt(offset.Value, last);
    }

    /// <summary>Every byte of small allocations, and some of each page of large ones: the churn is about allocating, not about writing.</summary>
    private static int Step(int index) => index < 1024 ? 1 : 509;

    private static byte ByteAt(ulong seed, int index) => (byte)(((seed + (ulong)index + 1) * Multiplier) >> 56);
}
