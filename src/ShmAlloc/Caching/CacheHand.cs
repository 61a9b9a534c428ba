using System.Numerics;
using ShmAlloc.Allocation;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>
/// The clock hand: walks over the memory of the caches, block by block, and drops the items that were not used since it came by last. So memory is freed in
/// pieces as large as blocks, and the order in which it is freed is about the order in which it was filled.
/// </summary>
/// <remarks>
/// Source: CLOCK, Corbató, "A Paging Experiment with the Multics System" (1968). Processes share the position, a hint, and each takes another block. The hand
/// believes nothing but entries of an index: what lies in memory may be anybody's.
/// </remarks>
internal static unsafe class CacheHand<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>What a turn of the hand is to drop.</summary>
    /// <param name="Only">The number of the only cache whose items are dropped; −1: of any.</param>
    /// <param name="Reason">What is counted.</param>
    /// <param name="Now">Milliseconds of the heap's clock.</param>
    /// <param name="Ruthless">Whether also what was used lately is dropped.</param>
    internal readonly record struct Errand(int Only, CacheCounter Reason, ulong Now, bool Ruthless);

    /// <summary>Goes on to the next block, drops what is to be dropped, and makes what was in it free. The caller holds a cell as well.</summary>
    /// <returns>False if there is no block with items of caches.</returns>
    internal static bool TryStep(Attachment* heap, in Errand errand, ulong* grip)
    {
        if (!TryNextBlock(heap, out ulong block))
        {
            return false;
        }

        if (!TryDropIn(heap, block, errand, grip))
        {
            ForgetUnlessUsed(heap, block);
        }

        FreeGarbage(heap, block);
        return true;
    }

    /// <summary>Drops everything in a block that can be dropped.</summary>
    /// <returns>Whether the block is free for a run now.</returns>
    internal static bool TryEmpty(Attachment* heap, ulong block, in Errand errand, ulong* grip)
    {
        if (Blocks<TMachine>.Read(heap, block).State != BlockState.Free)
        {
            TryDropIn(heap, block, errand, grip);
            FreeGarbage(heap, block);
        }

        return Blocks<TMachine>.Read(heap, block).State == BlockState.Free;
    }

    private static bool TryNextBlock(Attachment* heap, out ulong block)
    {
        ulong* hand = &heap->Header->Hand;
        ulong at = TMachine.Read(hand);
        bool isFound = Hints<TMachine>.TryFind(heap, Hints<TMachine>.CachePlane, Math.Min(at, heap->Blocks), out block)
            || Hints<TMachine>.TryFind(heap, Hints<TMachine>.CachePlane, 0, out block);
        if (isFound)
        {
            // Whoever loses goes over the same block once more: harmless.
            TMachine.CompareExchange(hand, block + 1, at);
        }

        return isFound;
    }

    /// <returns>Whether there is any item of a cache in the block, or was.</returns>
    private static bool TryDropIn(Attachment* heap, ulong block, in Errand errand, ulong* grip)
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

        bool isAny = false;
        WordsOfBlock wordsOfBlock;
        ulong* words = (ulong*)&wordsOfBlock;
        int count = (int)heap->Geometry.WordsPerBlock;
        TMachine.ReadMany(heap->FirstWordOf(block), words, count);
        int start = 0;
        for (int index = 0; index < count; index++)
        {
            BitmapWord bits = BitmapWord.FromStored(words[index]);
            int first = index << BitmapWord.UnitsShift;
            if (bits.IsClosed)
            {
                start = first + BitmapWord.Units;
                continue;
            }

            // An allocation starts after the last end, or after the last free unit before its own end.
            for (uint ends = bits.Ends; ends != 0; ends &= ends - 1)
            {
                int end = BitOperations.TrailingZeroCount(ends);
                uint below = end == 0 ? 0 : ~bits.Bodies & BitmapWord.Mask(0, end);
                int from = below != 0 ? first + 32 - BitOperations.LeadingZeroCount(below) : Math.Min(start, first);
                if ((bits.PublishedEnds >> end & 1) != 0)
                {
                    isAny |= Visit(heap, heap->FirstUnitOf(block) + (uint)from, errand, grip);
                }
                else
                {
                    isAny = true;
                }

                start = first + end + 1;
            }

            uint rest = ~bits.Bodies;
            start = rest == 0 ? Math.Min(start, first) : first + 32 - BitOperations.LeadingZeroCount(rest);
        }

        return isAny;
    }

    /// <summary>Looks at an allocation, which is anybody's until an entry is found that leads to it.</summary>
    /// <returns>Whether it is an item of a cache.</returns>
    private static bool Visit(Attachment* heap, ulong unit, in Errand errand, ulong* grip)
    {
        if (!ItemAccess<TMachine>.IsInside(heap, unit))
        {
            return false;
        }

        ItemHeader* item = ItemAccess<TMachine>.At(heap, unit);
        ItemShape shape = ItemAccess<TMachine>.Shape(item);
        if (!shape.IsKnown || shape.Is(ItemShape.Table))
        {
            return false;
        }

        CacheTable* table = Directory<TMachine>.Find(heap, shape.Cache);
        if (table == null)
        {
            return false;
        }

        Probe probeOfKey;
        Probe* probe = &probeOfKey;
        Probe.Begin(probe, table, ItemAccess<TMachine>.Hash(item));
        int index = CacheSearch<TMachine>.FindUnit(probe, unit);
        if (index == Probe.None)
        {
            return false;
        }

        if (errand.Only < 0 || errand.Only == (int)shape.Cache)
        {
            ulong* hints = probe->HintsOf(index, out ulong visited);
            bool isHot = !errand.Ruthless && (TMachine.Read(hints) & visited) != 0;
            if (isHot && !ItemAccess<TMachine>.IsExpired(ItemAccess<TMachine>.Deadline(item), errand.Now))
            {
                TMachine.And(hints, ~visited);
            }
            else
            {
                CacheVictim<TMachine>.TryDrop(heap, table, probe, index, probe->Seen(index), errand.Reason, errand.Now, grip);
            }
        }

        return true;
    }

    /// <summary>Clears the hint, then looks once more: an item may have been linked in between.</summary>
    private static void ForgetUnlessUsed(Attachment* heap, ulong block)
    {
        Hints<TMachine>.Clear(heap, Hints<TMachine>.CachePlane, block);
        if (TryDropIn(heap, block, new Errand(int.MaxValue, default, 0, false), null))
        {
            Hints<TMachine>.Set(heap, Hints<TMachine>.CachePlane, block);
        }
    }

    private static void FreeGarbage(Attachment* heap, ulong block)
    {
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
        if (Hints<TMachine>.Reclassify(heap, block, &units) == heap->Geometry.UnitsPerBlockShift)
        {
            CloseBlock<TMachine>.TryClose(heap, block, Blocks<TMachine>.Read(heap, block));
        }
    }
}
