using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ShmAlloc.Layout;

/// <summary>What <see cref="BitmapWord"/> says of one word, for four or eight at a time.</summary>
internal static unsafe class BitmapWords
{
    /// <summary>Free units of four stored words; none in those that are closed.</summary>
    /// <param name="stored">As they are in the file.</param>
    /// <param name="sweep">Gets bits wherever a word is closed, or has a private end.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<uint> Free(ulong* stored, ref Vector128<uint> sweep)
    {
        Vector128<ulong> lower = Vector128.Load(stored);
        Vector128<ulong> upper = Vector128.Load(stored + Vector128<ulong>.Count);
        Vector128<uint> planeA = Vector128.Narrow(lower, upper) ^ Vector128.Create((uint)BitmapWord.Empty.Stored);
        Vector128<uint> planeB = Vector128.Narrow(lower >>> BitmapWord.Units, upper >>> BitmapWord.Units);
        Vector128<uint> closed = Vector128.Equals(planeA, Vector128.Create((uint)BitmapWord.Empty.Stored))
            & Vector128.Equals(planeB, Vector128<uint>.Zero);
        sweep |= closed | (planeB & ~planeA);
        return ~(planeA | planeB | closed);
    }

    /// <summary>The same for eight.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<uint> Free(ulong* stored, ref Vector256<uint> sweep)
    {
        Vector256<ulong> lower = Vector256.Load(stored);
        Vector256<ulong> upper = Vector256.Load(stored + Vector256<ulong>.Count);
        Vector256<uint> planeA = Vector256.Narrow(lower, upper) ^ Vector256.Create((uint)BitmapWord.Empty.Stored);
        Vector256<uint> planeB = Vector256.Narrow(lower >>> BitmapWord.Units, upper >>> BitmapWord.Units);
        Vector256<uint> closed = Vector256.Equals(planeA, Vector256.Create((uint)BitmapWord.Empty.Stored))
            & Vector256.Equals(planeB, Vector256<uint>.Zero);
        sweep |= closed | (planeB & ~planeA);
        return ~(planeA | planeB | closed);
    }
}
