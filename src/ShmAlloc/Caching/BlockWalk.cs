using System.Numerics;
using ShmAlloc.Layout;

namespace ShmAlloc.Caching;

/// <summary>One allocation of a block.</summary>
/// <param name="First">Its first unit within the block.</param>
/// <param name="Units">How many it has.</param>
/// <param name="IsPublished">False: it is being built, or garbage.</param>
internal readonly record struct BlockPlace(uint First, uint Units, bool IsPublished)
{
    private const int UnitsAt = 24;
    private const int PublishedAt = 48;

    internal uint After => First + Units;

    /// <summary>All of it in one word: blocks have at most 4096 units.</summary>
    internal ulong Packed => First | ((ulong)Units << UnitsAt) | ((IsPublished ? 1UL : 0) << PublishedAt);

    internal static BlockPlace Unpack(ulong packed) =>
        new((uint)packed & ((1u << UnitsAt) - 1), (uint)(packed >> UnitsAt) & ((1u << UnitsAt) - 1), packed >> PublishedAt != 0);
}

/// <summary>Goes over the allocations of a block in the order of memory, in a copy of its bitmap words that the caller has made.</summary>
internal unsafe struct BlockWalk
{
    internal ulong* Words;
    private readonly int _count;
    private BitmapWord _bits;
    private uint _ends;
    private int _index;
    private int _start;

    internal BlockWalk(ulong* words, int count)
    {
        Words = words;
        _count = count;
        _index = -1;
        _bits = BitmapWord.Closed;
    }

    internal static bool TryNext(BlockWalk* walk, out BlockPlace place)
    {
        while (walk->_ends == 0)
        {
            if (!TryNextWord(walk))
            {
                place = default;
                return false;
            }
        }

        // An allocation starts after the last end, or after the last free unit before its own end.
        int first = walk->_index << BitmapWord.UnitsShift;
        int end = BitOperations.TrailingZeroCount(walk->_ends);
        uint below = end == 0 ? 0 : ~walk->_bits.Bodies & BitmapWord.Mask(0, end);
        int from = below != 0 ? first + BitmapWord.Units - BitOperations.LeadingZeroCount(below) : Math.Min(walk->_start, first);
        place = new((uint)from, (uint)(first + end + 1 - from), (walk->_bits.PublishedEnds >> end & 1) != 0);
        walk->_ends &= walk->_ends - 1;
        return true;
    }

    /// <summary>Notes from where on the units at the end of a word are bodies, and goes on to the next one.</summary>
    private static bool TryNextWord(BlockWalk* walk)
    {
        if (walk->_index >= 0)
        {
            int first = walk->_index << BitmapWord.UnitsShift;
            uint rest = walk->_bits.IsClosed ? 1u << (BitmapWord.Units - 1) : ~walk->_bits.Bodies;
            walk->_start = rest == 0 ? Math.Min(walk->_start, first) : first + BitmapWord.Units - BitOperations.LeadingZeroCount(rest);
        }

        if (++walk->_index >= walk->_count)
        {
            return false;
        }

        walk->_bits = BitmapWord.FromStored(walk->Words[walk->_index]);
        walk->_ends = walk->_bits.IsClosed ? 0 : walk->_bits.Ends;
        return true;
    }
}
