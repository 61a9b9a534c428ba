using System.Runtime.CompilerServices;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Allocation;

/// <summary>Allocations that lie in one bitmap word: one compare-and-swap each way, and nothing else in the file.</summary>
internal static unsafe class WordClaim<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Free → published.</summary>
    /// <remarks>
    /// Writes: anybody, in whatever state the block is. Reads: everybody who walks the bitmap. Takes effect at the compare-and-swap, which fails
    /// if the word is closed: so a thread that looked long ago is right in any open block and harmless in any other.
    /// Death before it: nothing happened. Death after it: the allocation is published, and stays until somebody frees it.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool TryPublish(Attachment* heap, ulong unit, uint units)
    {
        ulong* address = heap->BitmapOf(unit);
        int first = (int)(unit & (BitmapWord.Units - 1));
        uint mask = BitmapWord.Mask(first, (int)units);
        uint end = 1u << (first + (int)units - 1);
        while (true)
        {
            ulong stored = TMachine.Read(address);
            BitmapWord word = BitmapWord.FromStored(stored);
            if ((mask & ~word.Free) != 0)
            {
                return false;
            }

            // Repeats only when another thread changed the word, that is, when somebody made progress.
            if (TMachine.CompareExchange(address, word.WithPublished(mask, end).Stored, stored) == stored)
            {
                return true;
            }
        }
    }

    /// <summary>Published → free, for an allocation whose end lies in the word where it starts.</summary>
    /// <remarks>
    /// Writes: whoever frees. Takes effect at the compare-and-swap on the word in which the extent was just seen; of two who free the same
    /// allocation one fails, reads again and finds it free. Death before it: nothing happened; after it: done.
    /// </remarks>
    /// <returns>False if the allocation is not of this kind, with nothing changed; the general way then finds out what it is.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool TryFree(Attachment* heap, ulong unit, out uint units, out BitmapWord after)
    {
        ulong* address = heap->BitmapOf(unit);
        int first = (int)(unit & (BitmapWord.Units - 1));
        while (true)
        {
            ulong stored = TMachine.Read(address);
            BitmapWord word = BitmapWord.FromStored(stored);
            uint ends = word.Ends >> first;
            units = (uint)System.Numerics.BitOperations.TrailingZeroCount(ends) + 1;
            after = default;
            if (ends == 0 || word.IsClosed)
            {
                return false;
            }

            uint mask = BitmapWord.Mask(first, (int)units);
            uint end = 1u << (first + (int)units - 1);
            bool isWhole = (mask & ~(word.Bodies | end)) == 0 && (word.PublishedEnds & end) != 0;
            if (!isWhole || !IsStart(heap, unit, word))
            {
                return false;
            }

            after = word.Without(mask);
            if (TMachine.CompareExchange(address, after.Stored, stored) == stored)
            {
                return true;
            }
        }
    }

    /// <summary>Whether the unit before does not belong to the same allocation.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool IsStart(Attachment* heap, ulong unit, BitmapWord word)
    {
        int first = (int)(unit & (BitmapWord.Units - 1));
        if (first != 0)
        {
            return (word.Bodies >> (first - 1) & 1) == 0;
        }

        bool isFirstOfBlock = (unit & (heap->Geometry.UnitsPerBlock - 1)) == 0;
        if (isFirstOfBlock)
        {
            return true;
        }

        BitmapWord before = BitmapWord.FromStored(TMachine.Read(heap->BitmapOf(unit - 1)));
        return before.IsClosed || (before.Bodies >> (BitmapWord.Units - 1)) == 0;
    }
}
