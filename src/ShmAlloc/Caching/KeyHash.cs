using System.Numerics;
using System.Runtime.CompilerServices;

namespace ShmAlloc.Caching;

/// <summary>
/// SipHash-1-3 under the seed of the heap: whoever does not know the seed cannot choose keys that meet in one bucket.
/// </summary>
/// <remarks>Source: Aumasson, Bernstein, "SipHash: a fast short-input PRF" (2012); one round for each word and three at the end, as Rust uses it.</remarks>
internal static unsafe class KeyHash
{
    internal static ulong Of(byte* bytes, int length, ulong seed0, ulong seed1)
    {
        ulong v0 = seed0 ^ 0x736F_6D65_7073_6575;
        ulong v1 = seed1 ^ 0x646F_7261_6E64_6F6D;
        ulong v2 = seed0 ^ 0x6C79_6765_6E65_7261;
        ulong v3 = seed1 ^ 0x7465_6462_7974_6573;
        byte* end = bytes + (length & ~7);
        for (byte* at = bytes; at < end; at += 8)
        {
            ulong word = *(ulong*)at;
            v3 ^= word;
            Round(ref v0, ref v1, ref v2, ref v3);
            v0 ^= word;
        }

        ulong last = ((ulong)length << 56) | Rest(bytes, length);
        v3 ^= last;
        Round(ref v0, ref v1, ref v2, ref v3);
        v0 ^= last;
        v2 ^= 0xFF;
        Round(ref v0, ref v1, ref v2, ref v3);
        Round(ref v0, ref v1, ref v2, ref v3);
        Round(ref v0, ref v1, ref v2, ref v3);
        return v0 ^ v1 ^ v2 ^ v3;
    }

    /// <summary>The bytes after the last whole word, without reading beyond them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Rest(byte* bytes, int length)
    {
        int rest = length & 7;
        if (rest == 0)
        {
            return 0;
        }

        if (length > 8)
        {
            return *(ulong*)(bytes + length - 8) >> (64 - (8 * rest));
        }

        if (rest >= 4)
        {
            return *(uint*)bytes | ((ulong)*(uint*)(bytes + rest - 4) << (8 * (rest - 4)));
        }

        return bytes[0] | ((ulong)bytes[rest >> 1] << (8 * (rest >> 1))) | ((ulong)bytes[rest - 1] << (8 * (rest - 1)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round(ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        v0 += v1;
        v2 += v3;
        v1 = BitOperations.RotateLeft(v1, 13) ^ v0;
        v3 = BitOperations.RotateLeft(v3, 16) ^ v2;
        v0 = BitOperations.RotateLeft(v0, 32);
        v2 += v1;
        v0 += v3;
        v1 = BitOperations.RotateLeft(v1, 17) ^ v2;
        v3 = BitOperations.RotateLeft(v3, 21) ^ v0;
        v2 = BitOperations.RotateLeft(v2, 32);
    }
}
