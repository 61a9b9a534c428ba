using System.Numerics;
using System.Runtime.CompilerServices;
using ShmAlloc.Layout;

namespace ShmAlloc.Allocation;

/// <summary>Goes up the words of a block and stops at the first place for a request.</summary>
internal ref struct PlaceSearch
{
    private readonly uint _units;
    private readonly uint _alignment;
    private readonly bool _fitsInWord;
    private readonly bool _packAcrossWords;

    /// <summary>Free units directly below the next word.</summary>
    private uint _carry;

    internal PlaceSearch(in Request request)
    {
        _units = request.Units;
        _alignment = request.Alignment;
        _fitsInWord = request.FitsInWord;
        _packAcrossWords = request.PackAcrossWords;
    }

    /// <summary>Looks at the next word.</summary>
    /// <param name="index">Which word of the block it is.</param>
    /// <param name="free">Its free units.</param>
    /// <param name="start">The unit within the block where the place starts.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool TryNext(uint index, uint free, out uint start)
    {
        if (_packAcrossWords)
        {
            if (_carry != 0 && TryFitAcross(index, free, out start))
            {
                return true;
            }

            _carry = free == uint.MaxValue ? _carry + BitmapWord.Units : (uint)BitOperations.LeadingZeroCount(~free);
        }

        uint starts = free != 0 && _fitsInWord ? BitmapWord.Starts(free, (int)_units) & AlignedStarts(_alignment) : 0;
        start = (index << BitmapWord.UnitsShift) + (uint)BitOperations.TrailingZeroCount(starts);
        return starts != 0;
    }

    /// <summary>The last words may be one free run that only the end of the block cut off.</summary>
    internal readonly bool TryEnd(uint wordsPerBlock, out uint start)
    {
        start = 0;
        return _carry >= _units && TryFitAcross(wordsPerBlock, 0, out start);
    }

    /// <summary>Unit 0, 2, 4 …; 0, 4, 8 … and so on: where places that are aligned to a power of two may start in a word.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint AlignedStarts(uint alignment) => alignment switch
    {
        1 => 0xFFFF_FFFF,
        2 => 0x5555_5555,
        4 => 0x1111_1111,
        8 => 0x0101_0101,
        16 => 0x0001_0001,
        _ => 1,
    };

    /// <summary>A place that begins in the free run before word <paramref name="index"/>, and may reach into it.</summary>
    private readonly bool TryFitAcross(uint index, uint free, out uint start)
    {
        uint boundary = index << BitmapWord.UnitsShift;
        start = (boundary - _carry + _alignment - 1) & ~(_alignment - 1);
        uint end = boundary + (uint)BitOperations.TrailingZeroCount(~free);
        return start < boundary && start + _units <= end;
    }
}
