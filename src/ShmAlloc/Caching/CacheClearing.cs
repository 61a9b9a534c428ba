using System.Runtime.CompilerServices;
using ShmAlloc.Allocation;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>
/// Makes room for one item where the hands have not come upon any: of all places in a block where it could lie, or of all sequences of blocks that are looked
/// at, the cheapest one is cleared (see CachePrice). Without that, a large item would sweep dozens of blocks.
/// </summary>
internal static unsafe class CacheClearing<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>So many times the length that is wanted is looked at before the cheapest sequence is taken.</summary>
    private const ulong LengthsCompared = 4;

    /// <summary>
    /// As long as each sequence so far costs more than if all of it were cold, that search goes on, up to so many items and blocks: what is used stays if
    /// there is something near that is not.
    /// </summary>
    private const ulong MaxLooks = 8192;

    /// <summary>Clears the cheapest place for a request in a block.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="block">The block.</param>
    /// <param name="request">What is to lie there.</param>
    /// <param name="now">A time before this call.</param>
    /// <param name="takesWork">Whether what somebody works on goes, too; else it is in the way.</param>
    /// <param name="grip">The cell to hold victims with.</param>
    /// <returns>False if there is none that could be cleared.</returns>
    internal static bool TryClear(Attachment* heap, ulong block, in Request request, Moment now, bool takesWork, ulong* grip)
    {
        if (!Blocks<TMachine>.Read(heap, block).IsOpen
            || FindCheapest(heap, block, request, now, takesWork, out uint begin) >= CachePrice<TMachine>.Obstacle)
        {
            return false;
        }

        DropBetween(heap, block, begin, begin + request.Units, now, takesWork, grip);
        CacheHand<TMachine>.FreeGarbage(heap, block, close: false);
        return true;
    }

    /// <remarks>Each walk has a frame of its own, so that no two of them are on the stack at once.</remarks>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void DropBetween(Attachment* heap, ulong block, uint begin, uint end, Moment now, bool takesWork, ulong* grip)
    {
        Errand errandForRoom;
        Errand* errand = &errandForRoom;
        Errand.BeginForRoom(errand, now, Errand.Everything);
        errand->TakesWork = takesWork;
        Probation<TMachine>.Begin(heap, &errand->Evictions);
        ItemWalk walkOfBlock;
        ItemWalk* walk = &walkOfBlock;
        ItemWalk<TMachine>.Begin(heap, block, walk);
        while (ItemWalk<TMachine>.TryNext(heap, walk, out BlockPlace place) && place.First < end)
        {
            if (place.After > begin)
            {
                TryDrop(heap, heap->FirstUnitOf(block) + place.First, errand, grip);
            }
        }

        Probation<TMachine>.End(heap, &errand->Evictions);
    }

    /// <summary>
    /// Finds blocks in a row that can be emptied, from where the last search ended: of all sequences in what it looks at, the one with the lowest price. If
    /// something is in the way in all of these, it looks at the rest of the heap, and takes the first one there is.
    /// </summary>
    /// <remarks>
    /// The work goes with the length, and is bounded otherwise, but where there is no such sequence: that is remembered (see Refusals). Nothing is dropped.
    /// </remarks>
    /// <param name="heap">The attachment.</param>
    /// <param name="length">Blocks that are wanted.</param>
    /// <param name="now">A time before this call.</param>
    /// <param name="meeting">Notes blocks on which others are at work: there may be a sequence in a moment.</param>
    /// <param name="first">The first block.</param>
    /// <param name="count">How many blocks: more than are wanted if they go together.</param>
    /// <returns>False if there is none.</returns>
    internal static bool TryFindRun(Attachment* heap, ulong length, Moment now, ref Meeting meeting, out ulong first, out ulong count)
    {
        BlockWindow windowOfBlocks;
        BlockWindow* window = &windowOfBlocks;
        ulong blocks = heap->Blocks;
        ulong begin = TMachine.Read(&heap->Header->RunHand) % blocks;
        BlockWindow.Begin(window, length, begin);
        ulong cheap = (length << heap->Geometry.UnitsPerBlockShift) * CachePrice<TMachine>.Cold;
        ulong least = CachePrice<TMachine>.Obstacle;
        ulong looks = 0;
        first = 0;
        count = 0;

        // Up to the end of the heap, then from its beginning to where a sequence can end that begins before the first block that was looked at.
        for (ulong at = begin, end = length <= blocks ? blocks : 0, seen = 0; at < end && !IsEnough(least, cheap, seen / length, looks);)
        {
            ulong price = PriceOf(heap, at, now, takesWork: true, ref meeting, ref looks, out ulong span);
            at += span;
            seen += span;
            if (price >= CachePrice<TMachine>.Obstacle)
            {
                BlockWindow.Restart(window, at);
            }
            else
            {
                BlockWindow.Add(window, span, price);
            }

            for (; window->Blocks >= length; BlockWindow.DropFirst(window))
            {
                if (window->Price < least && !LeaseScan<TMachine>.IsAnyLeased(heap, window->First, at))
                {
                    least = window->Price;
                    first = window->First;
                    count = at - first;
                }
            }

            if (at >= blocks && end == blocks && begin != 0)
            {
                at = 0;
                end = Math.Min(begin + length - 1, blocks - 1);
                BlockWindow.Restart(window, at);
            }
        }

        return count != 0;
    }

    /// <summary>Empties blocks that were found.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="first">The first block.</param>
    /// <param name="count">How many.</param>
    /// <param name="now">A time before this call.</param>
    /// <param name="grip">The cell to hold victims with.</param>
    /// <param name="meeting">Notes it as a change if they are empty now; else what others hold there.</param>
    internal static void TryEmptyRun(Attachment* heap, ulong first, ulong count, Moment now, ulong* grip, ref Meeting meeting)
    {
        // The next search begins behind it: so what lies here has as long as the search takes to come round.
        TMachine.Write(&heap->Header->RunHand, first + count);
        Errand errandForRoom;
        Errand* errand = &errandForRoom;
        Errand.BeginForRoom(errand, now, Errand.Everything);
        errand->TakesWork = true;
        for (ulong block = first; block < first + count; block++)
        {
            if (!CacheHand<TMachine>.TryEmpty(heap, block, errand, grip))
            {
                meeting.NoteHeld(block, Blocks<TMachine>.Read(heap, block));
                return;
            }
        }

        meeting.NoteChange();
    }

    /// <summary>Blocks at the end of the heap in which nothing is in the way, as far as they are of interest.</summary>
    internal static ulong CountAtEnd(Attachment* heap, ulong most, Moment now)
    {
        Meeting meeting = default;
        ulong looks = 0;
        ulong count = 0;
        while (count < most
            && count < heap->Blocks
            && PriceOf(heap, heap->Blocks - count - 1, now, takesWork: true, ref meeting, ref looks, out _) < CachePrice<TMachine>.Obstacle)
        {
            count++;
        }

        return count;
    }

    /// <summary>Whether a search need not go on.</summary>
    private static bool IsEnough(ulong least, ulong cheap, ulong lengthsSeen, ulong looks) => least == 0
        || (least != CachePrice<TMachine>.Obstacle && lengthsSeen >= LengthsCompared && (least <= cheap || looks >= MaxLooks));

    /// <summary>Begins at the start of the block, and after each allocation.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ulong FindCheapest(Attachment* heap, ulong block, in Request request, Moment now, bool takesWork, out uint best)
    {
        bool isAnyLeased = LeaseScan<TMachine>.IsAnyLeased(heap, block, block + 1);

        // What enters is fetched ahead; what leaves was looked at just before.
        ItemWalk rightOfBlock;
        ItemWalk* right = &rightOfBlock;
        ItemWalk<TMachine>.Begin(heap, block, right);
        BlockWalk leftOfBlock = new((ulong*)&right->Words, (int)heap->Geometry.WordsPerBlock);
        BlockWalk* left = &leftOfBlock;
        bool hasLeft = BlockWalk.TryNext(left, out BlockPlace leaving);
        bool hasRight = ItemWalk<TMachine>.TryNext(heap, right, out BlockPlace entering);
        ulong cost = 0;
        ulong least = CachePrice<TMachine>.Obstacle;
        best = 0;
        for (uint after = 0; request.TryPlace(after, heap->Geometry.UnitsPerBlock, out uint begin); after = leaving.After)
        {
            for (; hasRight && entering.First < begin + request.Units; hasRight = ItemWalk<TMachine>.TryNext(heap, right, out entering))
            {
                cost += PriceOfPlace(heap, block, entering, CachePrice<TMachine>.WeightInBlock(entering.Units), now, takesWork, isAnyLeased);
            }

            for (; hasLeft && leaving.After <= begin; hasLeft = BlockWalk.TryNext(left, out leaving))
            {
                // Somebody may have used it meanwhile.
                ulong weight = CachePrice<TMachine>.WeightInBlock(leaving.Units);
                cost -= Math.Min(cost, PriceOfPlace(heap, block, leaving, weight, now, takesWork, isAnyLeased));
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

    /// <param name="heap">The attachment.</param>
    /// <param name="block">The block.</param>
    /// <param name="place">What lies there.</param>
    /// <param name="weight">Of what lies there.</param>
    /// <param name="now">A time before this call.</param>
    /// <param name="takesWork">Whether what somebody works on can go.</param>
    /// <param name="isAnyLeased">Whether to look for leases: what is leased keeps its memory.</param>
    internal static ulong PriceOfPlace(Attachment* heap, ulong block, BlockPlace place, ulong weight, Moment now, bool takesWork, bool isAnyLeased)
    {
        ulong unit = heap->FirstUnitOf(block) + place.First;
        return place.IsPublished && !(isAnyLeased && LeaseScan<TMachine>.IsAnyUnitLeased(heap, unit, unit + place.Units))
            ? CachePrice<TMachine>.Of(heap, unit, weight, now, takesWork)
            : CachePrice<TMachine>.Obstacle;
    }

    /// <summary>What it costs to empty a block, with those that go together with it.</summary>
    internal static ulong PriceOf(Attachment* heap, ulong block, Moment now, bool takesWork, ref Meeting meeting, ref ulong looks, out ulong span)
    {
        BlockWord word = Blocks<TMachine>.Read(heap, block);
        span = SpanOf(heap, block, word);
        looks++;
        switch (word.State)
        {
            case BlockState.Free:
                return 0;
            case BlockState.Run:
                return CachePrice<TMachine>.Of(heap, heap->FirstUnitOf(block), span << heap->Geometry.UnitsPerBlockShift, now, takesWork);
            case BlockState.Retired:
                // A run that nobody uses any more goes at once; one that is leased stays.
                CacheHand<TMachine>.FreeGarbage(heap, block, close: true);
                return Blocks<TMachine>.Read(heap, block).State == BlockState.Free ? 0 : CachePrice<TMachine>.Obstacle;
            case BlockState.Busy or BlockState.Freeing:
                meeting.NoteLostRace<TMachine>(heap, block);
                return CachePrice<TMachine>.Obstacle;
            default:
                return word.IsOpen ? PriceOfOpen(heap, block, now, takesWork, ref meeting, ref looks) : CachePrice<TMachine>.Obstacle;
        }
    }

    /// <summary>Blocks that go together.</summary>
    private static ulong SpanOf(Attachment* heap, ulong block, BlockWord word) =>
        word.State is BlockState.Run or BlockState.Retired && Runs<TMachine>.Fits(heap, block, word.Value) ? word.Value : 1;

    /// <summary>What nobody uses any more costs nothing, and is swept at once: it looks like what somebody is making.</summary>
    private static ulong PriceOfOpen(Attachment* heap, ulong block, Moment now, bool takesWork, ref Meeting meeting, ref ulong looks)
    {
        ulong price = PriceOfItems(heap, block, now, takesWork, ref looks, out bool mayBeGarbage);
        if (price < CachePrice<TMachine>.Obstacle || !mayBeGarbage)
        {
            return price;
        }

        CacheHand<TMachine>.FreeGarbage(heap, block, close: true);
        BlockWord word = Blocks<TMachine>.Read(heap, block);
        if (word.State is BlockState.Busy or BlockState.Freeing)
        {
            meeting.NoteLostRace<TMachine>(heap, block);
        }

        return word.State == BlockState.Free ? 0
            : word.IsOpen ? PriceOfItems(heap, block, now, takesWork, ref looks, out _)
            : CachePrice<TMachine>.Obstacle;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ulong PriceOfItems(Attachment* heap, ulong block, Moment now, bool takesWork, ref ulong looks, out bool mayBeGarbage)
    {
        ItemWalk walkOfBlock;
        ItemWalk* walk = &walkOfBlock;
        ItemWalk<TMachine>.Begin(heap, block, walk);
        ulong price = 0;
        mayBeGarbage = false;
        while (price < CachePrice<TMachine>.Obstacle && ItemWalk<TMachine>.TryNext(heap, walk, out BlockPlace place))
        {
            mayBeGarbage |= !place.IsPublished;
            price += PriceOfPlace(heap, block, place, place.Units, now, takesWork, isAnyLeased: false);
            looks++;
        }

        return price;
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
