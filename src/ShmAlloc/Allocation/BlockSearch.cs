using System.Numerics;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Allocation;

/// <summary>Reads the words of one block for room. What it finds may be gone the next moment: the claim decides.</summary>
internal static unsafe class BlockSearch<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Finds the lowest place for a request from a word of the block on.</summary>
    /// <returns>The unit within the heap, and in <paramref name="cursor"/> the word where it lies.</returns>
    internal static bool TryFind(Attachment* heap, ulong block, in Request request, ref uint cursor, out ulong unit)
    {
        ulong* words = heap->FirstWordOf(block);
        uint wordsPerBlock = heap->Geometry.WordsPerBlock;
        uint carry = 0;
        for (uint index = cursor; index < wordsPerBlock; index++)
        {
            uint free = BitmapWord.FromStored(TMachine.Read(words + index)).Free;
            if (request.PackAcrossWords)
            {
                if (carry != 0 && TryFitAcross(request, index, carry, free, out uint start))
                {
                    cursor = start >> BitmapWord.UnitsShift;
                    unit = heap->FirstUnitOf(block) + start;
                    return true;
                }

                carry = free == uint.MaxValue ? carry + BitmapWord.Units : (uint)BitOperations.LeadingZeroCount(~free);
            }

            uint starts = free != 0 && request.FitsInWord ? StartsInWord(request, free) : 0;
            if (starts != 0)
            {
                cursor = index;
                unit = heap->FirstUnitOf(block) + (index << BitmapWord.UnitsShift) + (uint)BitOperations.TrailingZeroCount(starts);
                return true;
            }
        }

        // The last words may be one free run that only the end of the block cut off.
        if (carry >= request.Units && TryFitAcross(request, wordsPerBlock, carry, 0, out uint last))
        {
            cursor = last >> BitmapWord.UnitsShift;
            unit = heap->FirstUnitOf(block) + last;
            return true;
        }

        cursor = wordsPerBlock;
        unit = 0;
        return false;
    }

    private static uint StartsInWord(in Request request, uint free)
    {
        uint starts = BitmapWord.Starts(free, (int)request.Units);
        return request.Alignment == 1 ? starts : starts & AlignedStarts(request.Alignment);
    }

    /// <summary>Unit 0, 2, 4 …; 0, 4, 8 … and so on: where places that are aligned to a power of two may start in a word.</summary>
    private static uint AlignedStarts(uint alignment) => alignment switch
    {
        1 => 0xFFFF_FFFF,
        2 => 0x5555_5555,
        4 => 0x1111_1111,
        8 => 0x0101_0101,
        16 => 0x0001_0001,
        _ => 1,
    };

    /// <summary>
    /// A place that begins in the free run of <paramref name="carry"/> units before word <paramref name="index"/>, and may reach into it.
    /// </summary>
    private static bool TryFitAcross(in Request request, uint index, uint carry, uint free, out uint start)
    {
        uint boundary = index << BitmapWord.UnitsShift;
        start = (boundary - carry + request.Alignment - 1) & ~(request.Alignment - 1);
        uint end = boundary + (uint)BitOperations.TrailingZeroCount(~free);
        return start < boundary && start + request.Units <= end;
    }
}
