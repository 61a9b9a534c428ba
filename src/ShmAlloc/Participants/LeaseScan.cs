using ShmAlloc.Layout;
using ShmAlloc.Memory;

namespace ShmAlloc.Participants;

/// <summary>Looks for leases.</summary>
internal static unsafe class LeaseScan<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Whether somebody has a lease on anything that lies in blocks, as far as can be seen.</summary>
    /// <remarks>
    /// A hint for who chooses what to drop: what is leased can be dropped, and its memory stays in use. Operations hold what they work on for a moment, and
    /// not in cells that leases have, as long as there are others.
    /// </remarks>
    internal static bool IsAnyLeased(Attachment* heap, ulong first, ulong end) => IsAnyUnitLeased(heap, heap->FirstUnitOf(first), heap->FirstUnitOf(end));

    /// <summary>The same, for units.</summary>
    internal static bool IsAnyUnitLeased(Attachment* heap, ulong firstUnit, ulong endUnit)
    {
        for (int slot = 0; slot < (int)heap->Geometry.Slots; slot++)
        {
            int used = new SlotWord(TMachine.Read(&heap->Slots[slot].Word)).IsActive ? UsedCells<TMachine>.Of(heap, slot) : 0;
            for (int index = heap->Geometry.OperationCells; index < used; index++)
            {
                CellWord cell = Cells<TMachine>.Read(heap, slot, index);
                if (cell.Kind == CellKind.Hold && cell.Unit >= firstUnit && cell.Unit < endUnit)
                {
                    return true;
                }
            }
        }

        return false;
    }
}
