using System.Runtime.CompilerServices;
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
    /// <returns>Ok, or why not; contended if somebody else has the first one.</returns>
    internal static ShmStatus TryFill(Attachment* heap, ulong first, ulong least, ulong most)
    {
        most = Math.Min(most, heap->Blocks - first);
        ulong taken = 0;
        while (taken < most && Blocks<TMachine>.TryChange(heap, first + taken, BlockWord.Bare, BlockWord.Baring(heap->Slot)))
        {
            taken++;
        }

        return taken == 0 ? ShmStatus.Contended : Finish(heap, first, taken, Math.Min(least, taken));
    }

    /// <summary>Fills the bare blocks of the first place where a run fits among free and bare ones.</summary>
    /// <remarks>
    /// Writes: one thread, which makes them all BARING before it fills any, and none FREE before all are filled. So a run that is refused leaves nothing:
    /// all of it is BARE again, and nobody had any of it meanwhile. Where there are more pieces than can be noted, those of the turns before stay FREE, until
    /// a round gives them back. Death: as in <see cref="TryFill"/>.
    /// </remarks>
    /// <returns>
    /// Ok: they are free now; contended: others were faster, which is noted; out of memory: there is no such place, if nobody was met who is making one;
    /// otherwise why they got no storage.
    /// </returns>
    internal static ShmStatus TryFillRun(Attachment* heap, ulong length, ulong alignment, ref Meeting meeting, out ulong head)
    {
        if (!TryFindRun(heap, length, alignment, out head, ref meeting))
        {
            return ShmStatus.OutOfMemory;
        }

        // Once, unless bare and free blocks take turns again and again.
        ShmStatus status = ShmStatus.Ok;
        for (ulong block = head; block < head + length && status == ShmStatus.Ok;)
        {
            Unsafe.SkipInit(out BarePieces pieces);
            pieces.Forget();
            bool hasLost = TakePieces(heap, ref block, head + length, ref pieces);
            status = Fill(heap, pieces);
            if (status == ShmStatus.Ok && hasLost)
            {
                status = ShmStatus.Contended;
                meeting.NoteLostRace<TMachine>(heap, block);
            }
        }

        return status;
    }

    /// <summary>BARE → BARING for the bare blocks of a place, as many as can be noted.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="block">Where to begin; then the first block that was not looked at, or that was lost.</param>
    /// <param name="end">One more than the last block.</param>
    /// <param name="pieces">Gets what was taken.</param>
    /// <returns>Whether somebody else was faster.</returns>
    private static bool TakePieces(Attachment* heap, ref ulong block, ulong end, ref BarePieces pieces)
    {
        for (; block < end; block++)
        {
            if (Blocks<TMachine>.Read(heap, block) == BlockWord.Bare)
            {
                if (!pieces.HasRoomFor(block))
                {
                    return false;
                }

                if (!Blocks<TMachine>.TryChange(heap, block, BlockWord.Bare, BlockWord.Baring(heap->Slot)))
                {
                    return true;
                }

                pieces.Add(block);
            }
        }

        return false;
    }

    /// <summary>Fills all of the pieces, or none.</summary>
    private static ShmStatus Fill(Attachment* heap, in BarePieces pieces)
    {
        ShmStatus status = ShmStatus.Ok;
        int filled = 0;
        while (filled < pieces.Count && (status = TryGet(heap, pieces.FirstOf(filled), pieces.LengthOf(filled))) == ShmStatus.Ok)
        {
            filled++;
        }

        for (int piece = 0; piece < pieces.Count; piece++)
        {
            ulong first = pieces.FirstOf(piece);
            ulong length = pieces.LengthOf(piece);
            if (status != ShmStatus.Ok && piece < filled)
            {
                TMachine.TryPunch(heap, first, first + length);
            }

            Release(heap, first, length, status == ShmStatus.Ok ? length : 0);
        }

        return status;
    }

    /// <summary>Fills blocks that are BARING and ours: all of them, or as many as are of use, or none.</summary>
    /// <returns>Ok if any was filled, or why not.</returns>
    internal static ShmStatus Finish(Attachment* heap, ulong first, ulong taken, ulong least)
    {
        ulong filled = taken;
        ShmStatus status = TryGet(heap, first, filled);
        if (status != ShmStatus.Ok && least < taken)
        {
            filled = least;
            status = TryGet(heap, first, filled);
        }

        Release(heap, first, taken, status == ShmStatus.Ok ? filled : 0);
        return status;
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

    private static ShmStatus TryGet(Attachment* heap, ulong first, ulong count)
    {
        ShmStatus status = TMachine.TryFill(heap, first, first + count);
        if (status != ShmStatus.Ok)
        {
            // A call that is refused may have filled some of them.
            TMachine.TryPunch(heap, first, first + count);
        }

        return status;
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
