using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Allocation;

/// <summary>One attempt to get room: how it is to be claimed, and what became of it.</summary>
internal struct Claim
{
    internal const int NoCell = -1;

    /// <summary>Whether it is to stay private: a reservation.</summary>
    internal bool Private;

    /// <summary>Whether to give up before the whole heap is searched, or grown: the caller has other means to make room.</summary>
    internal bool Quickly;

    /// <summary>The cell that names the place, once one is needed.</summary>
    internal int Cell;

    /// <summary>The first unit, once it is claimed.</summary>
    internal ulong Unit;

    /// <summary>Others that were faster at some place, or in a transition: then a failure is not yet "out of memory".</summary>
    internal Meeting Meeting;

    /// <summary>A bare block that a full search came across, plus one; 0: none.</summary>
    internal ulong Bare;

    /// <summary>Why no cell was to be had.</summary>
    internal ShmStatus CellStatus;

    internal static Claim Published => new() { Cell = NoCell };

    internal static Claim Reserved(int cell) => new() { Cell = cell, Private = true };
}

/// <summary>Tries to make a place that a search found ours.</summary>
internal static unsafe class Claims<TMachine>
    where TMachine : struct, IMachine
{
    private const int MaxLostRaces = 8;

    /// <summary>Claims one place in the cheapest way that is right for it.</summary>
    internal static bool TryTake(Attachment* heap, ulong unit, uint units, ref Claim claim)
    {
        bool isInOneWord = (unit & (BitmapWord.Units - 1)) + units <= BitmapWord.Units;
        bool isTaken = !claim.Private && isInOneWord
            ? WordClaim<TMachine>.TryPublish(heap, unit, units)
            : TryEnsureCell(heap, ref claim)
                && PrivateClaim<TMachine>.TryClaim(heap, claim.Cell, unit, units)
                && (claim.Private || PrivateClaim<TMachine>.TryPublish(heap, unit, units));
        if (isTaken)
        {
            claim.Unit = unit;
        }
        else
        {
            claim.Meeting.NoteLostRace<TMachine>(heap, heap->BlockOf(unit));
        }

        return isTaken;
    }

    /// <summary>Searches a block from a word on, and claims what it finds.</summary>
    internal static bool TryInBlock(Attachment* heap, ulong block, in Request request, ref uint cursor, ref Claim claim)
    {
        for (int tries = 0; tries < MaxLostRaces && claim.CellStatus == ShmStatus.Ok; tries++)
        {
            if (!BlockSearch<TMachine>.TryFind(heap, block, request, ref cursor, out ulong unit))
            {
                return false;
            }

            if (TryTake(heap, unit, request.Units, ref claim))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Takes a cell for the operation if it has none yet.</summary>
    internal static bool TryEnsureCell(Attachment* heap, ref Claim claim)
    {
        if (claim.Cell == Claim.NoCell)
        {
            claim.CellStatus = Cells<TMachine>.TryTakeForOperation(heap, out claim.Cell);
        }

        return claim.CellStatus == ShmStatus.Ok;
    }
}
