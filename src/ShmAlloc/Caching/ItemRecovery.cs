using ShmAlloc.Allocation;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>
/// What becomes of an item that a cell of a dead participant names. The recoverer has the lock of the slot, so it goes on with the dead one's own cells: should
/// it die, the next one finds them as it would have found the dead one's.
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
    internal static void Recover(Attachment* heap, int slot, CellWord cell)
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
            FinishLinked(heap, table, probe, index, slot, cell, item, shape);
            index = CacheSearch<TMachine>.FindUnit(probe, cell.Unit);
        }

        if (index < 0)
        {
            Hold<TMachine>.Retire(heap, offset);
        }
    }

    /// <summary>Linked by the dead one: it may not have looked again; and what it was working out nobody will.</summary>
    private static void FinishLinked(
        Attachment* heap, CacheTable* table, Probe* probe, int index, int slot, CellWord cell, ItemHeader* item, ItemShape shape)
    {
        ulong* grip = FreeCellOf(heap, slot);
        if (grip == null || !ItemAccess<TMachine>.Fits(heap, cell.Unit, shape.TotalBytes))
        {
            return;
        }

        EntryWord seen = probe->Seen(index);
        CacheKey key = new((byte*)item + shape.KeyBegins, shape.KeyBytes, ItemAccess<TMachine>.Hash(item));
        bool isTentative = ItemAccess<TMachine>.Deadline(item) is ItemHeader.Tentative or ItemHeader.Revoked;
        if (shape.Is(ItemShape.Placeholder) || isTentative)
        {
            Unlink<TMachine>.UnlinkLater(heap, table, probe, key.Hash, index, grip, sparesConfirmed: isTentative);
            TMachine.CompareExchange(probe->AddressOf(index), seen.Emptied.Bits, seen.Bits);
        }
        else
        {
            CacheWriter<TMachine>.LookAgain(heap, table, probe, key, index, seen, isTentative: false, grip);
        }
    }

    private static ulong* FreeCellOf(Attachment* heap, int slot)
    {
        for (int index = 0; index < heap->Geometry.Cells; index++)
        {
            if (Cells<TMachine>.Read(heap, slot, index).IsNone)
            {
                return Cells<TMachine>.AddressOf(heap, slot, index);
            }
        }

        return null;
    }

    private static bool IsPublished(Attachment* heap, ulong unit)
    {
        ulong block = heap->BlockOf(unit);
        return Blocks<TMachine>.Read(heap, block).State == BlockState.Run
            ? unit == heap->FirstUnitOf(block)
            : Extent<TMachine>.Find(heap, unit, out _) == ShmStatus.Ok;
    }
}
