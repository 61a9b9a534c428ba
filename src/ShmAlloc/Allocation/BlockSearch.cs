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
        PlaceSearch search = new(request);
        for (uint index = cursor; index < wordsPerBlock; index++)
        {
            uint free = BitmapWord.FromStored(TMachine.Read(words + index)).Free;
            if (search.TryNext(index, free, out uint start))
            {
                cursor = start >> BitmapWord.UnitsShift;
                unit = heap->FirstUnitOf(block) + start;
                return true;
            }
        }

        if (search.TryEnd(wordsPerBlock, out uint last))
        {
            cursor = last >> BitmapWord.UnitsShift;
            unit = heap->FirstUnitOf(block) + last;
            return true;
        }

        cursor = wordsPerBlock;
        unit = 0;
        return false;
    }
}
