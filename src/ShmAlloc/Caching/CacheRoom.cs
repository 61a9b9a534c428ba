using System.Runtime.CompilerServices;
using ShmAlloc.Allocation;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>Room for an item: what is free; then, as long as the heap may grow, a search of all of it and growth; then what the hands drop.</summary>
internal static unsafe class CacheRoom<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Blocks that are swept for one item before a place is cleared for it, whatever is there.</summary>
    private const int MostSweeps = 4;

    /// <summary>Blocks in which a place is looked for that can be cleared.</summary>
    private const int MostClearings = 4;

    private const ulong RefusalMilliseconds = 1000;

    /// <summary>Begins an item, and makes room for it if there is none.</summary>
    /// <remarks>
    /// <paramref name="spares"/> is the stamp of what the item may take the place of, and of nothing else; 0: of anything. If room were made by dropping just
    /// that, the item would be in vain, and so would be what else was dropped for it.
    /// </remarks>
    internal static ShmStatus TryBegin(
        Attachment* heap, CacheTable* table, in CacheKey key, uint valueBytes, in ItemOptions options, int cell, ulong now, ulong* grip, out NewItem item,
        ulong spares = 0)
    {
        item = default;
        ItemShape shape = NewItems<TMachine>.ShapeOf(table, options, key.Length, valueBytes);
        if (table->LimitBytes != 0 && (ulong)CacheCounts<TMachine>.BytesOf(heap, shape) > table->LimitBytes)
        {
            return ShmStatus.TooLarge;
        }

        // One shard throughout: deeper in the stack it might be another, whose blocks are not those that are swept here.
        Shard* shard = ShortWay<TMachine>.ShardOf(heap);
        ShmStatus status = NewItems<TMachine>.TryBegin(heap, shard, table, key, valueBytes, options, cell, quickly: true, out item);
        if (status == ShmStatus.OutOfMemory)
        {
            ulong units = heap->UnitsFor(shape.TotalBytes);
            if (Refusals<TMachine>.Remembers(heap, units))
            {
                return status;
            }

            ulong began = TMachine.TickMilliseconds();
            Moment moment = spares == 0 ? new Moment(now, shape) : Sparing(new Moment(now, shape), heap, table, key, spares, grip);
            status = TryBeginSlowly(heap, shard, table, key, valueBytes, options, cell, moment, grip, ref item);
            if (status == ShmStatus.OutOfMemory)
            {
                Refusals<TMachine>.Note(heap, units, began);
            }
        }

        if (status == ShmStatus.Ok && heap->ReservedRuns[cell] != 0)
        {
            // An item that fills blocks of its own begins its probation now.
            SweepOrder<TMachine>.Append(heap, heap->BlockOf(item.Unit), Probation<TMachine>.Now(heap));
        }

        return status;
    }

    /// <summary>Whether an item would find room if all went for it that may go. Nothing is dropped.</summary>
    internal static bool IsAnyRoom(Attachment* heap, CacheTable* table, int keyBytes, uint valueBytes, in ItemOptions options, ulong now)
    {
        ItemShape shape = NewItems<TMachine>.ShapeOf(table, options, keyBytes, valueBytes);
        Moment moment = new(now, shape);
        Meeting meeting = default;
        ulong runBlocks = Heap<TMachine>.RunBlocksFor(heap, shape.TotalBytes);
        return (runBlocks == 0 && PlaceSearch<TMachine>.IsAnyPlace(heap, new Request(heap->UnitsFor(shape.TotalBytes), heap->Geometry), moment))
            || CacheClearing<TMachine>.TryFindRun(heap, Math.Max(1, runBlocks), moment, ref meeting, out _, out _);
    }

    /// <summary>The item with a stamp stays, if the key has it.</summary>
    /// <remarks>It may be replaced at any time after this: then what is spared is another item, or nothing, until the room is made.</remarks>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Moment Sparing(Moment now, Attachment* heap, CacheTable* table, in CacheKey key, ulong stamp, ulong* grip)
    {
        Probe probeOfKey;
        Probe* probe = &probeOfKey;
        Probe.Begin(probe, table, key.Hash);
        int index = CacheSearch<TMachine>.TryHold(heap, probe, key, grip, out ItemFacts facts);
        Grips<TMachine>.Loosen(grip);
        return index >= 0 && facts.Stamp == stamp ? now.Sparing(facts.Unit) : now;
    }

    private static ShmStatus TryBeginSlowly(
        Attachment* heap, Shard* shard, CacheTable* table, in CacheKey key, uint valueBytes, in ItemOptions options, int cell, Moment now, ulong* grip,
        ref NewItem item)
    {
        ShmStatus status;
        ulong runBlocks = Heap<TMachine>.RunBlocksFor(heap, item.Shape.TotalBytes);
        if (MayGrow(heap))
        {
            status = NewItems<TMachine>.TryBegin(heap, shard, table, key, valueBytes, options, cell, quickly: false, out item);
            if (status == ShmStatus.OutOfMemory && TryGrowByTheRest(heap, runBlocks, now, ref status))
            {
                status = NewItems<TMachine>.TryBegin(heap, shard, table, key, valueBytes, options, cell, quickly: false, out item);
            }

            if (!Growth<TMachine>.MeansNoRoom(status) && status != ShmStatus.Contended)
            {
                return status;
            }

            NoteGrowth(heap, status);
        }

        status = runBlocks != 0
            ? TryDropForRun(heap, shard, table, key, valueBytes, runBlocks, options, cell, now, grip, ref item)
            : TryDropForPlace(heap, shard, table, key, valueBytes, options, cell, now, grip, ref item);
        return status;
    }

    /// <summary>Room in a block: what the hands drop, or in one of their blocks the cheapest place, or in any.</summary>
    private static ShmStatus TryDropForPlace(
        Attachment* heap, Shard* shard, CacheTable* table, in CacheKey key, uint valueBytes, in ItemOptions options, int cell, Moment now, ulong* grip,
        ref NewItem item)
    {
        // If what the hands can drop makes room nowhere, they drop nothing.
        Request request = new(heap->UnitsFor(item.Shape.TotalBytes), heap->Geometry);
        ShmStatus status = ShmStatus.OutOfMemory;
        bool isAny = PlaceSearch<TMachine>.IsAnyPlace(heap, request, now);
        for (int step = 0; isAny && step < MostSweeps + MostClearings && status == ShmStatus.OutOfMemory; step++)
        {
            if (!CacheHand<TMachine>.TryMakeRoom(heap, now, close: false, grip, out ulong block))
            {
                break;
            }

            Use(heap, shard, block, request);
            status = NewItems<TMachine>.TryBegin(heap, shard, table, key, valueBytes, options, cell, quickly: true, out item);
            if (status == ShmStatus.OutOfMemory && step >= MostSweeps - 1
                && CacheClearing<TMachine>.TryClear(heap, block, request, now, takesWork: false, grip))
            {
                status = NewItems<TMachine>.TryBegin(heap, shard, table, key, valueBytes, options, cell, quickly: true, out item);
            }
        }

        // Where most of the heap is pinned, or no cache's at all. At last what somebody works on goes, and any place will do.
        for (int turn = isAny ? 0 : 1; turn <= 1 && status == ShmStatus.OutOfMemory; turn++)
        {
            Request wanted = turn == 0 ? request : request.AnyPlace;
            for (ulong step = 0; step < heap->Blocks && status == ShmStatus.OutOfMemory && CacheHand<TMachine>.TryNextBlock(heap, out ulong hand); step++)
            {
                if (CacheClearing<TMachine>.TryClear(heap, hand, wanted, now, takesWork: turn == 1, grip))
                {
                    status = NewItems<TMachine>.TryBegin(heap, shard, table, key, valueBytes, options, cell, quickly: turn == 0, out item);
                }
            }
        }

        return status == ShmStatus.OutOfMemory
            ? TryDropForRun(heap, shard, table, key, valueBytes, runBlocks: 0, options, cell, now, grip, ref item)
            : status;
    }

    /// <summary>
    /// Room for a run of blocks: what the hands drop, or the cheapest blocks in a row. For an item that needs no run, the last resort: the hints, by which
    /// hands go, may have missed a block.
    /// </summary>
    /// <remarks>
    /// Nothing is dropped for an item that will not fit all the same. In the way may be what others are at work on: that is over in a moment, so these are
    /// waited for.
    /// </remarks>
    private static ShmStatus TryDropForRun(
        Attachment* heap, Shard* shard, CacheTable* table, in CacheKey key, uint valueBytes, ulong runBlocks, in ItemOptions options, int cell, Moment now,
        ulong* grip, ref NewItem item)
    {
        ShmStatus status = ShmStatus.OutOfMemory;
        Meeting meeting = default;
        Patience patience = default;
        bool mayBe = true;
        for (int round = 0; mayBe && status == ShmStatus.OutOfMemory; round++)
        {
            meeting.Begin();
            bool isFound = CacheClearing<TMachine>.TryFindRun(heap, Math.Max(1, runBlocks), now, ref meeting, out ulong first, out ulong count);
            bool isFirst = round == 0 && runBlocks != 0;
            for (int step = 1; isFound && isFirst && step < MostSweeps && status == ShmStatus.OutOfMemory; step++)
            {
                CacheHand<TMachine>.TryMakeRoom(heap, now, close: true, grip, out _);
                status = NewItems<TMachine>.TryBegin(heap, shard, table, key, valueBytes, options, cell, quickly: true, out item);
            }

            if (status == ShmStatus.OutOfMemory)
            {
                if (isFound)
                {
                    CacheClearing<TMachine>.TryEmptyRun(heap, first, count, now, grip, ref meeting);
                }

                status = NewItems<TMachine>.TryBegin(heap, shard, table, key, valueBytes, options, cell, quickly: isFirst, out item);
            }

            mayBe = (isFound && round < MostClearings) || (meeting.IsAny && meeting.TryWait<TMachine>(heap, ref patience));
        }

        // If there was room, others have taken it, or hold what lies there.
        return status == ShmStatus.OutOfMemory && meeting.IsAny ? ShmStatus.Contended : status;
    }

    /// <summary>Room for what is no item: drops values, until so many bytes fit, if they can.</summary>
    internal static void TryMake(Attachment* heap, ulong bytes)
    {
        if (Grips<TMachine>.TryTake(heap, lasting: false, out int cell) == CacheStatus.Ok)
        {
            // By no clock: nothing counts as expired, and everything goes that is not pinned.
            Meeting meeting = default;
            ulong* grip = Cells<TMachine>.AddressOf(heap, heap->Slot, cell);
            ulong blocks = Math.Max(1, Heap<TMachine>.RunBlocksFor(heap, bytes));
            if (CacheClearing<TMachine>.TryFindRun(heap, blocks, default, ref meeting, out ulong first, out ulong count))
            {
                CacheClearing<TMachine>.TryEmptyRun(heap, first, count, default, grip, ref meeting);
            }

            Cells<TMachine>.Release(heap, cell);
        }
    }

    /// <summary>
    /// For a run that does not fit into what is left to grow by, but into that and what can be dropped before it: grows by all that is left.
    /// </summary>
    private static bool TryGrowByTheRest(Attachment* heap, ulong runBlocks, Moment now, ref ShmStatus status)
    {
        ulong rest = heap->Geometry.MaximumBlocks - heap->Blocks;
        if (runBlocks <= rest || rest == 0 || CacheClearing<TMachine>.CountAtEnd(heap, runBlocks - rest, now) < runBlocks - rest)
        {
            return false;
        }

        status = Growth<TMachine>.TryGrow(heap, rest);
        return status == ShmStatus.Ok;
    }

    /// <summary>Whether the heap may still grow, as far as is known.</summary>
    private static bool MayGrow(Attachment* heap)
    {
        ulong until = Volatile.Read(ref heap->NoGrowthUntil);
        ulong now = until == 0 ? 0 : TMachine.TickMilliseconds();
        return heap->FullBlocks != heap->Blocks && (until == 0 || now == 0 || now >= until);
    }

    /// <summary>
    /// Growth has ended only at the maximum. What the system refuses, a full disk or a process without descriptors, may be over in a second. Contended:
    /// somebody stands still in the middle of a transition, so nothing is left for now but to drop something.
    /// </summary>
    private static void NoteGrowth(Attachment* heap, ShmStatus status)
    {
        if (heap->Blocks == heap->Geometry.MaximumBlocks)
        {
            heap->FullBlocks = status == ShmStatus.Contended ? heap->FullBlocks : heap->Blocks;
        }
        else if (status is not (ShmStatus.OutOfMemory or ShmStatus.Contended))
        {
            Volatile.Write(ref heap->NoGrowthUntil, TMachine.TickMilliseconds() + RefusalMilliseconds);
        }
    }

    /// <summary>A block that was just swept is where the next items of this thread go.</summary>
    private static void Use(Attachment* heap, Shard* shard, ulong block, in Request request)
    {
        BlockWord seen = Blocks<TMachine>.Read(heap, block);
        if (seen.IsOpen)
        {
            OpenBlock<TMachine>.TryAdopt(heap, block, seen, shard);
            Placement<TMachine>.MakeCurrent(heap, shard, request.Family, block, 0);
        }
    }
}
