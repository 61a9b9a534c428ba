using ShmAlloc.Layout;
using ShmAlloc.Memory;

namespace ShmAlloc.Participants;

/// <summary>How an attachment becomes a participant: lock the byte of a slot, then take the slot.</summary>
internal static unsafe class Joining<TMachine>
    where TMachine : struct, IMachine
{
    private const uint AttemptsForEachLook = 16;

    /// <summary>Takes a slot: a free one if there is one, otherwise one whose participant is dead, after recovering it.</summary>
    /// <remarks>
    /// The lock comes first, so a slot is never ACTIVE without a lock unless its participant died. Takes effect at FREE → ACTIVE. Death before
    /// it: the kernel drops
    /// the lock and nothing happened; after it: the slot is ACTIVE and its lock is free, which is what "dead" means.
    /// </remarks>
    internal static ShmStatus TryJoin(Attachment* heap)
    {
        // A slot that becomes free is seen in its word. A death is not, and to ask the kernel for each slot takes a while: so only now and then.
        bool looksForDead = heap->FailedJoins % AttemptsForEachLook == 0;
        Patience patience = default;
        bool isJoined;
        ulong others;
        do
        {
            // A slot that somebody else recovers is free in a moment.
            others = 0;
            isJoined = (looksForDead || AnyFree(heap)) && TMachine.BeginProbing(heap, out int probe) && TryJoin(heap, probe, looksForDead, ref others);
        }
        while (!isJoined && others != 0 && patience.TryWait<TMachine>(heap, others));
        heap->FailedJoins = isJoined ? 0 : heap->FailedJoins + 1;
        return isJoined ? ShmStatus.Ok : ShmStatus.NoParticipantSlot;
    }

    /// <summary>Joins when an operation needs a slot that was not to be had at attachment.</summary>
    internal static ShmStatus TryJoinLate(Attachment* heap)
    {
        if (heap->ReadOnly)
        {
            return ShmStatus.ReadOnly;
        }

        Patience patience = default;
        while (TMachine.CompareExchange(&heap->Joining, 1, 0) != 0)
        {
            // Another thread of this process is at it.
            if (TMachine.Read(&heap->Closing) != 0)
            {
                return ShmStatus.Closed;
            }

            if (!patience.TryWait<TMachine>(heap, 1))
            {
                return ShmStatus.Contended;
            }
        }

        ShmStatus status = TMachine.Read(&heap->Closing) != 0 ? ShmStatus.Closed
            : heap->Slot >= 0 ? ShmStatus.Ok
            : TryJoin(heap);

        // A full fence before the look: whoever begins to leave sees the flag clear, or we see that it has begun.
        TMachine.Announce(&heap->Joining, 0);
        if (TMachine.Read(&heap->Closing) != 0)
        {
            Departure<TMachine>.TryFinish(heap);
            return ShmStatus.Closed;
        }

        return status;
    }

    private static bool TryJoin(Attachment* heap, int probe, bool looksForDead, ref ulong others)
    {
        bool isJoined = false;
        for (int pass = 0; pass < 2 && (pass == 0 || looksForDead) && !isJoined; pass++)
        {
            // The second time also one that has become free meanwhile.
            bool wantsDead = pass == 1;
            for (int slot = 0; slot < (int)heap->Geometry.Slots && !isJoined; slot++)
            {
                bool isFree = !Recovery<TMachine>.ReadSlot(heap, slot).IsActive;
                isJoined = (isFree || (wantsDead && !TMachine.IsSlotHeld(heap, probe, slot))) && TryTake(heap, probe, slot, ref others);
            }
        }

        TMachine.EndProbing(heap, probe);
        return isJoined;
    }

    private static bool AnyFree(Attachment* heap)
    {
        for (int slot = 0; slot < (int)heap->Geometry.Slots; slot++)
        {
            if (!Recovery<TMachine>.ReadSlot(heap, slot).IsActive)
            {
                return true;
            }
        }

        return false;
    }

    private static bool TryTake(Attachment* heap, int probe, int slot, ref ulong others)
    {
        if (!TMachine.TryHoldSlot(heap, slot))
        {
            return false;
        }

        // What was read without the lock may be old.
        if (Recovery<TMachine>.ReadSlot(heap, slot).IsActive)
        {
            Recovery<TMachine>.TryRecoverHeld(heap, probe, slot, ref others);
        }

        SlotWord free = Recovery<TMachine>.ReadSlot(heap, slot);
        bool isFree = !free.IsActive && free.IsWellFormed;
        if (isFree)
        {
            UsedCells<TMachine>.Begin(heap, slot);
        }

        bool isTaken = isFree
            && TMachine.CompareExchange(&heap->Slots[slot].Word, free.Activated.Bits, free.Bits) == free.Bits;
        if (!isTaken)
        {
            TMachine.ReleaseSlot(heap);
            return false;
        }

        TMachine.Write(&heap->Slots[slot].ProcessId, heap->ProcessId);
        heap->Epoch = free.Epoch;
        Volatile.Write(ref heap->Slot, slot);
        return true;
    }
}
