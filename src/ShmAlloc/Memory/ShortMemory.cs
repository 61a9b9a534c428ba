using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ShmAlloc.Memory.Linux;

namespace ShmAlloc.Memory;

/// <summary>
/// Copies and compares what is mostly short, as keys and values of caches are, in the caller's own code: two or four vectors from both ends, which may
/// overlap in the middle, instead of a loop or a call. What is longer, or very short, is left to the library.
/// </summary>
internal static unsafe class ShortMemory
{
    private const ulong Half = 16;
    private const ulong Whole = 32;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Copy(byte* from, byte* to, ulong lengthBytes)
    {
        if (lengthBytes - (2 * Whole) <= 2 * Whole)
        {
            byte* last = from + lengthBytes - Whole;
            Vector256<byte> first = Vector256.Load(from);
            Vector256<byte> second = Vector256.Load(from + Whole);
            Vector256<byte> third = Vector256.Load(last - Whole);
            Vector256<byte> fourth = Vector256.Load(last);
            byte* end = to + lengthBytes - Whole;
            first.Store(to);
            second.Store(to + Whole);
            third.Store(end - Whole);
            fourth.Store(end);
        }
        else
        {
            CopyAny(from, to, lengthBytes);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool IsEqual(byte* one, byte* other, ulong lengthBytes)
    {
        if (lengthBytes - Half <= Half)
        {
            ulong last = lengthBytes - Half;
            Vector128<byte> difference = (Vector128.Load(one) ^ Vector128.Load(other)) | (Vector128.Load(one + last) ^ Vector128.Load(other + last));
            return difference == Vector128<byte>.Zero;
        }

        return IsAnyEqual(one, other, lengthBytes);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void CopyAny(byte* from, byte* to, ulong lengthBytes)
    {
        if (Host.IsForeign)
        {
            Libc.Copy(to, from, (nuint)lengthBytes);
        }
        else
        {
            Buffer.MemoryCopy(from, to, lengthBytes, lengthBytes);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool IsAnyEqual(byte* one, byte* other, ulong lengthBytes) => Host.IsForeign
        ? Libc.Compare(one, other, (nuint)lengthBytes) == 0
        : new ReadOnlySpan<byte>(one, (int)lengthBytes).SequenceEqual(new ReadOnlySpan<byte>(other, (int)lengthBytes));
}
