using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Allocation;

/// <summary>What is done for a place inside a block when neither hints nor a free block gave one: searches of the whole heap, and growth.</summary>
internal static unsafe class ThoroughPlacement<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>
    /// Searches, grows, and searches again, as long as others are faster or in the middle of something: out of memory is the answer only when a search met
    /// nobody and the heap cannot grow.
    /// </summary>
    internal static ShmStatus Allocate(Attachment* heap, Shard* shard, in Request request, ref Claim claim)
    {
        Patience patience = default;
        ulong claims = 0;
        int losses = 0;
        for (int round = 0; claim.CellStatus == ShmStatus.Ok; round++)
        {
            if (Growth<TMachine>.Refresh(heap) && Placement<TMachine>.TryFreeBlock(heap, shard, request, ref claim))
            {
                return ShmStatus.Ok;
            }

            ulong searched = heap->Blocks;
            ShmStatus status = FullSearch<TMachine>.Allocate(heap, shard, request, ref claim, ref claims);
            if (status != ShmStatus.OutOfMemory)
            {
                return status;
            }

            if (claim.Meeting.IsAny && round < Meeting.RoundsBeforeGrowth && claim.Meeting.TryWait<TMachine>(heap, ref patience))
            {
                continue;
            }

            // Also if the search met somebody: a stopped process may be in the middle of a transition for ever.
            ShmStatus growth = TryExtend(heap, growsFirst: losses > Meeting.RoundsBeforeGrowth, ref claim);
            bool hasGrown = heap->Blocks > searched;
            if (growth == ShmStatus.Ok || hasGrown)
            {
                if (Placement<TMachine>.TryFreeBlock(heap, shard, request, ref claim))
                {
                    return ShmStatus.Ok;
                }

                // Growth ends at the maximum; blocks that are filled, and taken by others or damaged, might never end.
                losses++;
                if (!hasGrown && losses > Meeting.MaxRounds)
                {
                    return ShmStatus.OutOfMemory;
                }
            }
            else if (!claim.Meeting.IsAny || !claim.Meeting.TryWait<TMachine>(heap, ref patience))
            {
                return claim.Meeting.Verdict(growth);
            }
        }

        return claim.CellStatus;
    }

    /// <summary>Blocks that have no storage get some before the heap grows; unless others took them time and again.</summary>
    private static ShmStatus TryExtend(Attachment* heap, bool growsFirst, ref Claim claim)
    {
        ShmStatus grown = claim.Bare == 0 || growsFirst ? Growth<TMachine>.TryGrow(heap, 1) : ShmStatus.OutOfMemory;
        if (claim.Bare == 0 || grown == ShmStatus.Ok)
        {
            return grown;
        }

        ShmStatus status = RefillBlocks<TMachine>.TryFill(heap, claim.Bare - 1, 1, RefillBlocks<TMachine>.StepBlocks(heap));
        if (status == ShmStatus.Contended)
        {
            claim.Meeting.NoteLostRace<TMachine>(heap, claim.Bare - 1);
        }

        return status;
    }
}
