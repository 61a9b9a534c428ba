using ShmAlloc.Allocation;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>
/// The two hands, which walk over the memory of the caches block by block and drop items. So memory is freed in pieces as large as blocks, and no list
/// is kept of the items.
/// <list type="bullet">
/// <item>The probation hand follows the order in which blocks were swept. Once what is new in a block has had its chance (see Probation), it drops what
/// nobody has asked for yet.</item>
/// <item>While there is no such block, the main hand takes the next one of memory: it drops what is cold, and makes cold what was used; new items go only
/// if their probation is over.</item>
/// </list>
/// </summary>
/// <remarks>
/// Sources: CLOCK, Corbató, "A Paging Experiment with the Multics System" (1968), for the main hand; S3-FIFO, Yang et al., "FIFO Queues are All You Need for
/// Cache Eviction" (SOSP '23), for the probation. Processes share the positions, which are hints, and each takes another block. The hands believe nothing
/// but entries of an index: what lies in memory may be anybody's.
/// </remarks>
internal static unsafe class CacheHand<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>
    /// Makes room in one block: in the one that was swept longest ago, if what was new in it then has had its chance, by dropping what still is; else in the
    /// next one of memory, by dropping what was not used lately. The caller holds a cell as well.
    /// </summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="now">A time before this call.</param>
    /// <param name="close">Whether a block that is empty then is closed, so that it can become part of a run.</param>
    /// <param name="grip">A cell.</param>
    /// <param name="block">Which block it was.</param>
    /// <returns>False if there is no block with items of caches.</returns>
    internal static bool TryMakeRoom(Attachment* heap, Moment now, bool close, ulong* grip, out ulong block)
    {
        Errand errandForRoom;
        Errand* errand = &errandForRoom;
        Errand.BeginForRoom(errand, now, Errand.OfNew);
        uint since = Probation<TMachine>.Now(heap);
        if (!SweepOrder<TMachine>.TryTakeOver(heap, out block))
        {
            if (!TryNextBlock(heap, out block))
            {
                return false;
            }

            SweepWord last = SweepOrder<TMachine>.Read(heap, block);
            bool isOver = last.IsNever || Probation<TMachine>.IsOver(heap, last.Since);
            errand->Drops = isOver ? Errand.Unused : Errand.OfCold;
            errand->Lowers = true;
            since = isOver ? since : last.Since;
        }

        bool isAny = TrySweep(heap, block, errand, close, grip);
        if (isAny)
        {
            SweepOrder<TMachine>.Append(heap, block, errand->AnyNew ? since : Probation<TMachine>.Now(heap));
        }

        return true;
    }

    /// <summary>Drops everything in a block that can be dropped.</summary>
    /// <returns>Whether the block is free for a run now.</returns>
    internal static bool TryEmpty(Attachment* heap, ulong block, Errand* errand, ulong* grip)
    {
        if (Blocks<TMachine>.Read(heap, block).State != BlockState.Free)
        {
            Probation<TMachine>.Begin(heap, &errand->Evictions);
            TryDropIn(heap, block, errand, grip);
            Probation<TMachine>.End(heap, &errand->Evictions);
            FreeGarbage(heap, block, close: true);
        }

        return Blocks<TMachine>.Read(heap, block).State == BlockState.Free;
    }

    /// <summary>Makes free what was dropped in a block, and the hints right.</summary>
    internal static void FreeGarbage(Attachment* heap, ulong block, bool close)
    {
        // Whoever retires something from here on sets it again.
        Hints<TMachine>.Clear(heap, Hints<TMachine>.GarbagePlane, block);
        BlockWord seen = Blocks<TMachine>.Read(heap, block);
        if (seen.State == BlockState.Retired)
        {
            Sweep<TMachine>.TrySweepRun(heap, block, seen);
        }

        if (!Sweep<TMachine>.TrySweep(heap, block, seen))
        {
            return;
        }

        FreeUnits units;
        if (Hints<TMachine>.Reclassify(heap, block, &units) == heap->Geometry.UnitsPerBlockShift && close)
        {
            CloseBlock<TMachine>.TryClose(heap, block, Blocks<TMachine>.Read(heap, block));
        }
    }

    /// <summary>Drops in a block what the errand says, and makes it free.</summary>
    /// <returns>Whether there is, or was, any item of a cache.</returns>
    private static bool TrySweep(Attachment* heap, ulong block, Errand* errand, bool close, ulong* grip)
    {
        Probation<TMachine>.Begin(heap, &errand->Evictions);
        bool isAny = TryDropIn(heap, block, errand, grip);
        Probation<TMachine>.End(heap, &errand->Evictions);
        if (!isAny)
        {
            ForgetUnlessUsed(heap, block);
        }

        FreeGarbage(heap, block, close);
        return isAny;
    }

    /// <summary>Goes on with the main hand to the next block of memory that has items of caches, as far as is known.</summary>
    internal static bool TryNextBlock(Attachment* heap, out ulong block)
    {
        ulong* hand = &heap->Header->Hand;
        ulong at = TMachine.Read(hand);
        bool isFound = TryFindNext(heap, at, out block);
        if (isFound)
        {
            // Whoever loses goes over the same block once more: harmless.
            TMachine.CompareExchange(hand, block, at);
        }

        return isFound;
    }

    /// <summary>The main hand goes downwards, as free blocks are opened: what came first is swept first.</summary>
    private static bool TryFindNext(Attachment* heap, ulong at, out ulong block) =>
        Hints<TMachine>.TryFindLast(heap, Hints<TMachine>.CachePlane, Math.Min(at, heap->Blocks), out block)
        || Hints<TMachine>.TryFindLast(heap, Hints<TMachine>.CachePlane, heap->Blocks, out block);

    /// <returns>Whether there is any item of a cache in the block, or was.</returns>
    private static bool TryDropIn(Attachment* heap, ulong block, Errand* errand, ulong* grip)
    {
        BlockWord word = Blocks<TMachine>.Read(heap, block);
        if (word.State == BlockState.Run)
        {
            return Visit(heap, heap->FirstUnitOf(block), errand, grip);
        }

        if (!word.IsOpen)
        {
            return word.State == BlockState.Busy;
        }

        ItemWalk walkOfBlock;
        ItemWalk* walk = &walkOfBlock;
        ItemWalk<TMachine>.Begin(heap, block, walk);
        bool isAny = false;
        while (ItemWalk<TMachine>.TryNext(heap, walk, out BlockPlace place))
        {
            isAny |= !place.IsPublished || Visit(heap, heap->FirstUnitOf(block) + place.First, errand, grip);
        }

        return isAny;
    }

    /// <summary>Looks at an allocation, which is anybody's until an entry is found that leads to it.</summary>
    /// <returns>Whether it is an item of a cache.</returns>
    internal static bool Visit(Attachment* heap, ulong unit, Errand* errand, ulong* grip)
    {
        if (CacheVictim<TMachine>.LooksKept(heap, unit, errand->Now))
        {
            // If it is not an item, the hand comes by once more than it would have to.
            return true;
        }

        Probe probeOfKey;
        Probe* probe = &probeOfKey;
        if (!CacheVictim<TMachine>.TryFind(heap, unit, probe, out CacheTable* table, out int index))
        {
            return false;
        }

        if (errand->Only != Errand.AnyCache && errand->Only != (int)table->Number)
        {
            return true;
        }

        errand->Seen++;
        ItemHeader* item = ItemAccess<TMachine>.At(heap, unit);
        int use = EntryHints<TMachine>.Read(probe, index);
        ItemShape shape = ItemAccess<TMachine>.Shape(item);
        bool isDue = (errand->Drops >> use & 1) != 0
            || shape.Is(ItemShape.Placeholder)
            || errand->Now.IsPast(ItemAccess<TMachine>.Deadline(item), shape);
        bool isGone = isDue && CacheVictim<TMachine>.TryDrop(heap, table, probe, index, probe->Seen(index), errand, grip);
        errand->AnyNew |= !isGone && use == HintWord.New;
        if (!isGone && errand->Lowers && use == HintWord.Used)
        {
            EntryHints<TMachine>.Lower(probe, index);
        }

        return true;
    }

    /// <summary>Clears the hint, then looks once more: an item may have been linked in between.</summary>
    private static void ForgetUnlessUsed(Attachment* heap, ulong block)
    {
        Errand look = default;
        look.Only = int.MaxValue;
        Hints<TMachine>.Clear(heap, Hints<TMachine>.CachePlane, block);
        if (TryDropIn(heap, block, &look, null))
        {
            Hints<TMachine>.Set(heap, Hints<TMachine>.CachePlane, block);
        }
    }
}
