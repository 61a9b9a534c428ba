using ShmAlloc.Allocation;
using ShmAlloc.Caching;
using ShmAlloc.Layout;
using ShmAlloc.Memory;

namespace ShmAlloc.Participants;

/// <summary>Takes back what a dead participant was in the middle of.</summary>
/// <remarks>
/// Whoever holds the lock of the dead one's slot is its only recoverer; should it die as well, the lock is free again and the next one repeats.
/// So every step may be repeated, and the slot is given up last, in one compare-and-swap.
/// </remarks>
internal static unsafe class Recovery<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Recovers everybody who is dead. Skipped, not waited for, while another thread of this process is at it.</summary>
    /// <returns>How many were recovered.</returns>
    internal static int RecoverDead(Attachment* heap)
    {
        TryRecoverDead(heap, out int recovered);
        return recovered;
    }

    /// <summary>The same.</summary>
    /// <returns>False if another thread of this process is at it, so that what the dead held may not be back yet.</returns>
    internal static bool TryRecoverDead(Attachment* heap, out int recovered)
    {
        recovered = 0;
        if (heap->ReadOnly || TMachine.CompareExchange(&heap->Probing, 1, 0) != 0)
        {
            return heap->ReadOnly;
        }

        if (AnyOther(heap) && TMachine.BeginProbing(heap, out int probe))
        {
            for (int slot = 0; slot < (int)heap->Geometry.Slots; slot++)
            {
                if (slot != heap->Slot && ReadSlot(heap, slot).IsActive && TMachine.TryLockSlot(heap, probe, slot))
                {
                    recovered += TryRecoverLocked(heap, slot) ? 1 : 0;
                    TMachine.UnlockSlot(heap, probe, slot);
                }
            }

            TMachine.EndProbing(heap, probe);
        }

        TMachine.Write(&heap->Probing, 0);
        return true;
    }

    internal static SlotWord ReadSlot(Attachment* heap, int slot) => new(TMachine.Read(&heap->Slots[slot].Word));

    /// <summary>Recovers a slot whose lock the caller holds.</summary>
    /// <returns>False if there was nothing to recover, or the file is not what it says.</returns>
    internal static bool TryRecoverLocked(Attachment* heap, int slot)
    {
        SlotWord word = ReadSlot(heap, slot);
        Growth<TMachine>.Refresh(heap);
        bool seesAllBlocks = TMachine.Read(&heap->Header->CommittedBlocks) <= heap->Blocks;
        if (!word.IsActive || !seesAllBlocks)
        {
            return false;
        }

        for (int cell = 0; cell < heap->Geometry.Cells; cell++)
        {
            RecoverCell(heap, slot, cell);
        }

        for (ulong block = 0; block < heap->Blocks; block++)
        {
            RecoverBlock(heap, slot, block);
        }

        ItemRecovery<TMachine>.OrderRecount(heap);
        return TMachine.CompareExchange(&heap->Slots[slot].Word, word.GivenUp.Bits, word.Bits) == word.Bits;
    }

    /// <summary>CLAIMING and FREEING are cleared: what they named is then a private allocation that nobody names, which is garbage.</summary>
    /// <remarks>
    /// The hint comes first, so that a death in between does not lose it. Somebody may look at the block in between, find the garbage still named and
    /// forget the hint; then a full search finds the garbage, which believes no hint and comes before "out of memory" and before growth.
    /// </remarks>
    private static void RecoverCell(Attachment* heap, int slot, int index)
    {
        CellWord cell = Cells<TMachine>.Read(heap, slot, index);
        if (cell.IsNone)
        {
            return;
        }

        if (cell.Kind is CellKind.Linking or CellKind.Unlinking or CellKind.Computing)
        {
            ItemRecovery<TMachine>.Recover(heap, cell);
        }

        ulong block = heap->BlockOf(cell.Unit);
        if (block < heap->Blocks)
        {
            Hints<TMachine>.Set(heap, Hints<TMachine>.GarbagePlane, block);
        }

        TMachine.Write(Cells<TMachine>.AddressOf(heap, slot, index), 0);
    }

    /// <summary>Ends what a block word says the dead one was doing.</summary>
    private static void RecoverBlock(Attachment* heap, int slot, ulong block)
    {
        BlockWord word = Blocks<TMachine>.Read(heap, block);
        if (word.Slot != slot)
        {
            return;
        }

        switch (word.State)
        {
            case BlockState.Owned:
                Blocks<TMachine>.TryChange(heap, block, word, BlockWord.Open);
                break;

            case BlockState.Busy:
                Blocks<TMachine>.TryChange(heap, block, word, BlockWord.Open);
                Hints<TMachine>.Set(heap, Hints<TMachine>.GarbagePlane, block);
                break;

            case BlockState.Baring:
                // Storage that stayed behind would be missing elsewhere. The word names the dead one until all is done.
                TMachine.TryPunch(heap, block, block + 1);
                Blocks<TMachine>.TryChange(heap, block, word, BlockWord.Bare);
                break;

            case BlockState.Claiming when !IsBodyOfRun(heap, block, word.Value):
                Blocks<TMachine>.TryChange(heap, block, word, BlockWord.Free);
                Hints<TMachine>.Set(heap, Hints<TMachine>.FreePlane, block);
                break;

            case BlockState.Freeing when word.Value != 0 && word.Value <= heap->Blocks - block:
                Sweep<TMachine>.FinishRun(heap, block, slot, word.Value);
                break;
        }
    }

    internal static bool IsBodyOfRun(Attachment* heap, ulong block, ulong distance)
    {
        if (distance > block)
        {
            return false;
        }

        BlockWord head = Blocks<TMachine>.Read(heap, block - distance);
        return head.IsHead && head.Value > distance;
    }

    private static bool AnyOther(Attachment* heap)
    {
        for (int slot = 0; slot < (int)heap->Geometry.Slots; slot++)
        {
            if (slot != heap->Slot && ReadSlot(heap, slot).IsActive)
            {
                return true;
            }
        }

        return false;
    }
}
