using System.Numerics;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Simulation.Machine;

/// <content>What the kernel does for the core: locks, and storage.</content>
internal sealed unsafe partial class World
{
    internal bool IsHeld(Attachment* heap, int slot)
    {
        Question(slot);
        bool isOwn = Shape.SharesDescription && _holders[slot] == IndexOf(heap);
        return _holders[slot] >= 0 && !isOwn;
    }

    internal bool TryHold(Attachment* heap, int slot)
    {
        Question(slot);
        bool isFree = _holders[slot] < 0;
        if (isFree)
        {
            _holders[slot] = IndexOf(heap);
        }

        NoteUnwatchedChange();
        return isFree;
    }

    private void Unlock(int slot)
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

    /// <summary>Whether a block has lost its storage.</summary>
    internal bool IsHole(ulong block) => (_holes >> (int)block & 1) != 0;

    /// <summary>Blocks that have lost their storage.</summary>
    internal ulong CountHoles()
    {
        Question(Shape.Slots);
        return Holes;
    }

    internal ShmStatus TryFill(ulong from, ulong to)
    {
        Question(Shape.Slots);
        ulong before = _holes;
        _holes &= ~MaskOf(from, to);
        bool isEnough = _backedBlocks - Holes <= (ulong)Shape.StorageBlocks;
        _holes = isEnough ? _holes : before;
        return isEnough ? ShmStatus.Ok : ShmStatus.FileSystemFull;
    }

    internal bool TryPunch(ulong from, ulong to)
    {
        Question(Shape.Slots);
        for (ulong block = from; block < to && SimulatedThread.Current != null; block++)
        {
            Ledger.RequireUnused(block, "loses its storage");
            NoteLoss(block);
        }

        // Who is refused may have lost some of it all the same.
        _holes |= MaskOf(from, Shape.MakesHoles ? to : from + 1);
        return Shape.MakesHoles;
    }

    private ulong Holes => (ulong)BitOperations.PopCount(_holes);

    private static ulong MaskOf(ulong from, ulong to) => (1UL << (int)to) - (1UL << (int)from);

    internal Backing AskBacking(Attachment* heap, ulong blocks)
    {
        Question(Shape.Slots);
        return IndexOf(heap) == Shape.Blind ? Backing.Unknown : blocks <= _backedBlocks ? Backing.There : Backing.Missing;
    }
}
