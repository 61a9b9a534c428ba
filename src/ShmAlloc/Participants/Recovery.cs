using ShmAlloc.Allocation;
using ShmAlloc.Caching;
using ShmAlloc.Layout;
using ShmAlloc.Memory;

namespace ShmAlloc.Participants;

/// <summary>Takes back what a dead participant was in the middle of.</summary>
/// <remarks>
/// The recoverer claims the dead one's slot: it writes into the slot word who it is. As long as it lives it is the only one; should it die as well, the
/// next one claims in its place, and repeats. So every step may be repeated, and the slot is given up last, in one compare-and-swap.
/// It takes no lock for that: a lock belongs to an open file, which a child that another thread forks just then would keep open, and with it the lock.
/// Who lives is only asked.
/// </remarks>
internal static unsafe class Recovery<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>What the flag of the thread that recovers says before it has found anybody dead; then, whom.</summary>
    private const ulong AtNone = 1;

    /// <summary>Recovers everybody who is dead. Skipped, not waited for, while another thread of this process is at it.</summary>
    /// <returns>How many were recovered.</returns>
    internal static int RecoverDead(Attachment* heap) => RecoverDead(heap, out _);

    /// <summary>The same.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="others">
    /// Not 0 if others are at it, so that what the dead held may not be back yet: another thread of this process, or another participant. A number that changes
    /// as they go on.
    /// </param>
    /// <returns>How many were recovered.</returns>
    internal static int RecoverDead(Attachment* heap, out ulong others)
    {
        others = heap->ReadOnly ? 0 : TMachine.CompareExchange(&heap->Probing, AtNone, 0);
        if (heap->ReadOnly || others != 0)
        {
            return 0;
        }

        // Claims name our slot: the visit keeps it.
        bool isVisit = Visits<TMachine>.TryEnter(heap);
        int recovered = isVisit ? RecoverOthers(heap, Volatile.Read(ref heap->Slot), ref others) : 0;
        TMachine.Write(&heap->Probing, 0);
        if (isVisit)
        {
            Visits<TMachine>.Leave(heap);
        }

        return recovered;
    }

    private static int RecoverOthers(Attachment* heap, int own, ref ulong others)
    {
        int recovered = 0;
        if (own < 0 || !AnyOther(heap) || !TMachine.BeginProbing(heap, out int probe))
        {
            return recovered;
        }

        for (int slot = 0; slot < (int)heap->Geometry.Slots; slot++)
        {
            if (slot != own && TryClaim(heap, probe, slot, own, heap->Epoch, out SlotWord claimed, ref others))
            {
                TMachine.Write(&heap->Probing, AtNone + 1 + (ulong)slot);
                recovered += TryRecoverClaimed(heap, slot, claimed) ? 1 : 0;
            }
        }

        TMachine.EndProbing(heap, probe);
        return recovered;
    }

    /// <summary>Recovers a slot whose lock the caller holds, to take it.</summary>
    internal static bool TryRecoverHeld(Attachment* heap, int probe, int slot, ref ulong others) =>
        TryClaim(heap, probe, slot, slot, 0, out SlotWord claimed, ref others) && TryRecoverClaimed(heap, slot, claimed);

    internal static SlotWord ReadSlot(Attachment* heap, int slot) => new(TMachine.Read(&heap->Slots[slot].Word));

    /// <summary>Claims a slot whose participant is dead.</summary>
    /// <remarks>
    /// Written by whoever asked the kernel, after it read the word: the slot's lock is not held, and neither is that of an earlier recoverer. Read by
    /// everybody who wants to claim, and by who takes the slot. Takes effect at the compare-and-swap: from then on only the recoverer writes the cells, and
    /// changes what block words say of the slot. It stays right without a lock, because death is for ever, a recoverer keeps its own slot until it is
    /// done, and who locks the slot to take it claims it first as well, by a word that was not there before: so of who asked before it had the lock, and
    /// itself, one fails. Death right after it: the claim names a dead one, and the next one takes it over.
    /// </remarks>
    /// <param name="heap">The attachment.</param>
    /// <param name="probe">With which to ask.</param>
    /// <param name="slot">Whose participant may be dead.</param>
    /// <param name="recoverer">The slot of who claims; that slot itself, if the caller holds its lock.</param>
    /// <param name="epoch">The epoch of the recoverer, if it has a slot of its own.</param>
    /// <param name="claimed">What the slot's word is then.</param>
    /// <param name="others">Becomes another number if somebody else recovers it.</param>
    private static bool TryClaim(
        Attachment* heap, int probe, int slot, int recoverer, uint epoch, out SlotWord claimed, ref ulong others)
    {
        SlotWord word = ReadSlot(heap, slot);
        claimed = recoverer == slot ? word.ClaimedByHolder(slot) : word.ClaimedBy(recoverer, epoch);
        if (!word.IsActive || (recoverer != slot && TMachine.IsSlotHeld(heap, probe, slot)))
        {
            return false;
        }

        // A claim of our own: we began once, and could not see all blocks.
        if (word.Bits == claimed.Bits
            || (!IsClaimedByTheLiving(heap, probe, slot, word)
                && TMachine.CompareExchange(&heap->Slots[slot].Word, claimed.Bits, word.Bits) == word.Bits))
        {
            return true;
        }

        others = Words.Mix(others + 1, Words.Mix(word.Bits, (ulong)slot));
        return false;
    }

    private static bool IsClaimedByTheLiving(Attachment* heap, int probe, int slot, SlotWord word)
    {
        int recoverer = word.Recoverer;

        // If it was whoever held the slot's lock: the caller has seen that nobody does, or does so itself.
        return word.IsClaimed && recoverer != slot && recoverer < (int)heap->Geometry.Slots
            && ReadSlot(heap, recoverer) is var other && other.IsActive && word.IsClaimedBy(recoverer, other)
            && TMachine.IsSlotHeld(heap, probe, recoverer);
    }

    /// <summary>Recovers a slot that the caller has claimed.</summary>
    /// <returns>False if the file is not what it says: then the claim is given up.</returns>
    private static bool TryRecoverClaimed(Attachment* heap, int slot, SlotWord claimed)
    {
        Growth<TMachine>.Refresh(heap);
        if (TMachine.Read(&heap->Header->CommittedBlocks) > heap->Blocks)
        {
            TMachine.CompareExchange(&heap->Slots[slot].Word, claimed.Unclaimed.Bits, claimed.Bits);
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
        bool isDone = TMachine.CompareExchange(&heap->Slots[slot].Word, claimed.GivenUp.Bits, claimed.Bits) == claimed.Bits;
        if (isDone)
        {
            // What it was working out is free for others.
            Bell<TMachine>.Ring(heap);
        }

        return isDone;
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

        if (cell.Kind is CellKind.Linking or CellKind.Unlinking)
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
