using ShmAlloc.Allocation;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>Room for an item: what is free; then, as long as the heap may grow, a search of all of it and growth; then what the hand drops.</summary>
internal static unsafe class CacheRoom<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Blocks that are swept for one item before a place is cleared for it, whatever is there.</summary>
    private const int MostSweeps = 4;

    /// <summary>Blocks in which a place is looked for that can be cleared.</summary>
    private const int MostClearings = 4;

    /// <summary>Steps of the hand until a limit is kept, as a multiple of the blocks.</summary>
    private const ulong MostRounds = 3;

    /// <summary>A shard looks whether the limit is kept, and tells the others what it has put into a cache, when that is such a part of the limit.</summary>
    private const long ShareOfLimit = 64;
    private const long ShareOfPatience = 4;

    private const ulong RefusalMilliseconds = 1000;

    /// <summary>Begins an item, and makes room for it if there is none.</summary>
    internal static ShmStatus TryBegin(
        Attachment* heap, CacheTable* table, in CacheKey key, uint valueBytes, in ItemOptions options, int cell, ulong now, ulong* grip, out NewItem item)
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

            status = TryBeginSlowly(heap, shard, table, key, valueBytes, options, cell, new Moment(now, shape), grip, ref item);
            if (status == ShmStatus.OutOfMemory)
            {
                Refusals<TMachine>.Note(heap, units);
            }
        }

        if (status == ShmStatus.Ok && heap->ReservedRuns[cell] != 0)
        {
            // An item that fills blocks of its own begins its probation now.
            SweepOrder<TMachine>.Append(heap, heap->BlockOf(item.Unit), Probation<TMachine>.Now(heap));
        }

        return status;
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
            if (status == ShmStatus.OutOfMemory && TryGrowByTheRest(heap, runBlocks, ref status))
            {
                status = NewItems<TMachine>.TryBegin(heap, shard, table, key, valueBytes, options, cell, quickly: false, out item);
            }

            if (!Growth<TMachine>.MeansNoRoom(status) && status != ShmStatus.Contended)
            {
                return status;
            }

            NoteGrowth(heap, status);
        }

        // Nothing is dropped for what will not fit all the same.
        bool mayFit = runBlocks == 0 || CacheClearing<TMachine>.IsAnyRun(heap, runBlocks);
        Request request = new(heap->UnitsFor(item.Shape.TotalBytes), heap->Geometry);
        status = ShmStatus.OutOfMemory;
        for (int step = 0; mayFit && step < MostSweeps + MostClearings && status == ShmStatus.OutOfMemory; step++)
        {
            if (!CacheHand<TMachine>.TryMakeRoom(heap, now, close: runBlocks != 0, grip, out ulong block))
            {
                break;
            }

            bool isClearing = step >= MostSweeps - 1;
            if (runBlocks != 0)
            {
                isClearing = isClearing && CacheClearing<TMachine>.TryEmptyRun(heap, runBlocks, now, grip);
            }
            else
            {
                Use(heap, shard, block, request);
            }

            status = NewItems<TMachine>.TryBegin(heap, shard, table, key, valueBytes, options, cell, quickly: true, out item);
            if (status == ShmStatus.OutOfMemory && isClearing && runBlocks == 0 && CacheClearing<TMachine>.TryClear(heap, block, request, now, grip))
            {
                status = NewItems<TMachine>.TryBegin(heap, shard, table, key, valueBytes, options, cell, quickly: true, out item);
            }
        }

        return status == ShmStatus.OutOfMemory
            ? TryRuthlessly(heap, shard, table, key, valueBytes, item.Shape.TotalBytes, options, cell, now, grip, out item)
            : status;
    }

    /// <summary>Room for what is no item: drops values, until so many bytes fit, if they can.</summary>
    internal static void TryMake(Attachment* heap, ulong bytes)
    {
        if (Grips<TMachine>.TryTake(heap, lasting: false, out int cell) == CacheStatus.Ok)
        {
            // By no clock: nothing counts as expired, and everything goes that is not pinned.
            Meeting meeting = default;
            ulong* grip = Cells<TMachine>.AddressOf(heap, heap->Slot, cell);
            CacheClearing<TMachine>.TryEmptyAnyRun(heap, Math.Max(1, Heap<TMachine>.RunBlocksFor(heap, bytes)), default, grip, ref meeting);
            Cells<TMachine>.Release(heap, cell);
        }
    }

    /// <summary>
    /// For a run that does not fit into what is left to grow by, but into that and what can be dropped before it: grows by all that is left.
    /// </summary>
    private static bool TryGrowByTheRest(Attachment* heap, ulong runBlocks, ref ShmStatus status)
    {
        ulong rest = heap->Geometry.MaximumBlocks - heap->Blocks;
        if (runBlocks <= rest || rest == 0 || CacheClearing<TMachine>.CountAtEnd(heap, runBlocks - rest) < runBlocks - rest)
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

    /// <summary>After an item was put into a cache that has a limit: drops others until it holds no more.</summary>
    internal static void KeepLimit(Attachment* heap, CacheTable* table, ItemShape put, ulong now, ulong* grip)
    {
        long limit = (long)table->LimitBytes;
        if (limit <= 0)
        {
            return;
        }

        long itemBytes = CacheCounts<TMachine>.BytesOf(heap, put);
        Shard* shard = ShortWay<TMachine>.ShardOf(heap);
        ref long unseen = ref shard->CacheUnseen[table->Number];

        // The first time at once: a process may be gone before it has set much, and be one of many.
        bool isDue = unseen == 0 || unseen + itemBytes >= limit / ShareOfLimit;
        unseen = isDue ? 1 : unseen + itemBytes;
        if (!isDue)
        {
            return;
        }

        Errand errand = new()
        {
            Only = (int)table->Number,
            Reason = CacheCounter.EvictionsForLimit,
            Now = new Moment(now, put),
            Drops = Errand.Unused,
            Lowers = true,
        };
        for (ulong step = 0, ours = 0; step < heap->Blocks * MostRounds; step++)
        {
            // Deeper in the stack another shard may have counted.
            CacheCounts<TMachine>.FlushAll(heap, table);
            if (CacheCounts<TMachine>.Sum(heap, table, CacheCounter.Bytes) <= limit)
            {
                return;
            }

            CacheRecount<TMachine>.RunIfNeeded(heap, table);
            errand.Seen = 0;
            if (!CacheHand<TMachine>.TryStep(heap, &errand, grip))
            {
                return;
            }

            // What is in use goes, too, if a few blocks have given too little.
            ours += errand.Seen != 0 ? 1u : 0;
            errand.Drops = ours < MostSweeps ? Errand.Unused : Errand.Everything;
        }

        // What is left is pinned: there is no use in looking again before much more was set.
        shard->CacheUnseen[table->Number] = -limit / ShareOfPatience;
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

    /// <summary>Where most of the heap is pinned, or no cache's at all: drops whatever can be dropped, until there is room.</summary>
    private static ShmStatus TryRuthlessly(
        Attachment* heap, Shard* shard, CacheTable* table, in CacheKey key, uint valueBytes, ulong sizeBytes, in ItemOptions options, int cell, Moment now,
        ulong* grip, out NewItem item)
    {
        ShmStatus status = ShmStatus.OutOfMemory;
        item = default;
        ulong runBlocks = Heap<TMachine>.RunBlocksFor(heap, sizeBytes);
        Errand errand = Errand.ForRoom(now, Errand.Everything);
        bool isAny = runBlocks == 0;
        for (ulong step = 0; step < heap->Blocks && isAny && status == ShmStatus.OutOfMemory; step++)
        {
            isAny = CacheHand<TMachine>.TryStep(heap, &errand, grip);
            status = NewItems<TMachine>.TryBegin(heap, shard, table, key, valueBytes, options, cell, quickly: true, out item);
        }

        // The hints may have missed something: believe none of them. Nothing is dropped for an item that will not fit all the same.
        // In the way may be what others are at work on: that is over in a moment, so these are waited for.
        Meeting meeting = default;
        Patience patience = default;
        bool mayBe = true;
        for (int round = 0; mayBe && status == ShmStatus.OutOfMemory; round++)
        {
            meeting.Begin();
            CacheClearing<TMachine>.TryEmptyAnyRun(heap, Math.Max(1, runBlocks), now, grip, ref meeting);
            status = NewItems<TMachine>.TryBegin(heap, shard, table, key, valueBytes, options, cell, quickly: false, out item);
            mayBe = (runBlocks != 0 && round < MostClearings) || (meeting.IsAny && meeting.TryWait<TMachine>(heap, ref patience));
        }

        // If there was room, others have taken it, or hold what lies there.
        return status == ShmStatus.OutOfMemory && meeting.IsAny ? ShmStatus.Contended : status;
    }
}
