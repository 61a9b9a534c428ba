using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Allocation;

/// <summary>FREE → BUSY → OWNED, and OPEN or OWNED → OWNED: how a block is opened or adopted.</summary>
internal static unsafe class OpenBlock<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Opens a free block for allocations. The caller holds a cell, so that the slot is ours throughout.</summary>
    /// <remarks>
    /// BUSY is exclusive, so one thread opens all words. Death half-way: recovery makes the block OPEN with some words closed, and the next
    /// sweep of it opens those. A thread that was delayed may allocate in a word that is open already: the block is about to be open.
    /// </remarks>
    internal static bool TryOpen(Attachment* heap, ulong block, Shard* shard)
    {
        BlockWord busy = BlockWord.Busy(heap->Slot);
        if (!Blocks<TMachine>.TryTakeFree(heap, block, busy))
        {
            return false;
        }

        Hints<TMachine>.Clear(heap, Hints<TMachine>.FreePlane, block);
        OpenWords(heap, block);
        Blocks<TMachine>.TryChange(heap, block, busy, BlockWord.Owned(heap->Slot, heap->NumberOf(shard)));
        Hints<TMachine>.Set(heap, heap->Geometry.UnitsPerBlockShift, block);
        return true;
    }

    /// <summary>CLOSED → empty for every word of a block that is BUSY and ours.</summary>
    internal static void OpenWords(Attachment* heap, ulong block)
    {
        ulong* words = heap->FirstWordOf(block);
        for (uint index = 0; index < heap->Geometry.WordsPerBlock; index++)
        {
            if (BitmapWord.FromStored(TMachine.Read(words + index)).IsClosed)
            {
                TMachine.CompareExchange(words + index, BitmapWord.Empty.Stored, BitmapWord.Closed.Stored);
            }
        }
    }

    /// <summary>Makes an open block ours to use, also from another. Only a hint changes.</summary>
    /// <returns>Whether it was not ours before.</returns>
    internal static bool TryAdopt(Attachment* heap, ulong block, BlockWord seen, Shard* shard)
    {
        BlockWord mine = BlockWord.Owned(heap->Slot, heap->NumberOf(shard));
        return seen.IsOpen && heap->Slot >= 0 && seen != mine && Blocks<TMachine>.TryChange(heap, block, seen, mine);
    }

    /// <summary>Whether another participant, or another shard of ours, says that it uses the block. One that has left may have left the hint behind.</summary>
    internal static bool IsAnothers(Attachment* heap, BlockWord seen, Shard* shard) =>
        seen.State == BlockState.Owned && seen != BlockWord.Owned(heap->Slot, heap->NumberOf(shard))
        && seen.Slot < (int)heap->Geometry.Slots && Recovery<TMachine>.ReadSlot(heap, seen.Slot).IsActive;

    /// <summary>Gives up the hint that a block is ours.</summary>
    internal static void Disown(Attachment* heap, ulong block)
    {
        BlockWord seen = Blocks<TMachine>.Read(heap, block);
        if (seen.State == BlockState.Owned && seen.Slot == heap->Slot)
        {
            Blocks<TMachine>.TryChange(heap, block, seen, BlockWord.Open);
        }
    }
}
