using System.Numerics;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Allocation;

/// <summary>Finds out what an offset names, from the bitmap alone.</summary>
internal static unsafe class Extent<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Length of the published allocation inside a block that starts at a unit.</summary>
    /// <returns>
    /// <see cref="ShmStatus.Ok"/>, <see cref="ShmStatus.AlreadyFree"/> for a free unit or a private allocation,
    /// <see cref="ShmStatus.InvalidOffset"/> for the middle of one or for words that make no sense.
    /// </returns>
    internal static ShmStatus Find(Attachment* heap, ulong unit, out uint units)
    {
        units = 0;
        ulong limit = heap->FirstUnitOf(heap->BlockOf(unit) + 1);
        BitmapWord word = BitmapWord.FromStored(TMachine.Read(heap->BitmapOf(unit)));
        int first = (int)(unit & (BitmapWord.Units - 1));
        if (word.IsClosed || (word.Used >> first & 1) == 0)
        {
            return ShmStatus.AlreadyFree;
        }

        if (!WordClaim<TMachine>.IsStart(heap, unit, word))
        {
            return ShmStatus.InvalidOffset;
        }

        // Upwards, to the last unit; the block bounds the loop.
        ulong at = unit;
        while (true)
        {
            uint ends = word.Ends >> first;
            int run = ends == 0 ? BitmapWord.Units - first : BitOperations.TrailingZeroCount(ends) + 1;
            uint bodies = ends == 0 ? BitmapWord.Mask(first, run) : BitmapWord.Mask(first, run) & ~(1u << (first + run - 1));
            if (word.IsClosed || (bodies & ~word.Bodies) != 0)
            {
                return ShmStatus.InvalidOffset;
            }

            at += (uint)run;
            if (ends != 0)
            {
                units = (uint)(at - unit);
                return (word.PublishedEnds >> (first + run - 1) & 1) != 0 ? ShmStatus.Ok : ShmStatus.AlreadyFree;
            }

            if (at >= limit)
            {
                return ShmStatus.InvalidOffset;
            }

            word = BitmapWord.FromStored(TMachine.Read(heap->BitmapOf(at)));
            first = 0;
        }
    }

    /// <summary>
    /// Whether the words of an allocation still are what <see cref="Find"/> saw: the last one as just read, then the lower ones, read downwards.
    /// </summary>
    internal static bool StillWhole(Attachment* heap, ulong unit, uint units, BitmapWord last)
    {
        ulong firstWord = unit >> BitmapWord.UnitsShift;
        ulong lastWord = (unit + units - 1) >> BitmapWord.UnitsShift;
        uint bodies = PrivateClaim<TMachine>.MaskIn(lastWord, unit, units) & ~(1u << (int)((unit + units - 1) & (BitmapWord.Units - 1)));
        if ((bodies & ~last.Bodies) != 0 || (lastWord == firstWord && !WordClaim<TMachine>.IsStart(heap, unit, last)))
        {
            return false;
        }

        for (ulong word = lastWord - 1; word + 1 > firstWord; word--)
        {
            BitmapWord seen = BitmapWord.FromStored(TMachine.Read(heap->Bitmaps + word));
            uint mask = PrivateClaim<TMachine>.MaskIn(word, unit, units);
            if (seen.IsClosed || (mask & ~seen.Bodies) != 0)
            {
                return false;
            }

            if (word == firstWord && !WordClaim<TMachine>.IsStart(heap, unit, seen))
            {
                return false;
            }
        }

        return true;
    }
}
