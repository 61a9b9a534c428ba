using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ShmAlloc.Layout;
using ShmAlloc.Memory;

namespace ShmAlloc.Caching;

/// <summary>
/// The two buckets in which a key may lie. An entry of them is called by its index: its position in the first bucket, or eight more than that in the second.
/// </summary>
internal readonly unsafe struct BucketPair(ulong* first, ulong* second)
{
    internal const int Entries = 2 * TableLayout.EntriesOfBucket;

    /// <summary>Words of both, with their hints.</summary>
    internal const int Words = 2 * TableLayout.BucketWords;

    /// <summary>A bit for each entry, at its index.</summary>
    internal const uint All = AllOfBucket | (AllOfBucket << TableLayout.BucketWords);

    private const uint AllOfBucket = (1u << TableLayout.EntriesOfBucket) - 1;

    internal ulong* First { get; } = first;

    internal ulong* Second { get; } = second;

    /// <summary>The <see cref="HintWord"/> of the first bucket, which keeps the ghost of the key.</summary>
    internal ulong* HomeHints => First + TableLayout.EntriesOfBucket;

    /// <summary>Fetches both, while something else is done.</summary>
    internal void Prefetch<TMachine>()
        where TMachine : struct, IMachine
    {
        TMachine.Prefetch((byte*)First);
        TMachine.Prefetch((byte*)Second);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ulong* AddressOf(int index) => BucketOf(index) + PositionOf(index);

    /// <summary>The <see cref="HintWord"/> beside an entry, and the entry's position in it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ulong* HintsOf(int index, out int position)
    {
        position = PositionOf(index);
        return BucketOf(index) + TableLayout.EntriesOfBucket;
    }

    /// <summary>Reads all entries, and finds those with a tag. Both buckets are waited for at once, not one after the other.</summary>
    /// <returns>A bit for each entry; empty ones among them have the tag 0.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal uint Match<TMachine>(uint tag)
        where TMachine : struct, IMachine
        => Match(TMachine.ReadLine(First), TMachine.ReadLine(Second), tag);

    /// <summary>The same, and keeps what was read.</summary>
    internal uint Match<TMachine>(uint tag, ulong* seen)
        where TMachine : struct, IMachine
    {
        Vector512<ulong> first = TMachine.ReadLine(First);
        Vector512<ulong> second = TMachine.ReadLine(Second);
        first.Store(seen);
        second.Store(seen + TableLayout.BucketWords);
        return Match(first, second, tag);
    }

    /// <summary>Takes the first of the matches.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Next(ref uint matches)
    {
        int index = BitOperations.TrailingZeroCount(matches);
        matches &= matches - 1;
        return index;
    }

    /// <summary>The index of the first entry, of the second one, and so on up to <see cref="Entries"/>.</summary>
    internal static int IndexOf(int number) => number + (number / TableLayout.EntriesOfBucket);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Match(Vector512<ulong> first, Vector512<ulong> second, uint tag)
    {
        Vector512<ulong> wanted = Vector512.Create((ulong)tag);
        return (Matches(first, wanted) | (Matches(second, wanted) << TableLayout.BucketWords)) & All;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Matches(Vector512<ulong> line, Vector512<ulong> tag) =>
        (uint)Vector512.Equals(Vector512.ShiftRightLogical(line, EntryWord.TagAt), tag).ExtractMostSignificantBits();

    private static int PositionOf(int index) => index & (TableLayout.BucketWords - 1);

    /// <summary>Without a branch: in which of its two buckets a key is, no processor can predict.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong* BucketOf(int index) => (ulong*)((nint)First + (((nint)Second - (nint)First) & -(nint)((uint)index / TableLayout.BucketWords)));
}
