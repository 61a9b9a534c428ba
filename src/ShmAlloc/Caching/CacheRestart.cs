using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>
/// Empties all caches of a heap that was last used before the machine was started: in a file on a disk pages may have been written back in any order, so that
/// a value may be torn, one that was removed may be back, and a tag may count again.
/// </summary>
/// <remarks>
/// Writes: whoever opens a cache while the clock's anchor names an earlier start; several may do it at once. Takes effect at the compare-and-swap of the
/// anchor, which comes after all entries were emptied; nobody sets, gets or removes before the anchor names this start. So a process that still
/// empties while others go on removes nothing of theirs: the emptier reads an entry, then the anchor, and only then changes the entry. If the anchor is the
/// old one, what the entry led to is old. Death before the anchor changes: the next who opens a cache does it again. Death after it: it is done.
/// </remarks>
internal static unsafe class CacheRestart<TMachine>
    where TMachine : struct, IMachine
{
    private const int MaxTries = 64;

    /// <summary>Empties all caches, and then makes the clock's anchor name this start.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="anchor">The anchor of an earlier start, as it was seen.</param>
    /// <param name="next">The one of this start.</param>
    /// <returns><see cref="CacheStatus.Ok"/>: the anchor is another than it was; or why the caches could not be emptied.</returns>
    internal static CacheStatus TryBegin(Attachment* heap, ulong anchor, ulong next)
    {
        CacheStatus status = TryEmpty(heap, anchor);
        if (status == CacheStatus.Ok)
        {
            TMachine.CompareExchange(&heap->Header->ClockAnchor, next, anchor);
        }

        return status;
    }

    /// <summary>Empties every entry of every cache, as long as the anchor is the one that was seen.</summary>
    /// <returns><see cref="CacheStatus.Ok"/>: it is done, by this participant or another; or why it could not be.</returns>
    internal static CacheStatus TryEmpty(Attachment* heap, ulong anchor)
    {
        CacheStatus status = Grips<TMachine>.TryTake(heap, lasting: false, out int cell);
        if (status != CacheStatus.Ok)
        {
            return status;
        }

        ulong* grip = Cells<TMachine>.AddressOf(heap, heap->Slot, cell);
        for (uint number = 0; number < HeaderLayout.Caches && status == CacheStatus.Ok; number++)
        {
            CacheTable* table = Directory<TMachine>.Find(heap, number);
            ulong entries = table == null ? 0 : table->BucketCount * TableLayout.BucketWords;
            for (ulong place = 0; place < entries && status == CacheStatus.Ok; place++)
            {
                if (place % TableLayout.BucketWords != TableLayout.EntriesOfBucket && !TryEmpty(heap, table, table->Buckets + place, anchor, grip))
                {
                    status = CacheStatus.Contended;
                }
            }
        }

        // What was counted may be as old as anything else.
        ItemRecovery<TMachine>.OrderRecount(heap);
        Cells<TMachine>.Release(heap, cell);
        return status;
    }

    private static bool TryEmpty(Attachment* heap, CacheTable* table, ulong* address, ulong anchor, ulong* grip)
    {
        for (int tries = 0; tries < MaxTries; tries++)
        {
            EntryWord seen = new(TMachine.Read(address));
            if (seen.IsEmpty)
            {
                return true;
            }

            bool isInside = ItemAccess<TMachine>.IsInside(heap, seen.Unit);
            if (!isInside && !ItemAccess<TMachine>.IsOutside(heap, seen.Unit))
            {
                return false;
            }

            bool isHeld = isInside && Grips<TMachine>.TryHold(grip, address, seen);
            if (TMachine.Read(&heap->Header->ClockAnchor) != anchor)
            {
                Grips<TMachine>.Loosen(grip);
                return true;
            }

            if (isHeld && TryUnlink(heap, table, address, seen, grip))
            {
                return true;
            }

            Grips<TMachine>.Loosen(grip);
            if (!isInside && TMachine.CompareExchange(address, seen.Emptied.Bits, seen.Bits) == seen.Bits)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Unlinks an item, and retires it; or empties an entry that leads to no item of this bucket: whose memory that is, nobody knows.</summary>
    private static bool TryUnlink(Attachment* heap, CacheTable* table, ulong* address, EntryWord seen, ulong* grip)
    {
        Probe probeOfKey;
        Probe* probe = &probeOfKey;
        Probe.Begin(probe, table, ItemAccess<TMachine>.Hash(ItemAccess<TMachine>.At(heap, seen.Unit)));
        int index = CacheSearch<TMachine>.FindUnit(probe, seen.Unit);
        return index != Probe.None && probe->AddressOf(index) == address
            ? Unlink<TMachine>.TryUnlink(heap, table, probe, index, seen, seen.Emptied, grip)
            : TMachine.CompareExchange(address, seen.Emptied.Bits, seen.Bits) == seen.Bits;
    }
}
