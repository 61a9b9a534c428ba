using ShmAlloc.Memory;

namespace ShmAlloc.Participants;

/// <summary>How many cells of a slot a scan has to read: most participants never use more than a few.</summary>
/// <remarks>
/// Writes: threads of the participant, when they take a cell with a number that none of them had before. Reads: every scan. Takes effect at the
/// compare-and-swap, a full fence that comes before the cell is named. So a scan that must see the name (see <see cref="CellScan{TMachine}"/>) sees the
/// larger number as well. Death right after it: the number says too much, which costs time only.
/// </remarks>
internal static unsafe class UsedCells<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Before a cell is named for the first time.</summary>
    internal static void Include(Attachment* heap, int cell)
    {
        if ((ulong)cell >= TMachine.Read(&heap->UsedCells))
        {
            Raise(heap, (ulong)cell + 1);
        }
    }

    /// <summary>Cells of a slot that may name something.</summary>
    internal static int Of(Attachment* heap, int slot) =>
        (int)Math.Min(TMachine.Read(&heap->Slots[slot].UsedCells), (ulong)heap->Geometry.Cells);

    /// <summary>The participant that was here before has cleared its cells. The caller holds the lock of the slot, which is not active.</summary>
    internal static void Begin(Attachment* heap, int slot)
    {
        TMachine.Write(&heap->UsedCells, 0);
        TMachine.Write(&heap->Slots[slot].UsedCells, 0);
    }

    private static void Raise(Attachment* heap, ulong count)
    {
        ulong* shared = &heap->Slots[heap->Slot].UsedCells;
        for (ulong seen = TMachine.Read(shared); seen < count;)
        {
            // Repeats only when another thread raised it meanwhile.
            ulong found = TMachine.CompareExchange(shared, count, seen);
            if (found == seen)
            {
                break;
            }

            seen = found;
        }

        // What we know may be less than what the file says, never more.
        TMachine.Write(&heap->UsedCells, count);
    }
}
