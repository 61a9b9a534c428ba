using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Allocation;

/// <summary>OPEN → BUSY → FREE: how an empty block becomes available for runs again.</summary>
internal static unsafe class CloseBlock<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Closes a block if nothing is allocated in it. The caller holds a cell.</summary>
    /// <remarks>
    /// The holder of BUSY opens what a death left closed, then closes every word itself, each by a compare-and-swap from empty: so no
    /// allocation can be
    /// in any of them when the block becomes FREE. If a word is in use, those closed so far are opened again.
    /// Death half-way: recovery makes the block OPEN with some words closed, which the next sweep opens.
    /// </remarks>
    internal static bool TryClose(Attachment* heap, ulong block, BlockWord seen)
    {
        BlockWord busy = BlockWord.Busy(heap->Slot);
        if (!seen.IsOpen || !Blocks<TMachine>.TryChange(heap, block, seen, busy))
        {
            return false;
        }

        OpenBlock<TMachine>.OpenWords(heap, block);
        ulong* words = heap->FirstWordOf(block);
        bool isEmpty = true;
        for (uint index = 0; index < heap->Geometry.WordsPerBlock && isEmpty; index++)
        {
            isEmpty = TMachine.CompareExchange(words + index, BitmapWord.Closed.Stored, BitmapWord.Empty.Stored) == BitmapWord.Empty.Stored;
        }

        if (!isEmpty)
        {
            OpenBlock<TMachine>.OpenWords(heap, block);
            Blocks<TMachine>.TryChange(heap, block, busy, BlockWord.Open);
            return false;
        }

        Blocks<TMachine>.TryChange(heap, block, busy, BlockWord.Free);
        Hints<TMachine>.Forget(heap, block);
        Hints<TMachine>.Set(heap, Hints<TMachine>.FreePlane, block);
        return true;
    }
}
