using System.Numerics;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Allocation;

/// <summary>Finds room for runs of whole blocks: by the hints, then after everything that can be freed has been, then by growth.</summary>
internal static unsafe class RunPlacement<TMachine>
    where TMachine : struct, IMachine
{
    private const int MaxLostRaces = 16;
    private const ulong BlocksPerGroup = 64;
    private const ulong NoPlace = ulong.MaxValue;

    /// <summary>Claims a run. The caller holds a cell. It is not published yet.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="length">In blocks.</param>
    /// <param name="alignment">In blocks; a power of two.</param>
    /// <param name="quickly">Whether to give up before everything that can be freed has been, and before growth.</param>
    /// <param name="head">The first block.</param>
    internal static ShmStatus Allocate(Attachment* heap, ulong length, ulong alignment, bool quickly, out ulong head)
    {
        Meeting meeting = default;
        TrimRounds<TMachine>.Look(heap);
        if (TryClaimHinted(heap, length, alignment, out head, ref meeting))
        {
            return ShmStatus.Ok;
        }

        return quickly ? ShmStatus.OutOfMemory : AllocateThoroughly(heap, length, alignment, out head);
    }

    /// <summary>As for places inside blocks: see <see cref="ThoroughPlacement{TMachine}"/>.</summary>
    private static ShmStatus AllocateThoroughly(Attachment* heap, ulong length, ulong alignment, out ulong head)
    {
        Patience patience = default;
        Meeting meeting = default;
        ulong claims = 0;
        int losses = 0;
        for (int round = 0; ; round++)
        {
            Growth<TMachine>.Refresh(heap);
            ulong searched = heap->Blocks;
            FullSearch<TMachine>.FreeBlocks(heap, ref claims, ref meeting);
            if (TryClaimHinted(heap, length, alignment, out head, ref meeting))
            {
                return ShmStatus.Ok;
            }

            if (meeting.IsAny && round < Meeting.RoundsBeforeGrowth && meeting.TryWait<TMachine>(heap, ref patience))
            {
                continue;
            }

            // Also if somebody was met: a stopped process may be in the middle of a transition for ever.
            bool growsFirst = losses > Meeting.RoundsBeforeGrowth;
            ShmStatus growth = TryExtend(heap, length, alignment, growsFirst, ref meeting, out ulong place);
            bool hasGrown = heap->Blocks > searched;
            if (growth == ShmStatus.Ok || hasGrown)
            {
                if (TryClaimAt(heap, place, length, ref meeting, out head)
                    || TryClaimHinted(heap, length, alignment, out head, ref meeting))
                {
                    return ShmStatus.Ok;
                }

                // Growth ends at the maximum; places that others are faster to take, or that are damaged, might never end.
                losses++;
                if (!hasGrown && losses > Meeting.MaxRounds)
                {
                    return ShmStatus.OutOfMemory;
                }
            }
            else if (!meeting.IsAny || !meeting.TryWait<TMachine>(heap, ref patience))
            {
                return meeting.Verdict(growth);
            }
        }
    }

    /// <summary>Where the run fits among free and bare blocks, the bare ones are filled; otherwise the heap grows, and then the run fits at its end.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="length">In blocks.</param>
    /// <param name="alignment">In blocks.</param>
    /// <param name="growsFirst">Others were faster time and again where it fitted: so the heap grows first, if it can, and there is room for all.</param>
    /// <param name="meeting">Notes who was faster.</param>
    /// <param name="place">The first block of a place where it fits now, or <see cref="NoPlace"/>: it has grown, and others were faster.</param>
    private static ShmStatus TryExtend(Attachment* heap, ulong length, ulong alignment, bool growsFirst, ref Meeting meeting, out ulong place)
    {
        place = NoPlace;
        ShmStatus filled = growsFirst ? ShmStatus.OutOfMemory : RefillBlocks<TMachine>.TryFillRun(heap, length, alignment, ref meeting, out place);
        if (filled != ShmStatus.OutOfMemory)
        {
            place = filled == ShmStatus.Ok ? place : NoPlace;
            return filled;
        }

        ShmStatus grown = Growth<TMachine>.TryGrow(heap, Missing(heap, length, alignment));
        filled = grown == ShmStatus.Ok || growsFirst ? RefillBlocks<TMachine>.TryFillRun(heap, length, alignment, ref meeting, out place) : grown;
        place = filled == ShmStatus.Ok ? place : NoPlace;
        return filled is ShmStatus.OutOfMemory or ShmStatus.Contended ? grown : filled;
    }

    private static bool TryClaimAt(Attachment* heap, ulong place, ulong length, ref Meeting meeting, out ulong head)
    {
        head = place;
        if (place == NoPlace)
        {
            return false;
        }

        bool isClaimed = Runs<TMachine>.TryClaim(heap, place, length, out ulong obstacle);
        if (!isClaimed)
        {
            meeting.NoteLostRace<TMachine>(heap, obstacle);
        }

        return isClaimed;
    }

    /// <summary>Blocks by which the heap must grow so that a run fits at its end, where some are free or bare already.</summary>
    private static ulong Missing(Attachment* heap, ulong length, ulong alignment)
    {
        ulong blocks = heap->Blocks;
        ulong free = 0;
        while (free < blocks && free < length + alignment && RefillBlocks<TMachine>.IsFreeOrBare(Blocks<TMachine>.Read(heap, blocks - free - 1)))
        {
            free++;
        }

        ulong end = AlignUp(blocks - free, alignment) + length;
        return end > blocks ? end - blocks : 1;
    }

    private static bool TryClaimHinted(Attachment* heap, ulong length, ulong alignment, out ulong head, ref Meeting meeting)
    {
        ulong from = 0;
        for (int tries = 0; tries < MaxLostRaces; tries++)
        {
            if (!TryFind(heap, from, length, alignment, out head))
            {
                return false;
            }

            if (Runs<TMachine>.TryClaim(heap, head, length, out ulong obstacle))
            {
                return true;
            }

            meeting.NoteLostRace<TMachine>(heap, obstacle);
            from = obstacle + 1;
        }

        head = 0;
        return false;
    }

    /// <summary>Finds the first aligned sequence of blocks that are all thought to be free.</summary>
    private static bool TryFind(Attachment* heap, ulong from, ulong length, ulong alignment, out ulong head)
    {
        ulong blocks = heap->Blocks;
        ulong start = AlignUp(from, alignment);
        ulong at = start;
        while (at < blocks)
        {
            // The sequence of set bits from here to the end of the group, then the clear ones.
            int skip = (int)(at % BlocksPerGroup);
            ulong bits = Hints<TMachine>.ReadFree(heap, at / BlocksPerGroup) >> skip;
            ulong set = Math.Min((ulong)BitOperations.TrailingZeroCount(~bits), BlocksPerGroup - (uint)skip);
            at = Math.Min(at + set, blocks);
            if (at >= start + length)
            {
                head = start;
                return true;
            }

            if (skip + (int)set < (int)BlocksPerGroup)
            {
                ulong clear = bits >> (int)set;
                at += clear == 0 ? BlocksPerGroup - (uint)skip - set : (ulong)BitOperations.TrailingZeroCount(clear);
                start = AlignUp(at, alignment);
                at = start;
            }
        }

        head = 0;
        return false;
    }

    private static ulong AlignUp(ulong value, ulong alignment) => (value + alignment - 1) & ~(alignment - 1);
}
