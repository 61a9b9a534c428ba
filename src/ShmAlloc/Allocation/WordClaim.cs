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
        ulong allocation = BitmapWord.Published((int)(unit & (BitmapWord.Units - 1)), units);
        while (true)
        {
            ulong stored = TMachine.Read(address);
            BitmapWord word = BitmapWord.FromStored(stored);
            if (!word.HasRoomFor(allocation))
            {
                return false;
            }

            // Repeats only when another thread changed the word, that is, when somebody made progress.
            if (TMachine.CompareExchange(address, word.With(allocation).Stored, stored) == stored)
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
    internal static bool TryFree(Attachment* heap, ulong unit, out uint units)
    {
        ulong* address = heap->BitmapOf(unit);
        int first = (int)(unit & (BitmapWord.Units - 1));
        while (true)
        {
            ulong stored = TMachine.Read(address);
            BitmapWord word = BitmapWord.FromStored(stored);
            uint ends = word.Ends >> first;
            units = (uint)System.Numerics.BitOperations.TrailingZeroCount(ends) + 1;

            // All up to the first end have the bit that bodies and published ends have; a closed word has no end at all.
            uint mask = (ends ^ (ends - 1)) << first;
            if (ends == 0 || !word.AreBodiesOrPublished(mask) || !IsStart(heap, unit, word))
            {
                return false;
            }

            if (TMachine.CompareExchange(address, word.Without(mask).Stored, stored) == stored)
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
