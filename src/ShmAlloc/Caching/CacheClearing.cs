using ShmAlloc.Allocation;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>
/// Makes room for one item when the hand has not come upon any: of all places in a block where it could lie, or of a few sequences of blocks, the one is
/// cleared whose items are fewest and least used. Without it, a large item would sweep dozens of blocks.
/// </summary>
internal static unsafe class CacheClearing<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Cost of what cannot be dropped: more than all items of a block.</summary>
    private const int Obstacle = 1 << 20;

    /// <summary>Cost of what somebody works on: as much as that of many others.</summary>
    private const int CostOfWork = 64;

    /// <summary>Sequences of blocks that are compared.</summary>
    private const int Sequences = 4;

    /// <summary>Clears one place for a request in a block.</summary>
    /// <returns>False if there is none that could be cleared.</returns>
    internal static bool TryClear(Attachment* heap, ulong block, in Request request, Moment now, ulong* grip)
    {
        if (!Blocks<TMachine>.Read(heap, block).IsOpen)
        {
            return false;
        }

        WordsOfBlock wordsOfBlock;
        ulong* words = (ulong*)&wordsOfBlock;
        int count = (int)heap->Geometry.WordsPerBlock;
        TMachine.ReadMany(heap->FirstWordOf(block), words, count);
        int cost = FindCheapest(heap, block, words, request, out uint begin);
        if (cost >= Obstacle)
        {
            return false;
        }

        Errand errandForRoom = Errand.ForRoom(now, Errand.Everything);
        Errand* errand = &errandForRoom;
        Probation<TMachine>.Begin(heap, &errand->Evictions);
        BlockWalk walkOfBlock = new(words, count);
        BlockWalk* walk = &walkOfBlock;
        while (BlockWalk.TryNext(walk, out BlockPlace place) && place.First < begin + request.Units)
        {
            if (place.After > begin)
            {
                TryDrop(heap, heap->FirstUnitOf(block) + place.First, errand, grip);
            }
        }

        Probation<TMachine>.End(heap, &errand->Evictions);
        CacheHand<TMachine>.FreeGarbage(heap, block, close: false);
        return true;
    }

    /// <summary>Empties so many blocks in a row: of a few sequences before the hand, the cheapest one.</summary>
    /// <returns>False if in all of them something is in the way.</returns>
    internal static bool TryEmptyRun(Attachment* heap, ulong length, Moment now, ulong* grip)
    {
        if (length > heap->Blocks)
        {
            return false;
        }

        ulong end = Math.Min(TMachine.Read(&heap->Header->Hand), heap->Blocks);
        int least = Obstacle;
        ulong best = 0;
        for (int sequence = 0; sequence < Sequences; sequence++, end -= length)
        {
            end = end < length ? heap->Blocks : end;
            ulong from = end - length;
            int cost = CostOfRun(heap, from, length, least);
            if (cost < least)
            {
                (least, best) = (cost, from);
            }
        }

        Meeting meeting = default;
        return least < Obstacle && TryEmptyAll(heap, best, length, now, grip, ref meeting);
    }

    /// <summary>Empties the first sequence of so many blocks in which nothing is in the way: first it is looked for, and only then anything dropped.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="length">Blocks.</param>
    /// <param name="now">A time before this call.</param>
    /// <param name="grip">The cell to hold victims with.</param>
    /// <param name="meeting">Notes it if there is such a sequence: as a change if it is empty now; else what others hold there.</param>
    internal static void TryEmptyAnyRun(Attachment* heap, ulong length, Moment now, ulong* grip, ref Meeting meeting)
    {
        if (TryFindRun(heap, length, ref meeting, out ulong start, out ulong end))
        {
            TryEmptyAll(heap, start, end - start, now, grip, ref meeting);
        }
    }

    /// <summary>Whether there is a sequence of so many blocks in which nothing is in the way.</summary>
    /// <remarks>Or may be in a moment: others are at work on a block.</remarks>
    internal static bool IsAnyRun(Attachment* heap, ulong length)
    {
        Meeting meeting = default;
        return TryFindRun(heap, length, ref meeting, out _, out _) || meeting.IsAny;
    }

    /// <summary>Blocks at the end of the heap in which nothing is in the way, as far as they are of interest.</summary>
    internal static ulong CountAtEnd(Attachment* heap, ulong most)
    {
        ulong count = 0;
        while (count < most && count < heap->Blocks && CostOfRun(heap, heap->Blocks - count - 1, 1, Obstacle) < Obstacle)
        {
            count++;
        }

        return count;
    }

    private static bool TryFindRun(Attachment* heap, ulong length, ref Meeting meeting, out ulong start, out ulong end)
    {
        start = 0;
        end = 0;
        while (end < heap->Blocks && end - start < length)
        {
            BlockWord word = Blocks<TMachine>.Read(heap, end);
            bool isInTheWay = CostOfRun(heap, end, 1, Obstacle) >= Obstacle;
            if (isInTheWay && word.State is BlockState.Busy or BlockState.Freeing)
            {
                meeting.NoteLostRace<TMachine>(heap, end);
            }

            end += SpanOf(heap, end, word);
            start = isInTheWay ? end : start;
        }

        return end - start >= length;
    }

    private static bool TryEmptyAll(Attachment* heap, ulong first, ulong length, Moment now, ulong* grip, ref Meeting meeting)
    {
        Errand errand = Errand.ForRoom(now, Errand.Everything);
        errand.TakesWork = true;
        for (ulong block = first; block < first + length; block++)
        {
            if (!CacheHand<TMachine>.TryEmpty(heap, block, &errand, grip))
            {
                meeting.NoteHeld(block, Blocks<TMachine>.Read(heap, block));
                return false;
            }
        }

        meeting.NoteChange();
        return true;
    }

    /// <summary>Begins at the start of the block, and after each allocation.</summary>
    private static int FindCheapest(Attachment* heap, ulong block, ulong* words, in Request request, out uint best)
    {
        int count = (int)heap->Geometry.WordsPerBlock;
        BlockWalk leftOfBlock = new(words, count);
        BlockWalk rightOfBlock = new(words, count);
        BlockWalk* left = &leftOfBlock;
        BlockWalk* right = &rightOfBlock;
        bool hasLeft = BlockWalk.TryNext(left, out BlockPlace leaving);
        bool hasRight = BlockWalk.TryNext(right, out BlockPlace entering);
        int cost = 0;
        int least = Obstacle;
        best = 0;
        for (uint after = 0; request.TryPlace(after, heap->Geometry.UnitsPerBlock, out uint begin); after = leaving.After)
        {
            for (; hasRight && entering.First < begin + request.Units; hasRight = BlockWalk.TryNext(right, out entering))
            {
                cost += Cost(heap, block, entering);
            }

            for (; hasLeft && leaving.After <= begin; hasLeft = BlockWalk.TryNext(left, out leaving))
            {
                cost -= Cost(heap, block, leaving);
            }

            if (cost < least)
            {
                (least, best) = (cost, begin);
            }

            if (!hasLeft)
            {
                break;
            }
        }

        return least;
    }

    /// <summary>What it costs to drop an allocation. Hints may change meanwhile: a sum may be a little wrong.</summary>
    private static int Cost(Attachment* heap, ulong block, BlockPlace place) =>
        place.IsPublished ? CostOf(heap, heap->FirstUnitOf(block) + place.First) : Obstacle;

    private static int CostOf(Attachment* heap, ulong unit)
    {
        Probe probeOfKey;
        Probe* probe = &probeOfKey;
        if (!CacheVictim<TMachine>.TryFind(heap, unit, probe, out _, out int index))
        {
            return Obstacle;
        }

        ItemShape shape = ItemAccess<TMachine>.Shape(ItemAccess<TMachine>.At(heap, unit));
        return shape.Is(ItemShape.Pinned) ? Obstacle
            : Flight<TMachine>.IsInWork(heap, unit, shape) ? CostOfWork
            : EntryHints<TMachine>.Read(probe, index) + 1;
    }

    private static int CostOfRun(Attachment* heap, ulong from, ulong length, int most)
    {
        int cost = 0;
        for (ulong block = from; block < from + length && cost < most;)
        {
            BlockWord word = Blocks<TMachine>.Read(heap, block);
            cost += word.State switch
            {
                BlockState.Run => CostOf(heap, heap->FirstUnitOf(block)),
                BlockState.Free => 0,
                BlockState.Retired => TrySweepRun(heap, block) ? 0 : Obstacle,
                _ => word.IsOpen ? CostOfBlock(heap, block) : Obstacle,
            };
            block += SpanOf(heap, block, word);
        }

        return cost;
    }

    /// <summary>A run that nobody uses any more goes at once; one that is leased stays.</summary>
    private static bool TrySweepRun(Attachment* heap, ulong block)
    {
        CacheHand<TMachine>.FreeGarbage(heap, block, close: true);
        return Blocks<TMachine>.Read(heap, block).State == BlockState.Free;
    }

    /// <summary>Blocks that go together.</summary>
    private static ulong SpanOf(Attachment* heap, ulong block, BlockWord word) =>
        word.State is BlockState.Run or BlockState.Retired && Runs<TMachine>.Fits(heap, block, word.Value) ? word.Value : 1;

    /// <summary>What nobody uses any more costs nothing, and is swept at once: it looks like what somebody is making.</summary>
    private static int CostOfBlock(Attachment* heap, ulong block)
    {
        int cost = CostOfBlock(heap, block, out bool mayBeGarbage);
        if (cost < Obstacle || !mayBeGarbage)
        {
            return cost;
        }

        CacheHand<TMachine>.FreeGarbage(heap, block, close: true);
        BlockWord word = Blocks<TMachine>.Read(heap, block);
        return word.State == BlockState.Free ? 0 : word.IsOpen ? CostOfBlock(heap, block, out _) : Obstacle;
    }

    private static int CostOfBlock(Attachment* heap, ulong block, out bool mayBeGarbage)
    {
        WordsOfBlock wordsOfBlock;
        ulong* words = (ulong*)&wordsOfBlock;
        int count = (int)heap->Geometry.WordsPerBlock;
        TMachine.ReadMany(heap->FirstWordOf(block), words, count);
        BlockWalk walkOfBlock = new(words, count);
        BlockWalk* walk = &walkOfBlock;
        int cost = 0;
        mayBeGarbage = false;
        while (cost < Obstacle && BlockWalk.TryNext(walk, out BlockPlace place))
        {
            mayBeGarbage |= !place.IsPublished;
            cost += Cost(heap, block, place);
        }

        return cost;
    }

    private static void TryDrop(Attachment* heap, ulong unit, Errand* errand, ulong* grip)
    {
        Probe probeOfKey;
        Probe* probe = &probeOfKey;
        if (CacheVictim<TMachine>.TryFind(heap, unit, probe, out CacheTable* table, out int index))
        {
            CacheVictim<TMachine>.TryDrop(heap, table, probe, index, probe->Seen(index), errand, grip);
        }
    }
}
