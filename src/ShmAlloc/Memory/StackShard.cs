using System.Runtime.CompilerServices;

namespace ShmAlloc.Memory;

/// <summary>
/// Tells threads apart by where their stacks lie. It needs no thread-local storage, so it works on threads that no runtime knows and inside signal
/// handlers. Two threads may get the same number: that costs time. One thread may get two, where its stack crosses a boundary:
/// so an operation asks once, and hands on what it was told to whatever must agree with it.
/// </summary>
internal static unsafe class StackShard
{
    /// <summary>Stacks lie further apart than that, mostly.</summary>
    internal const int StackShift = 18;

    private const int TakenBits = 16;

    /// <summary>2^64 divided by the golden ratio: spreads equal distances evenly. Source: Knuth, The Art of Computer Programming 3, 6.4.</summary>
    private const ulong GoldenRatio = 0x9E37_79B9_7F4A_7C15;

    internal static uint Current
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            byte here;
            return (uint)((((ulong)&here >> StackShift) * GoldenRatio) >> (64 - TakenBits));
        }
    }
}
