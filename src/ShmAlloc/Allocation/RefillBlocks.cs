using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Allocation;

/// <summary>BARE → BARING → FREE: how bare blocks get their storage again when room is needed. The callers hold a cell.</summary>
internal static unsafe class RefillBlocks<TMachine>
    where TMachine : struct, IMachine
{
    private const ulong ShareOfStep = 4;

    /// <summary>Blocks that are filled at once: as many as the heap would grow by if bare blocks were no part of it.</summary>
    internal static ulong StepBlocks(Attachment* heap)
    {
        ulong backed = 0;
        for (ulong block = 0; block < heap->Blocks; block++)
        {
            backed += Blocks<TMachine>.Read(heap, block).State != BlockState.Bare ? 1u : 0;
        }

        return Math.Max(1, Math.Max(backed / ShareOfStep, Growth<TMachine>.SmallestStepBytes >> heap->Geometry.BlockShift));
    }

    internal static bool IsFreeOrBare(BlockWord word) => word.State == BlockState.Free || word == BlockWord.Bare;

    /// <summary>Fills bare blocks that begin here, one after the other.</summary>
    /// <remarks>
    /// Writes: one thread, BARE → BARING each, which is exclusive; then the storage, then BARING → FREE, where it takes effect: from there on anybody may take
    /// the block, and touch it. Death: recovery gives back what was filled by then, and makes BARING BARE.
    /// </remarks>
    /// <param name="heap">The attachment.</param>
    /// <param name="first">The first block.</param>
    /// <param name="least">So many are of use, if there is no room for all of them.</param>
    /// <param name="most">No more than so many.</param>
    /// <returns>Contended if somebody else has the first one.</returns>
    internal static ShmStatus TryFill(Attachment* heap, ulong first, ulong least, ulong most)
    {
        most = Math.Min(most, heap->Blocks - first);
        ulong taken = 0;
        while (taken < most && Blocks<TMachine>.TryChange(heap, first + taken, BlockWord.Bare, BlockWord.Baring(heap->Slot)))
        {
            taken++;
        }

        return taken == 0 ? ShmStatus.Contended
            : Finish(heap, first, taken, Math.Min(least, taken)) ? ShmStatus.Ok
            : ShmStatus.FileSystemFull;
    }

    /// <summary>Fills the bare blocks of the first place where a run fits among free and bare ones.</summary>
    /// <returns>
    /// Ok: they are free now; contended: others were faster, which is noted; out of memory: there is no such place, if nobody was met who is making one.
    /// </returns>
    internal static ShmStatus TryFillRun(Attachment* heap, ulong length, ulong alignment, ref Meeting meeting)
    {
        if (!TryFindRun(heap, length, alignment, out ulong head, ref meeting))
        {
            return ShmStatus.OutOfMemory;
        }

        ShmStatus status = ShmStatus.Ok;
        for (ulong block = head; block < head + length && status == ShmStatus.Ok; block++)
        {
            if (Blocks<TMachine>.Read(heap, block) == BlockWord.Bare)
            {
                ulong rest = head + length - block;
                status = TryFill(heap, block, rest, rest);
                if (status == ShmStatus.Contended)
                {
                    meeting.NoteLostRace<TMachine>(heap, block);
                }
            }
        }

        return status;
    }

    /// <summary>Fills blocks that are BARING and ours: all of them, or as many as are of use, or none.</summary>
    /// <returns>Whether any was filled.</returns>
    internal static bool Finish(Attachment* heap, ulong first, ulong taken, ulong least)
    {
        ulong filled = TryGet(heap, first, taken) ? taken : least < taken && TryGet(heap, first, least) ? least : 0;
        Release(heap, first, taken, filled);
        return filled != 0;
    }

    /// <summary>BARING → FREE for those that have their storage, BARING → BARE for the others.</summary>
    internal static void Release(Attachment* heap, ulong first, ulong taken, ulong filled)
    {
        BlockWord baring = BlockWord.Baring(heap->Slot);
        for (ulong index = 0; index < taken; index++)
        {
            if (Blocks<TMachine>.TryChange(heap, first + index, baring, index < filled ? BlockWord.Free : BlockWord.Bare) && index < filled)
            {
                Hints<TMachine>.Set(heap, Hints<TMachine>.FreePlane, first + index);
            }
        }
    }

    private static bool TryGet(Attachment* heap, ulong first, ulong count)
    {
        bool isFilled = TMachine.TryFill(heap, first, first + count);
        if (!isFilled)
        {
            // A call that is refused may have filled some of them.
            TMachine.TryPunch(heap, first, first + count);
        }

        return isFilled;
    }

    private static bool TryFindRun(Attachment* heap, ulong length, ulong alignment, out ulong head, ref Meeting meeting)
    {
        head = 0;
        for (ulong block = 0; block < heap->Blocks;)
        {
            BlockWord seen = Blocks<TMachine>.Read(heap, block);
            if (!IsFreeOrBare(seen))
            {
                if (seen.State == BlockState.Baring)
                {
                    meeting.NoteTransition<TMachine>(heap, block, seen);
                }

                head = (block + alignment) & ~(alignment - 1);
                block = head;
            }
            else if (++block - head >= length)
            {
                return true;
            }
        }

        return false;
    }
}
