using ShmAlloc.Participants;

namespace ShmAlloc.Simulation.Machine;

/// <content>What the kernel does for the core: locks, and storage.</content>
internal sealed unsafe partial class World
{
    internal bool TryLock(Attachment* heap, int slot)
    {
        Question(slot);
        bool isOwn = Shape.SharesDescription && _holders[slot] == IndexOf(heap);
        if (_holders[slot] >= 0 && !isOwn)
        {
            return false;
        }

        _holders[slot] = IndexOf(heap);
        return true;
    }

    internal bool TryHold(Attachment* heap, int slot)
    {
        bool isHeld = TryLock(heap, slot);
        NoteUnwatchedChange();
        return isHeld;
    }

    internal void Unlock(int slot)
    {
        Question(slot);
        _holders[slot] = -1;
    }

    internal void ReleaseHeld(Attachment* heap)
    {
        if (heap->Slot >= 0)
        {
            Unlock(heap->Slot);
        }
        else
        {
            Drop(IndexOf(heap));
        }
    }

    internal bool IsBacked(ulong blocks)
    {
        Question(Shape.Slots);
        return blocks <= _backedBlocks;
    }
}
