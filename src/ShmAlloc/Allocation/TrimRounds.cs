using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Allocation;

/// <summary>
/// Gives back what has long been free, without a thread of its own: whoever opens a block, or needs or frees a run, takes a step of a round through all
/// blocks above the initial size. A round begins some seconds after the last one ended, for all processes together.
/// </summary>
/// <remarks>
/// A round closes open blocks in which nothing is, marks free ones as idle, and gives back those that are marked since the round before: whoever takes a free
/// block removes the mark. So room that is used again and again keeps its storage. The same idea as the reference bit of CLOCK (Corbató, 1968).
/// </remarks>
internal static unsafe class TrimRounds<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Steps of one call in which there is nothing to give back.</summary>
    private const int MaxSteps = 16;

    /// <summary>Takes a step, if it is time. The caller holds a cell.</summary>
    internal static void Look(Attachment* heap)
    {
        if (IsDue(heap, out ulong now))
        {
            GoOn(heap, now);
        }
    }

    /// <summary>The same for callers without a cell.</summary>
    internal static void LookWithCell(Attachment* heap)
    {
        if (IsDue(heap, out ulong now) && Cells<TMachine>.TryTakeAtOnce(heap, out int cell) == ShmStatus.Ok)
        {
            GoOn(heap, now);
            Cells<TMachine>.Release(heap, cell);
        }
    }

    /// <summary>Goes on with the round, or begins one, until something was given back.</summary>
    /// <param name="heap">The attachment. The caller holds a cell.</param>
    /// <param name="now">The time, by the machine's coarse clock.</param>
    internal static void GoOn(Attachment* heap, ulong now)
    {
        if (!TrimBlocks<TMachine>.IsPossible(heap))
        {
            heap->NextTrimLook = ulong.MaxValue;
            return;
        }

        ulong given = 0;
        Growth<TMachine>.Refresh(heap);
        for (int step = 0; step < MaxSteps && given == 0 && TryClaimStep(heap, now, out ulong from, out ulong to); step++)
        {
            if (!TryStep(heap, from, to, ref given))
            {
                heap->NextTrimLook = now + heap->TrimAfter;
                return;
            }
        }
    }

    private static bool IsDue(Attachment* heap, out ulong now)
    {
        now = heap->TrimAfter == 0 ? 0 : TMachine.TickMilliseconds();
        return now != 0 && now >= heap->NextTrimLook;
    }

    /// <summary>Makes the next few blocks of the round ours to look at.</summary>
    /// <remarks>
    /// Writes: anybody, by a compare-and-swap of the round's word, where it takes effect. Reads: whoever looks next. Death after it: these blocks are
    /// not looked at in this round.
    /// </remarks>
    private static bool TryClaimStep(Attachment* heap, ulong now, out ulong from, out ulong to)
    {
        TrimRoundWord seen = new(TMachine.Read(&heap->Header->TrimRound));
        ulong blocks = heap->Blocks;
        bool isOver = seen.Next >= blocks;
        from = Math.Max(isOver ? 0 : seen.Next, TMachine.Read(&heap->Header->InitialBlocks));
        to = Math.Min(from + TrimBlocks<TMachine>.StepBlocks(heap), blocks);

        // A time that has not come is that of another start of the machine.
        ulong time = now >> TrimRoundWord.TimeShift;
        ulong due = seen.Time + (heap->TrimAfter >> TrimRoundWord.TimeShift) + 1;
        if (isOver && seen.Time <= time && time < due)
        {
            heap->NextTrimLook = due << TrimRoundWord.TimeShift;
            return false;
        }

        if (to >= blocks)
        {
            heap->NextTrimLook = now + heap->TrimAfter;
        }

        return from < to && TMachine.CompareExchange(&heap->Header->TrimRound, new TrimRoundWord(now, to).Bits, seen.Bits) == seen.Bits;
    }

    /// <returns>False if the system refused.</returns>
    private static bool TryStep(Attachment* heap, ulong from, ulong to, ref ulong given)
    {
        bool isDone = true;
        for (ulong block = from; block < to && isDone;)
        {
            ulong count = 0;
            BlockWord seen = Blocks<TMachine>.Read(heap, block);
            if (seen.IsIdle)
            {
                isDone = TrimBlocks<TMachine>.TryGiveBack(heap, block, to, onlyIdle: true, out count);
                given += count;
            }
            else if (seen.State == BlockState.Free)
            {
                // Whoever takes the block meanwhile has it: then the mark is not set.
                Blocks<TMachine>.TryChange(heap, block, seen, BlockWord.Idle);
            }
            else if (seen.IsOpen && IsEmpty(heap, block))
            {
                CloseBlock<TMachine>.TryClose(heap, block, seen);
            }

            block += Math.Max(1, count);
        }

        return isDone;
    }

    private static bool IsEmpty(Attachment* heap, ulong block)
    {
        bool isEmpty = true;
        for (uint index = 0; index < heap->Geometry.WordsPerBlock && isEmpty; index++)
        {
            isEmpty = TMachine.Read(heap->FirstWordOf(block) + index) == BitmapWord.Empty.Stored;
        }

        return isEmpty;
    }
}
