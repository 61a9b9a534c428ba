using ShmAlloc.Allocation;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>
/// What becomes of an item that a cell of a dead participant names. The cell stays until all is done: should the recoverer die, the next one repeats it.
/// </summary>
internal static unsafe class ItemRecovery<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Has all caches counted anew: the dead one may not have told what it did, in whatever moment it died.</summary>
    internal static void OrderRecount(Attachment* heap)
    {
        for (uint number = 0; number < HeaderLayout.Caches; number++)
        {
            CacheTable* table = Directory<TMachine>.Find(heap, number);
            if (table != null)
            {
                TMachine.Write(&table->Layout->NeedsRecount, 1);
            }
        }
    }

    /// <summary>Ends what the cell says; the caller clears it then.</summary>
    internal static void Recover(Attachment* heap, CellWord cell)
    {
        if (!ItemAccess<TMachine>.IsInside(heap, cell.Unit) || !IsPublished(heap, cell.Unit))
        {
            return;
        }

        ItemHeader* item = ItemAccess<TMachine>.At(heap, cell.Unit);
        ItemShape shape = ItemAccess<TMachine>.Shape(item);
        ulong offset = heap->OffsetOf(cell.Unit);
        if (shape.Is(ItemShape.Table))
        {
            if (!Directory<TMachine>.LeadsTo(heap, offset))
            {
                Hold<TMachine>.Retire(heap, offset);
            }

            return;
        }

        CacheTable* table = Directory<TMachine>.Find(heap, shape.Cache);
        if (table == null || ItemAccess<TMachine>.Stamp(item) == ItemHeader.InvalidStamp)
        {
            return;
        }

        Probe probeOfKey;
        Probe* probe = &probeOfKey;
        ulong hash = ItemAccess<TMachine>.Hash(item);
        Probe.Begin(probe, table, hash);
        int index = CacheSearch<TMachine>.FindUnit(probe, cell.Unit);
        if (index >= 0 && cell.Kind != CellKind.Unlinking)
        {
            Hints<TMachine>.Set(heap, Hints<TMachine>.CachePlane, heap->BlockOf(cell.Unit));
            TakeBack(probe, index, item);
            index = CacheSearch<TMachine>.FindUnit(probe, cell.Unit);
        }

        if (index < 0)
        {
            Hold<TMachine>.Retire(heap, offset);
        }
    }

    /// <summary>Linked by the dead one, but nobody will confirm it: its entry is emptied.</summary>
    private static void TakeBack(Probe* probe, int index, ItemHeader* item)
    {
        if (ItemAccess<TMachine>.IsUnconfirmed(ItemAccess<TMachine>.Deadline(item)))
        {
            EntryWord seen = probe->Seen(index);
            TMachine.CompareExchange(probe->AddressOf(index), seen.Emptied.Bits, seen.Bits);
        }
    }

    private static bool IsPublished(Attachment* heap, ulong unit)
    {
        ulong block = heap->BlockOf(unit);
        return Blocks<TMachine>.Read(heap, block).State == BlockState.Run
            ? unit == heap->FirstUnitOf(block)
            : Extent<TMachine>.Find(heap, unit, out _) == ShmStatus.Ok;
    }
}
