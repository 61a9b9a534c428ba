using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Allocation;

/// <summary>
/// Finds room for what fits in a block, from the cheapest way to the most thorough: the current block, a block that the hints name, garbage,
/// a free block, a full search, growth.
/// </summary>
internal static unsafe class Placement<TMachine>
    where TMachine : struct, IMachine
{
    private const int MaxBlocksTried = 8;
    private const int MaxBlocksTriedTightly = 32;
    private const int MaxBlocksSkipped = 64;
    private const ulong ShareOfHomes = 8;
    private const ulong EnoughHomes = 8;
    private const ulong LargestShareOfHomes = 2;

    /// <summary>A sweep after which an eighth of the block is free was worth it.</summary>
    private const uint ShareOfGoodSweep = 8;
    private const uint BlocksBetweenPoorSweeps = 16;
    private const ulong BlocksInGroup = 64;

    /// <summary>A block that has a run so many orders above the request is worth taking over from another, where room is scarce.</summary>
    private const int OrdersOfPlenty = 3;

    /// <summary>For so many requests room is taken to be scarce after a search for places in one word has failed.</summary>
    private const uint RequestsWhileScarce = 1024;

    internal static ShmStatus Allocate(Attachment* heap, Shard* shard, in Request request, ref Claim claim)
    {
        bool isTaken = request.FitsInWord ? TryShort(heap, shard, request, ref claim) : TryLong(heap, shard, request, ref claim);
        if (isTaken)
        {
            return ShmStatus.Ok;
        }

        if (claim.Quickly)
        {
            return claim.CellStatus == ShmStatus.Ok ? ShmStatus.OutOfMemory : claim.CellStatus;
        }

        if (claim.CellStatus == ShmStatus.NoParticipantSlot && request.FitsInWord && !claim.Private)
        {
            // Without a slot what lies in one word can still be had, in any block that is open.
            // Out of memory is said only with a slot: then one became free meanwhile, and the general way is open.
            ulong claims = 0;
            ShmStatus status = FullSearch<TMachine>.Allocate(heap, shard, request, ref claim, ref claims);
            if (status != ShmStatus.OutOfMemory)
            {
                return status;
            }
        }

        return ThoroughPlacement<TMachine>.Allocate(heap, shard, request, ref claim);
    }

    /// <summary>Takes a block as the current one of a family and searches it from the beginning.</summary>
    internal static bool TryMakeCurrent(Attachment* heap, Shard* shard, ulong block, in Request request, ref Claim claim)
    {
        uint cursor = 0;
        if (!Claims<TMachine>.TryInBlock(heap, block, request, ref cursor, ref claim))
        {
            return false;
        }

        MakeCurrent(heap, shard, request.Family, block, cursor);
        return true;
    }

    /// <summary>The same for a block whose words were just read.</summary>
    internal static bool TryMakeCurrent(Attachment* heap, Shard* shard, ulong block, FreeUnits* units, in Request request, ref Claim claim)
    {
        if (!FreeUnits.TryFindTightest(units, request, out uint start))
        {
            return false;
        }

        if (!Claims<TMachine>.TryTake(heap, heap->FirstUnitOf(block) + start, request.Units, ref claim))
        {
            return TryMakeCurrent(heap, shard, block, request, ref claim);
        }

        MakeCurrent(heap, shard, request.Family, block, start >> BitmapWord.UnitsShift);
        return true;
    }

    /// <summary>
    /// For what fits in a word. A place that crosses words costs several times as much, and goes round: freed and given out again, it stays what it is.
    /// So while there is room, blocks that are in use already are asked for places in one word only, and what was freed across words lies idle.
    /// </summary>
    private static bool TryShort(Attachment* heap, Shard* shard, in Request request, ref Claim claim)
    {
        if (TryCurrentBlock(heap, shard, request, ref claim))
        {
            return true;
        }

        uint scarce = shard->Scarce[request.Family];
        bool isRoomy = scarce == 0;
        if (isRoomy && (TryHintedBlocks(heap, shard, request.InWord, tightly: false, ref claim) || TryFreeBlock(heap, shard, request, ref claim)))
        {
            return true;
        }

        shard->Scarce[request.Family] = isRoomy ? RequestsWhileScarce : scarce - 1;
        return TryRemembered(heap, shard, request, ref claim)
            || TryFreeBlock(heap, shard, request, ref claim)
            || TryHintedBlocks(heap, shard, request.AnyPlace, tightly: true, ref claim);
    }

    private static bool TryLong(Attachment* heap, Shard* shard, in Request request, ref Claim claim) =>
        TryRemembered(heap, shard, request, ref claim)
        || TryCurrentBlock(heap, shard, request, ref claim)
        || TryHintedBlocks(heap, shard, request, tightly: false, ref claim)
        || TryFreeBlock(heap, shard, request, ref claim)
        || TryHintedBlocks(heap, shard, request.AnyPlace, tightly: true, ref claim);

    /// <summary>A place that crosses words and that this thread freed lately.</summary>
    private static bool TryRemembered(Attachment* heap, Shard* shard, in Request request, ref Claim claim) =>
        FreedPlaces.TryPop(shard, FreedPlaces.CrossingClassOf(request.Units), request.Units, out ulong unit)
        && (unit & (request.Alignment - 1)) == 0
        && Claims<TMachine>.TryTake(heap, unit, request.Units, ref claim);

    private static bool TryCurrentBlock(Attachment* heap, Shard* shard, in Request request, ref Claim claim)
    {
        ulong current = shard->Current[request.Family];
        if (current == 0)
        {
            return false;
        }

        uint cursor = shard->Cursor[request.Family];
        bool isTaken = Claims<TMachine>.TryInBlock(heap, current - 1, request, ref cursor, ref claim);
        if (isTaken)
        {
            shard->Cursor[request.Family] = cursor;
        }

        return isTaken;
    }

    /// <summary>
    /// Leaves the current block of a family, with fresh hints of what is left in it, for another one. It stays ours: what its objects leave free comes back to
    /// us, and no bitmap word is written by two as long as there is room for both.
    /// </summary>
    internal static void MakeCurrent(Attachment* heap, Shard* shard, int family, ulong block, uint cursor)
    {
        ulong current = shard->Current[family];
        if (current != 0)
        {
            shard->Current[family] = 0;
            FreeUnits left;
            Hints<TMachine>.Reclassify(heap, current - 1, &left);
        }

        shard->Cursor[family] = cursor;
        shard->Current[family] = block + 1;
    }

    /// <summary>Blocks that are thought to have a run of this order first (they fit most tightly), then longer ones.</summary>
    private static bool TryHintedBlocks(Attachment* heap, Shard* shard, in Request request, bool tightly, ref Claim claim)
    {
        int tried = 0;
        int skipped = 0;
        for (int order = request.Order; order <= heap->Geometry.UnitsPerBlockShift; order++)
        {
            ulong start = shard->Rotor;
            for (int round = 0; round < 2; round++, start = 0)
            {
                while (tried < (tightly ? MaxBlocksTriedTightly : MaxBlocksTried) && skipped < MaxBlocksSkipped && claim.CellStatus == ShmStatus.Ok
                    && Hints<TMachine>.TryFind(heap, order, start, out ulong block))
                {
                    start = block + 1;
                    BlockWord seen = Blocks<TMachine>.Read(heap, block);
                    if (!tightly && OpenBlock<TMachine>.IsAnothers(heap, seen, shard))
                    {
                        skipped++;
                        continue;
                    }

                    tried++;
                    if (!seen.IsOpen)
                    {
                        ForgetUnlessOpen(heap, order, block);
                    }
                    else if (tightly && order < request.Order + OrdersOfPlenty
                        ? TryTightly(heap, block, request, ref claim)
                        : TryAdopted(heap, shard, block, seen, request, ref claim))
                    {
                        shard->Rotor = block;
                        return true;
                    }
                    else
                    {
                        // The next search need not be disappointed by it, too.
                        shard->Rotor = start;
                    }
                }
            }
        }

        return false;
    }

    private static bool TryAdopted(Attachment* heap, Shard* shard, ulong block, BlockWord seen, in Request request, ref Claim claim)
    {
        bool isAdopted = OpenBlock<TMachine>.TryAdopt(heap, block, seen, shard);
        if (TryMakeCurrent(heap, shard, block, request, ref claim))
        {
            return true;
        }

        FreeUnits units;
        Hints<TMachine>.Reclassify(heap, block, &units);
        if (isAdopted)
        {
            OpenBlock<TMachine>.Disown(heap, block);
        }

        return false;
    }

    /// <summary>
    /// For a heap without a free block: takes the tightest run of a block, whoever uses it, and leaves it at that. Where there is room, the lowest place
    /// of a block that becomes the current one is better: there will be more in it.
    /// </summary>
    private static bool TryTightly(Attachment* heap, ulong block, in Request request, ref Claim claim)
    {
        FreeUnits unitsOfBlock;
        FreeUnits* units = &unitsOfBlock;
        FreeUnits.Read<TMachine>(heap, block, units);
        if (FreeUnits.TryFindTightest(units, request, out uint start)
            && Claims<TMachine>.TryTake(heap, heap->FirstUnitOf(block) + start, request.Units, ref claim))
        {
            return true;
        }

        Hints<TMachine>.Reclassify(heap, block, units);
        return false;
    }

    /// <summary>Clears a hint, then looks once more: the block may have been opened in between.</summary>
    private static void ForgetUnlessOpen(Attachment* heap, int order, ulong block)
    {
        Hints<TMachine>.Clear(heap, order, block);
        if (Blocks<TMachine>.Read(heap, block).IsOpen)
        {
            Hints<TMachine>.Set(heap, order, block);
        }
    }

    /// <summary>
    /// Frees one piece of garbage that is known of, which may make room; otherwise opens a free block, the last one first: runs grow from the
    /// other end.
    /// </summary>
    internal static bool TryFreeBlock(Attachment* heap, Shard* shard, in Request request, ref Claim claim)
    {
        if (heap->ReadOnly || !Claims<TMachine>.TryEnsureCell(heap, ref claim))
        {
            return false;
        }

        TrimRounds<TMachine>.Look(heap);
        if (shard->SweepPause == 0)
        {
            if (TryGarbage(heap, shard, request, ref claim))
            {
                return true;
            }
        }
        else
        {
            shard->SweepPause--;
        }

        ulong limit = HomeLimit(heap, shard);
        for (int tries = 0; tries < MaxBlocksTried; tries++)
        {
            if (!Hints<TMachine>.TryFindLast(heap, Hints<TMachine>.FreePlane, limit, out ulong block)
                && !Hints<TMachine>.TryFindLast(heap, Hints<TMachine>.FreePlane, heap->Blocks, out block))
            {
                break;
            }

            limit = block;
            if (OpenBlock<TMachine>.TryOpen(heap, block, shard))
            {
                return TryMakeCurrent(heap, shard, block, request, ref claim);
            }

            ForgetUnlessFree(heap, block);
        }

        // Without a free block little is better than nothing, unless the caller has a better way.
        return shard->SweepPause != 0 && !claim.Quickly && TryGarbage(heap, shard, request, ref claim);
    }

    /// <summary>
    /// Sweeps one block that is thought to hold garbage. If that gave little, garbage is left to gather while other blocks are opened: the cost of a sweep is
    /// that of reading all cells twice, however little there is to sweep.
    /// </summary>
    private static bool TryGarbage(Attachment* heap, Shard* shard, in Request request, ref Claim claim)
    {
        if (!TryFindGarbage(heap, shard, out ulong garbage) || !TrySweepHinted(heap, garbage, out uint free))
        {
            return false;
        }

        shard->SweepPause = free < heap->Geometry.UnitsPerBlock / ShareOfGoodSweep ? BlocksBetweenPoorSweeps : 0;
        return TryMakeCurrent(heap, shard, garbage, request, ref claim);
    }

    /// <summary>
    /// Below which block a shard looks for a free one. Shards begin in different groups of 64 blocks, because those of a group have their hints in the same
    /// cache lines; but all of them in the last eighth of the heap, because runs grow from the other end. A small heap has too few groups for that: there they
    /// begin in its last half, if it can grow where a run finds no room.
    /// </summary>
    private static ulong HomeLimit(Attachment* heap, Shard* shard)
    {
        ulong groups = Geometry.Groups(heap->Blocks);
        ulong enough = heap->Blocks < heap->Geometry.MaximumBlocks ? Math.Min(EnoughHomes, groups / LargestShareOfHomes) : 1;
        ulong homes = Math.Max(1, Math.Max(groups / ShareOfHomes, enough));
        return Math.Min(heap->Blocks, (groups - (Cells<TMachine>.NumberOf(heap, shard) % homes)) * BlocksInGroup);
    }

    /// <summary>Goes round, so that garbage gathers in a block until it is its turn.</summary>
    private static bool TryFindGarbage(Attachment* heap, Shard* shard, out ulong block)
    {
        bool isFound = Hints<TMachine>.TryFind(heap, Hints<TMachine>.GarbagePlane, shard->GarbageRotor, out block)
            || (shard->GarbageRotor != 0 && Hints<TMachine>.TryFind(heap, Hints<TMachine>.GarbagePlane, 0, out block));
        shard->GarbageRotor = isFound ? block + 1 : 0;
        return isFound;
    }

    /// <param name="heap">The attachment.</param>
    /// <param name="block">The block.</param>
    /// <param name="free">Units of it that are free now.</param>
    /// <returns>Whether it was an open block, which may have room now.</returns>
    private static bool TrySweepHinted(Attachment* heap, ulong block, out uint free)
    {
        free = 0;
        Hints<TMachine>.Clear(heap, Hints<TMachine>.GarbagePlane, block);
        BlockWord seen = Blocks<TMachine>.Read(heap, block);
        if (seen.State == BlockState.Retired)
        {
            Sweep<TMachine>.TrySweepRun(heap, block, seen);
            return false;
        }

        if (!Sweep<TMachine>.TrySweep(heap, block, seen))
        {
            return false;
        }

        FreeUnits units;
        Hints<TMachine>.Reclassify(heap, block, &units);
        free = FreeUnits.Count(&units);
        return true;
    }

    private static void ForgetUnlessFree(Attachment* heap, ulong block)
    {
        Hints<TMachine>.Clear(heap, Hints<TMachine>.FreePlane, block);
        if (Blocks<TMachine>.Read(heap, block).State == BlockState.Free)
        {
            Hints<TMachine>.Set(heap, Hints<TMachine>.FreePlane, block);
        }
    }
}
