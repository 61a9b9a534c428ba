using ShmAlloc.Allocation;
using ShmAlloc.Layout;
using ShmAlloc.Memory;

namespace ShmAlloc.Participants;

/// <summary>Reads every cell of every participant: what is named must not be reused.</summary>
internal static unsafe class CellScan<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Adds the units of a block that cells name.</summary>
    /// <remarks>
    /// A slot that reads FREE is passed over: its cells were all clear at that moment, so this is a scan of them then. (Whoever takes the slot later
    /// sets a cell after that, and looks at the block after that.) Of an active one those cells are read that it has used; nothing else bounds the scan.
    /// </remarks>
    internal static void Collect(Attachment* heap, ulong block, uint* named)
    {
        ulong blockStart = heap->FirstUnitOf(block);
        ulong blockEnd = heap->FirstUnitOf(block + 1);
        for (int slot = 0; slot < (int)heap->Geometry.Slots; slot++)
        {
            if (!new SlotWord(TMachine.Read(&heap->Slots[slot].Word)).IsActive)
            {
                continue;
            }

            int used = UsedCells<TMachine>.Of(heap, slot);
            for (int index = 0; index < used; index++)
            {
                CellWord cell = Cells<TMachine>.Read(heap, slot, index);
                ulong from = Math.Max(cell.Unit, blockStart);
                ulong to = Math.Min(cell.Unit + cell.LengthUnits, blockEnd);
                if (cell.IsNone || from >= to)
                {
                    continue;
                }

                uint units = (uint)(to - from);
                for (ulong word = from >> BitmapWord.UnitsShift; word << BitmapWord.UnitsShift < to; word++)
                {
                    named[word - (blockStart >> BitmapWord.UnitsShift)] |= PrivateClaim<TMachine>.MaskIn(word, from, units);
                }
            }
        }
    }

    /// <summary>Whether any cell names a unit of a block: the head of a run that is to be taken apart.</summary>
    internal static bool NamesAny(Attachment* heap, ulong block)
    {
        UnitsOfBlock named;
        uint* units = (uint*)&named;
        Words.Clear((ulong*)units, sizeof(UnitsOfBlock) / sizeof(ulong));
        Collect(heap, block, units);
        for (uint word = 0; word < heap->Geometry.WordsPerBlock; word++)
        {
            if (units[word] != 0)
            {
                return true;
            }
        }

        return false;
    }
}
