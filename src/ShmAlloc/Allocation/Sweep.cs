using System.Numerics;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Allocation;

/// <summary>
/// Frees what nobody holds: private allocations that no cell names (what the dead were building, frees that were not finished), words that a death
/// left closed, and retired runs.
/// </summary>
internal static unsafe class Sweep<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Sweeps one block. The caller holds a cell.</summary>
    /// <remarks>
    /// Under BUSY, no private claim begins here: whoever names a place looks at the block word after. Scan 1, the words, scan 2: a claim that
    /// is alive
    /// named its place before BUSY; if its cell was cleared before scan 1, its units were free or published before the words were read; if after
    /// it, scan 1 saw it. Scan 2 sees cells that came to name, between the scans, what was already published when they did.
    /// Death half-way: recovery makes the block OPEN; what was cleared from start to end is shorter, private and unnamed: garbage still.
    /// </remarks>
    /// <returns>False if somebody else is at the block.</returns>
    internal static bool TrySweep(Attachment* heap, ulong block, BlockWord seen)
    {
        BlockWord busy = BlockWord.Busy(heap->Slot);
        if (!seen.IsOpen || !Blocks<TMachine>.TryChange(heap, block, seen, busy))
        {
            return false;
        }

        OpenBlock<TMachine>.OpenWords(heap, block);
        int count = (int)heap->Geometry.WordsPerBlock;
        UnitsOfBlock namedUnits;
        uint* named = (uint*)&namedUnits;
        Words.Clear((ulong*)named, sizeof(UnitsOfBlock) / sizeof(ulong));
        WordsOfBlock snapshotWords;
        ulong* snapshot = (ulong*)&snapshotWords;

        CellScan<TMachine>.Collect(heap, block, named);
        for (int index = 0; index < count; index++)
        {
            snapshot[index] = TMachine.Read(heap->FirstWordOf(block) + index);
        }

        CellScan<TMachine>.Collect(heap, block, named);
        ClearGarbage(heap, block, snapshot, count, named);
        Blocks<TMachine>.TryChange(heap, block, busy, BlockWord.Open);
        return true;
    }

    /// <summary>Takes a retired run apart unless a cell names it. The caller holds a cell.</summary>
    /// <remarks>
    /// RETIRED → FREEING makes us the only one at it; then the cells are scanned; named → back to RETIRED. Death: recovery does the same.
    /// </remarks>
    internal static bool TrySweepRun(Attachment* heap, ulong head, BlockWord seen)
    {
        ulong length = seen.Value;
        bool isPlausible = seen.State == BlockState.Retired && Runs<TMachine>.Fits(heap, head, length);
        if (!isPlausible || !Blocks<TMachine>.TryChange(heap, head, seen, BlockWord.Freeing(heap->Slot, length)))
        {
            return false;
        }

        return FinishRun(heap, head, heap->Slot, length);
    }

    /// <summary>FREEING of a slot: finishes it, or goes back to RETIRED if a cell names the run.</summary>
    internal static bool FinishRun(Attachment* heap, ulong head, int slot, ulong length)
    {
        if (CellScan<TMachine>.NamesAny(heap, head))
        {
            Blocks<TMachine>.TryChange(heap, head, BlockWord.Freeing(slot, length), BlockWord.Retired(length));
            Hints<TMachine>.Set(heap, Hints<TMachine>.GarbagePlane, head);
            return false;
        }

        Runs<TMachine>.TakeApart(heap, head, slot, length);
        return true;
    }

    private static void ClearGarbage(Attachment* heap, ulong block, ulong* snapshot, int count, uint* named)
    {
        for (int index = 0; index < count; index++)
        {
            for (uint ends = PrivateEnds(snapshot[index]); ends != 0; ends &= ends - 1)
            {
                int last = (index << BitmapWord.UnitsShift) + BitOperations.TrailingZeroCount(ends);
                int first = StartOf(snapshot, last);
                if (!AnyNamed(named, first, last))
                {
                    PrivateClaim<TMachine>.Clear(heap, heap->FirstUnitOf(block) + (uint)first, (uint)(last - first + 1));
                }
            }
        }
    }

    private static uint PrivateEnds(ulong stored)
    {
        BitmapWord word = BitmapWord.FromStored(stored);
        return word.IsClosed ? 0 : word.PrivateEnds;
    }

    /// <summary>Going down from a last unit: an allocation starts above the first unit that is not a body.</summary>
    private static int StartOf(ulong* snapshot, int last)
    {
        int first = last;
        while (first > 0 && IsBody(snapshot, first - 1))
        {
            first--;
        }

        return first;
    }

    private static bool IsBody(ulong* snapshot, int unit)
    {
        BitmapWord word = BitmapWord.FromStored(snapshot[unit >> BitmapWord.UnitsShift]);
        return !word.IsClosed && (word.Bodies >> (unit & (BitmapWord.Units - 1)) & 1) != 0;
    }

    private static bool AnyNamed(uint* named, int first, int last)
    {
        for (int unit = first; unit <= last; unit++)
        {
            if ((named[unit >> BitmapWord.UnitsShift] >> (unit & (BitmapWord.Units - 1)) & 1) != 0)
            {
                return true;
            }
        }

        return false;
    }
}
