using ShmAlloc.Allocation;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>The named caches of a heap: words of the header that lead to their tables.</summary>
internal static unsafe class Directory<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>The table of a number, opened if it was not; null if there is none, or none that makes sense.</summary>
    internal static CacheTable* Find(Attachment* heap, uint number)
    {
        CacheTable* table = (CacheTable*)&heap->Tables + number;
        return Volatile.Read(ref table->Offset) != 0 || TryOpen(heap, table, number) ? table : null;
    }

    /// <summary>
    /// What <see cref="Find(Attachment*, byte*, int, out int)"/> says of a free number when a table lies where this process cannot see yet: it may be the
    /// one that is looked for.
    /// </summary>
    internal const int Unknown = -2;

    /// <summary>Looks for a name.</summary>
    /// <returns>Its number, or −1; and the first number that is free, −1, or <see cref="Unknown"/>.</returns>
    internal static int Find(Attachment* heap, byte* name, int length, out int free)
    {
        free = -1;
        bool isUnknown = false;
        for (uint number = 0; number < HeaderLayout.Caches; number++)
        {
            if (TMachine.Read(&heap->Header->Cache[number]) == 0)
            {
                free = free < 0 ? (int)number : free;
                continue;
            }

            CacheTable* table = Find(heap, number);
            isUnknown |= table == null && IsUnknown(heap, number);
            if (table != null
                && ItemAccess<TMachine>.Shape(&table->Layout->Header).KeyBytes == length
                && TMachine.IsEqual(table->Layout->Name, name, (ulong)length))
            {
                return (int)number;
            }
        }

        free = isUnknown ? Unknown : free;
        return -1;
    }

    /// <summary>Whether the table of a number, which could not be opened, begins or ends where this process cannot see yet.</summary>
    private static bool IsUnknown(Attachment* heap, uint number)
    {
        ulong unit = (TMachine.Read(&heap->Header->Cache[number]) - Geometry.Page) >> heap->Geometry.UnitShift;
        if (!ItemAccess<TMachine>.Fits(heap, unit, TableLayout.Size))
        {
            return !ItemAccess<TMachine>.IsOutside(heap, unit, TableLayout.Size);
        }

        TableLayout* layout = (TableLayout*)ItemAccess<TMachine>.At(heap, unit);
        ulong sweepWords = TableLayout.SweepWords(number, heap->Geometry.MaximumBlocks);
        ulong bytes = TableLayout.Bytes(heap->Geometry.Slots, TMachine.Read(&layout->TagSlots), sweepWords, TMachine.Read(&layout->Buckets));
        return !ItemAccess<TMachine>.Fits(heap, unit, bytes) && !ItemAccess<TMachine>.IsOutside(heap, unit, bytes);
    }

    /// <summary>Makes a table and links it.</summary>
    /// <remarks>
    /// Takes effect at the compare-and-swap of the directory's word. Death before it: the table is named LINKING by a cell of the dead, and retired by
    /// recovery; after it: the cache exists.
    /// </remarks>
    /// <returns>Ok also if somebody else used the number first: look for the name again.</returns>
    internal static ShmStatus TryMake(Attachment* heap, uint number, byte* name, int length, in CacheSpecification specification)
    {
        ulong buckets = specification.BucketsIn(heap);
        ulong tagSlots = specification.RoundedTagSlots;
        ulong bytes = TableLayout.Bytes(heap->Geometry.Slots, tagSlots, TableLayout.SweepWords(number, heap->Geometry.MaximumBlocks), buckets);

        // The limit on allocations is about those of users.
        if (bytes > heap->WholeBytes)
        {
            return ShmStatus.TooLarge;
        }

        ShmStatus status = TryMake(heap, number, name, length, specification, bytes);
        if (Growth<TMachine>.MeansNoRoom(status))
        {
            // It may be another's table that has the room.
            if (TMachine.Read(&heap->Header->Cache[number]) != 0)
            {
                return ShmStatus.Ok;
            }

            CacheRoom<TMachine>.TryMake(heap, bytes);
            status = TryMake(heap, number, name, length, specification, bytes);
        }

        return status;
    }

    private static ShmStatus TryMake(Attachment* heap, uint number, byte* name, int length, in CacheSpecification specification, ulong bytes)
    {
        ShmStatus status = Cells<TMachine>.TryTakeForOperation(heap, out int cell);
        if (status != ShmStatus.Ok)
        {
            return status;
        }

        status = Reservations<TMachine>.Claim(heap, ShortWay<TMachine>.ShardOf(heap), bytes, cell, quickly: false, out ulong unit);
        if (status == ShmStatus.Ok)
        {
            NewItems<TMachine>.Name(heap, cell, CellKind.Linking, unit);
            Fill(heap, (TableLayout*)ItemAccess<TMachine>.At(heap, unit), bytes, number, name, length, specification);
            status = Reservations<TMachine>.End(heap, unit, cell, publish: true);
            ulong offset = heap->OffsetOf(unit);
            if (status == ShmStatus.Ok && TMachine.CompareExchange(&heap->Header->Cache[number], offset, 0) != 0)
            {
                Hold<TMachine>.Retire(heap, offset);
            }
        }

        Cells<TMachine>.Release(heap, cell);
        return status;
    }

    internal static bool LeadsTo(Attachment* heap, ulong offset)
    {
        for (int number = 0; number < HeaderLayout.Caches; number++)
        {
            if (TMachine.Read(&heap->Header->Cache[number]) == offset)
            {
                return true;
            }
        }

        return false;
    }

    private static void Fill(
        Attachment* heap, TableLayout* table, ulong bytes, uint number, byte* name, int length, in CacheSpecification specification)
    {
        TMachine.Clear((byte*)table, bytes);
        TMachine.Write(&table->Header.Shape, new ItemShape(ItemShape.Table, number, 0, length, 0).Bits);
        TMachine.Write(&table->Buckets, specification.BucketsIn(heap));
        TMachine.Write(&table->TagSlots, specification.RoundedTagSlots);
        TMachine.Write(&table->Slots, heap->Geometry.Slots);
        TMachine.Write(&table->Flags, specification.TableFlags);
        TMachine.Write(&table->LimitBytes, specification.LimitBytes);
        TMachine.CopyIn(name, table->Name, (ulong)length);
        TMachine.Write(&table->Header.Stamp, ulong.MaxValue);
    }

    /// <summary>Checks what a word of the directory leads to: another process may have scribbled on it.</summary>
    private static bool TryOpen(Attachment* heap, CacheTable* table, uint number)
    {
        ulong offset = TMachine.Read(&heap->Header->Cache[number]);
        if (offset == 0 || !Heap<TMachine>.TryUnitOf(heap, offset, out ulong unit) || !ItemAccess<TMachine>.Fits(heap, unit, TableLayout.Size))
        {
            return false;
        }

        TableLayout* layout = (TableLayout*)ItemAccess<TMachine>.At(heap, unit);
        ulong buckets = TMachine.Read(&layout->Buckets);
        ulong tagSlots = TMachine.Read(&layout->TagSlots);
        ulong sweepWords = TableLayout.SweepWords(number, heap->Geometry.MaximumBlocks);
        ItemShape shape = ItemAccess<TMachine>.Shape(&layout->Header);
        bool isSane = shape.Is(ItemShape.Table)
            && shape.KeyBytes is > 0 and <= TableLayout.MaxNameBytes
            && buckets is >= 2 and <= TableLayout.MaxBuckets
            && ulong.IsPow2(tagSlots) && tagSlots <= TableLayout.MaxTagSlots
            && TMachine.Read(&layout->Slots) == heap->Geometry.Slots
            && ItemAccess<TMachine>.Fits(heap, unit, TableLayout.Bytes(heap->Geometry.Slots, tagSlots, sweepWords, buckets));
        if (!isSane)
        {
            return false;
        }

        // Threads that open it at once write the same.
        table->Number = number;
        ulong flags = TMachine.Read(&layout->Flags);
        table->ItemFlags = (uint)flags & ItemShape.Checked;
        table->CommonTagBytes = (flags & TableLayout.KeepsGeneration) != 0 ? sizeof(ulong) : 0UL;
        table->Buckets = (ulong*)((byte*)layout + TableLayout.BucketsAt(offset, heap->Geometry.Slots, tagSlots, sweepWords));
        table->BucketCount = buckets;
        table->Tags = (ulong*)((byte*)layout + TableLayout.TagsAt(offset, heap->Geometry.Slots));
        table->TagMask = tagSlots - 1;
        table->LimitBytes = TMachine.Read(&layout->LimitBytes);
        table->Sweeps = sweepWords == 0 ? null : (ulong*)((byte*)layout + TableLayout.SweepsAt(offset, heap->Geometry.Slots, tagSlots));
        table->Counters = (ulong*)((byte*)layout + TableLayout.CountersAt(offset));
        table->Layout = layout;
        Volatile.Write(ref table->Offset, offset);
        return true;
    }
}
