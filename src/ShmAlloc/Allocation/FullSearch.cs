using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Allocation;

/// <summary>
/// The last resort before "out of memory": recovers the dead, then reads the words of every block, believing no hint, sweeps what needs it,
/// takes any place that is big enough, and makes the hints right on its way.
/// </summary>
internal static unsafe class FullSearch<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Looks at every block for room inside of it. What was met besides is in the claim.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="shard">Of this thread.</param>
    /// <param name="request">What is wanted.</param>
    /// <param name="claim">How.</param>
    /// <param name="lastClaims">0 at first; then what the call before left there.</param>
    /// <returns>Ok, out of memory, or why there was no cell.</returns>
    internal static ShmStatus Allocate(Attachment* heap, Shard* shard, in Request request, ref Claim claim, ref ulong lastClaims)
    {
        bool canSweep = Claims<TMachine>.TryEnsureCell(heap, ref claim);
        ShmStatus cellStatus = claim.CellStatus;
        if (!canSweep && cellStatus != ShmStatus.NoParticipantSlot)
        {
            return cellStatus;
        }

        Request any = canSweep ? request.AnyPlace : request.InWord;
        claim.CellStatus = ShmStatus.Ok;
        claim.Meeting.Begin();
        claim.Bare = 0;
        RecoverDead(heap, ref claim.Meeting);

        // What lies below was searched lately. It comes last, but it comes.
        ulong start = Math.Min(shard->Rotor, heap->Blocks);
        ulong claims = 0;
        if (TryPass(heap, shard, start, heap->Blocks, any, canSweep, ref claim, ref claims)
            || TryPass(heap, shard, 0, start, any, canSweep, ref claim, ref claims))
        {
            return ShmStatus.Ok;
        }

        NoteClaims(claims, ref lastClaims, ref claim.Meeting);
        return canSweep ? ShmStatus.OutOfMemory : cellStatus;
    }

    /// <summary>Makes everything FREE that can be: sweeps, closes empty blocks, takes retired runs apart. The caller holds a cell.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="lastClaims">0 at first; then what the call before left there.</param>
    /// <param name="meeting">Who was met.</param>
    internal static void FreeBlocks(Attachment* heap, ref ulong lastClaims, ref Meeting meeting)
    {
        ulong claims = 0;
        meeting.Begin();
        RecoverDead(heap, ref meeting);
        for (ulong block = 0; block < heap->Blocks;)
        {
            BlockWord seen = Blocks<TMachine>.Read(heap, block);
            if (seen.IsOpen)
            {
                if (!TryEmpty(heap, block, seen))
                {
                    meeting.NoteLostRace<TMachine>(heap, block);
                }
            }
            else if (seen.State == BlockState.Free)
            {
                Hints<TMachine>.Set(heap, Hints<TMachine>.FreePlane, block);
            }

            block += Pass(heap, block, seen, canSweep: true, ref meeting, ref claims);
        }

        NoteClaims(claims, ref lastClaims, ref meeting);
    }

    private static void RecoverDead(Attachment* heap, ref Meeting meeting)
    {
        Recovery<TMachine>.RecoverDead(heap, out ulong others);
        if (others != 0)
        {
            meeting.NoteRecovery(others);
        }
    }

    private static void NoteClaims(ulong claims, ref ulong lastClaims, ref Meeting meeting)
    {
        if (claims != lastClaims)
        {
            meeting.NoteChange();
        }

        lastClaims = claims;
    }

    private static bool TryPass(Attachment* heap, Shard* shard, ulong from, ulong to, in Request request, bool canSweep, ref Claim claim, ref ulong claims)
    {
        for (ulong block = from; block < to;)
        {
            BlockWord seen = Blocks<TMachine>.Read(heap, block);
            if (seen.IsOpen)
            {
                if (TryOpenBlock(heap, shard, block, seen, request, canSweep, ref claim))
                {
                    shard->Rotor = block;
                    return true;
                }
            }
            else if (seen.State == BlockState.Free && canSweep)
            {
                bool isOpened = OpenBlock<TMachine>.TryOpen(heap, block, shard);
                if (isOpened && Placement<TMachine>.TryMakeCurrent(heap, shard, block, request, ref claim))
                {
                    return true;
                }

                claim.Meeting.NoteLostRace<TMachine>(heap, block);
            }
            else if (seen == BlockWord.Bare)
            {
                claim.Bare = block + 1;
            }

            block += Pass(heap, block, seen, canSweep, ref claim.Meeting, ref claims);
        }

        return false;
    }

    private static bool TryOpenBlock(
        Attachment* heap, Shard* shard, ulong block, BlockWord seen, in Request request, bool canSweep, ref Claim claim)
    {
        FreeUnits unitsOfBlock;
        FreeUnits* units = &unitsOfBlock;
        if (HasNothing(heap, block, units, request.Order))
        {
            return false;
        }

        int order = Hints<TMachine>.Reclassify(heap, block, units);
        if (units->NeedsSweep && canSweep)
        {
            if (Sweep<TMachine>.TrySweep(heap, block, seen))
            {
                order = Hints<TMachine>.Reclassify(heap, block, units);
            }
            else
            {
                claim.Meeting.NoteLostRace<TMachine>(heap, block);
            }
        }

        return order >= request.Order && Placement<TMachine>.TryMakeCurrent(heap, shard, block, units, request, ref claim);
    }

    /// <summary>What is not open: steps over runs, takes retired ones apart, and notes transitions of others.</summary>
    /// <remarks>
    /// CLAIMING that is not the body of a run is a run being put together, or a reserved one, which stays for as long as its holder likes. So
    /// <paramref name="claims"/> becomes a digest of them: if two passes after each other have the same, they are in use and not in transition.
    /// </remarks>
    /// <returns>How many blocks to go on.</returns>
    private static ulong Pass(Attachment* heap, ulong block, BlockWord seen, bool canSweep, ref Meeting meeting, ref ulong claims)
    {
        bool isSane = seen.IsHead && Runs<TMachine>.Fits(heap, block, seen.Value);
        switch (seen.State)
        {
            case BlockState.Run when isSane:
                return seen.Value;

            case BlockState.Retired when isSane && canSweep:
                // What it freed is looked at by the next pass; what was free before it, now. A run that is named stays, and the end of it may have
                // been taken apart already: so its length is not stepped over.
                if (Sweep<TMachine>.TrySweepRun(heap, block, seen) || Blocks<TMachine>.Read(heap, block) != seen)
                {
                    meeting.NoteLostRace<TMachine>(heap, block);
                }

                return 1;

            case BlockState.Busy or BlockState.Freeing or BlockState.Baring:
                meeting.NoteTransition<TMachine>(heap, block, seen);
                return 1;

            case BlockState.Claiming when !Recovery<TMachine>.IsBodyOfRun(heap, block, seen.Value):
                claims = Words.Mix(Words.Mix(claims, block), seen.Bits);
                return 1;

            default:
                return 1;
        }
    }

    /// <summary>A first look, which is all that most blocks of a full heap get: no such run, nothing to sweep, and no hint that is wrong about it.</summary>
    private static bool HasNothing(Attachment* heap, ulong block, FreeUnits* units, int order)
    {
        FreeUnits.Read<TMachine>(heap, block, units);
        return !units->MayHave(order) && !units->NeedsSweep && !Hints<TMachine>.SaysAtLeast(heap, block, order);
    }

    /// <returns>False if somebody else is at the block.</returns>
    private static bool TryEmpty(Attachment* heap, ulong block, BlockWord seen)
    {
        FreeUnits unitsOfBlock;
        FreeUnits* units = &unitsOfBlock;
        if (HasNothing(heap, block, units, heap->Geometry.UnitsPerBlockShift))
        {
            return true;
        }

        int order = Hints<TMachine>.Reclassify(heap, block, units);
        if (units->NeedsSweep)
        {
            if (!Sweep<TMachine>.TrySweep(heap, block, seen))
            {
                return false;
            }

            order = Hints<TMachine>.Reclassify(heap, block, units);
            seen = Blocks<TMachine>.Read(heap, block);
        }

        return order < heap->Geometry.UnitsPerBlockShift || CloseBlock<TMachine>.TryClose(heap, block, seen);
    }
}
