using System.Numerics;
using System.Runtime.CompilerServices;

namespace ShmAlloc.Caching;

/// <summary>
/// The hash of a key under the seed of the heap: whoever does not know the seed cannot choose keys that meet in one bucket.
/// </summary>
/// <remarks>
/// Folded multiplication: 16 bytes of the key, each half hidden by a secret (a half of the seed, or what came before), are multiplied, and the halves of the
/// product are combined. Before the first block that is done with the length, whose effect nobody can make up for with other bytes; after the last one once
/// more, so that keys in a row do not lead to hashes in a row.
/// Not a pseudo-random function as SipHash is: it relies on nobody seeing hashes, and takes a third of the instructions. The lower half of a product is turned
/// before it is combined. Else a block and its complement would give the same with a probability of (3/4)^64, whatever the seed; with that, in models with
/// words of 4 to 9 bits, no change of a block that is known beforehand leaves a hash as it was more than 6 times as often as chance.
/// Source: wyhash (Wang Yi, 2019), by way of what Go's maps do on processors without AES instructions, and foldhash (Orson Peters, 2024) in Rust's.
/// </remarks>
internal static unsafe class KeyHash
{
    private const int BlockBytes = 16;

    /// <summary>2^64 divided by the golden ratio.</summary>
    private const ulong GoldenRatio = 0x9E37_79B9_7F4A_7C15;

    private const int Turn = 23;

    /// <param name="bytes">The key.</param>
    /// <param name="length">Its bytes.</param>
    /// <param name="seed0">A secret.</param>
    /// <param name="seed1">Another one.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Of(byte* bytes, int length, ulong seed0, ulong seed1)
    {
        if (!IsOfTwoBlocks(length))
        {
            return OfAny(bytes, length, seed0, seed1);
        }

        byte* last = bytes + length - BlockBytes;
        return OfTwoBlocks(*(ulong*)bytes, *(ulong*)(bytes + 8), *(ulong*)last, *(ulong*)(last + 8), length, seed0, seed1);
    }

    /// <summary>Whether a key of a length is its first and its last block, which may overlap: most keys are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool IsOfTwoBlocks(int length) => (uint)(length - BlockBytes - 1) < BlockBytes;

    /// <summary>The hash of such a key, by the words of its blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong OfTwoBlocks(ulong low, ulong high, ulong lastLow, ulong lastHigh, int length, ulong seed0, ulong seed1)
    {
        ulong state = Fold(low ^ seed1, high ^ Begin(seed0, length));
        return End(Fold(lastLow ^ seed1, lastHigh ^ state));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ulong OfAny(byte* bytes, int length, ulong seed0, ulong seed1)
    {
        ulong state = Begin(seed0, length);
        ulong low;
        ulong high;
        if (length <= BlockBytes)
        {
            ReadShort(bytes, length, out low, out high);
        }
        else
        {
            byte* last = bytes + length - BlockBytes;
            for (; bytes < last; bytes += BlockBytes)
            {
                state = Fold(*(ulong*)bytes ^ seed1, *(ulong*)(bytes + 8) ^ state);
            }

            low = *(ulong*)last;
            high = *(ulong*)(last + 8);
        }

        return End(Fold(low ^ seed1, high ^ state));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Begin(ulong seed, int length) => Fold(seed, GoldenRatio ^ (uint)length);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong End(ulong state) => Fold(state, GoldenRatio);

    /// <summary>All bytes of a block or less, without reading beyond them: keys of one length that differ, differ here.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ReadShort(byte* bytes, int length, out ulong low, out ulong high)
    {
        if (length >= 8)
        {
            low = *(ulong*)bytes;
            high = *(ulong*)(bytes + length - 8);
        }
        else if (length >= 4)
        {
            low = *(uint*)bytes;
            high = *(uint*)(bytes + length - 4);
        }
        else
        {
            low = length == 0 ? 0 : (uint)(bytes[0] | (bytes[length >> 1] << 8) | (bytes[length - 1] << 16));
            high = 0;
        }
    }

    /// <summary>Multiplies once more for the lower half: that is ready before one that takes the way through memory, as the compiler has it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Fold(ulong one, ulong other) => Math.BigMul(one, other, out _) ^ BitOperations.RotateLeft(one * other, Turn);
}
