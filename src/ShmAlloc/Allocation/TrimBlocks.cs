using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Allocation;

/// <summary>
/// FREE → BARING → BARE: how free blocks give their storage back to the system. Those of the initial size keep it: that much is promised.
/// </summary>
/// <remarks>
/// A block that is free has closed words, so nobody finds anything in it. But readers of a cache may be late: they follow an entry to an item that has been
/// freed meanwhile, and on tmpfs even reading a hole takes room, of which there may be none. So nothing is given back once a heap has a cache.
/// </remarks>
internal static unsafe class TrimBlocks<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>What is given back at once, so that nobody waits for long.</summary>
    private const ulong StepBytes = 4 << 20;

    /// <summary>Blocks that are given back at once.</summary>
    internal static ulong StepBlocks(Attachment* heap) => Math.Max(1, StepBytes >> heap->Geometry.BlockShift);

    /// <summary>Whether anything can be given back, as far as is known.</summary>
    internal static bool IsPossible(Attachment* heap) => !heap->ReadOnly && !heap->KeepsStorage && !HasCaches(heap);

    /// <summary>Frees everything that can be freed, and gives back every free block above the initial size.</summary>
    /// <returns>Bytes.</returns>
    internal static ulong All(Attachment* heap)
    {
        if (!IsPossible(heap) || Cells<TMachine>.TryTakeForOperation(heap, out int cell) != ShmStatus.Ok)
        {
            return 0;
        }

        ulong claims = 0;
        Meeting meeting = default;
        Growth<TMachine>.Refresh(heap);
        FullSearch<TMachine>.FreeBlocks(heap, ref claims, ref meeting);
        ulong given = 0;
        ulong block = TMachine.Read(&heap->Header->InitialBlocks);
        while (block < heap->Blocks && TryGiveBack(heap, block, heap->Blocks, onlyIdle: false, out ulong count))
        {
            given += count;
            block += Math.Max(1, count);
        }

        Cells<TMachine>.Release(heap, cell);
        return given << heap->Geometry.BlockShift;
    }

    /// <summary>Gives back the free blocks that begin here, one after the other, up to a step. The caller holds a cell.</summary>
    /// <remarks>
    /// Writes: one thread, FREE → BARING each, which is exclusive; then the count of trims, then the holes, then BARING → BARE, where it takes effect. Read by
    /// all who look for free blocks: they take FREE only, and BARE only by way of BARING. Death: recovery gives back what is still there, and makes BARING
    /// BARE.
    /// </remarks>
    /// <returns>False if the system refused, or a cache came to be: then the blocks are as they were, as far as possible.</returns>
    internal static bool TryGiveBack(Attachment* heap, ulong first, ulong end, bool onlyIdle, out ulong count)
    {
        ulong most = Math.Min(end - first, StepBlocks(heap));
        for (count = 0; count < most && TryTake(heap, first + count, onlyIdle);)
        {
            count++;
        }

        if (count == 0)
        {
            return true;
        }

        // After BARING: whoever finds a cache from here on finds no item of it in these blocks, and never did.
        if (HasCaches(heap))
        {
            RefillBlocks<TMachine>.Release(heap, first, count, count);
            return false;
        }

        Count(heap);
        if (!TMachine.TryPunch(heap, first, first + count))
        {
            RefillBlocks<TMachine>.Finish(heap, first, count, count);
            return false;
        }

        RefillBlocks<TMachine>.Release(heap, first, count, 0);
        return true;
    }

    private static bool TryTake(Attachment* heap, ulong block, bool onlyIdle)
    {
        BlockWord seen = Blocks<TMachine>.Read(heap, block);
        bool isWanted = onlyIdle ? seen.IsIdle : seen.State == BlockState.Free;
        if (!isWanted || !Blocks<TMachine>.TryChange(heap, block, seen, BlockWord.Baring(heap->Slot)))
        {
            return false;
        }

        Hints<TMachine>.Clear(heap, Hints<TMachine>.FreePlane, block);
        return true;
    }

    /// <summary>A cache is never given up, so the answer "none" holds for all that was read before.</summary>
    private static bool HasCaches(Attachment* heap)
    {
        for (int number = 0; number < HeaderLayout.Caches; number++)
        {
            if (TMachine.Read(&heap->Header->Cache[number]) != 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whoever compares the file's storage with the block words looks here before and after (see Holes).</summary>
    private static void Count(Attachment* heap)
    {
        // Repeats only when another thread counted.
        ulong seen = TMachine.Read(&heap->Header->Trims);
        for (ulong found; (found = TMachine.CompareExchange(&heap->Header->Trims, seen + 1, seen)) != seen;)
        {
            seen = found;
        }
    }
}
