using ShmAlloc.Allocation;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>The operations that change a cache, from taking cells to releasing them.</summary>
internal static unsafe class CacheStore<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Makes an item of a key and a value, and links it.</summary>
    internal static CacheStatus Put(
        Attachment* heap, CacheTable* table, in CacheKey key, byte* value, uint valueBytes, in ItemOptions options, PutMode mode, ulong expected, ulong now)
        => Put(heap, table, key, value, valueBytes, options, mode, expected, now, out _);

    /// <summary>The same, and says the stamp of the item.</summary>
    internal static CacheStatus Put(
        Attachment* heap, CacheTable* table, in CacheKey key, byte* value, uint valueBytes, in ItemOptions options, PutMode mode, ulong expected, ulong now,
        out ulong stamp)
    {
        stamp = 0;
        CacheStatus status = Grips<TMachine>.TryTakeTwo(heap, out int cell, out int second);
        if (status != CacheStatus.Ok)
        {
            return status;
        }

        table->FindBuckets(key.Hash).Prefetch<TMachine>();
        ulong* grip = Cells<TMachine>.AddressOf(heap, heap->Slot, second);
        status = Grips<TMachine>.StatusOf(
            CacheRoom<TMachine>.TryBegin(
                heap, table, key, valueBytes, options, cell, now, grip, out NewItem item, spares: expected));
        if (status == CacheStatus.Ok)
        {
            CacheSearch<TMachine>.Prefetch(heap, table, key.Hash);
            TMachine.CopyIn(value, item.Value, valueBytes);
            stamp = item.Stamp;
            status = Finish(heap, table, key, item, mode, expected, now, grip);
        }

        Cells<TMachine>.Release(heap, second);
        Cells<TMachine>.Release(heap, cell);
        return status;
    }

    /// <summary>The value is in its place: publishes, links, and drops others if the cache has become too large.</summary>
    internal static CacheStatus Finish(
        Attachment* heap, CacheTable* table, in CacheKey key, in NewItem item, PutMode mode, ulong expected, ulong now, ulong* grip)
    {
        if (!NewItems<TMachine>.TryPublish(heap, item))
        {
            return CacheStatus.Closed;
        }

        CacheStatus status = CacheWriter<TMachine>.Put(heap, table, key, item, mode, expected, now, grip);
        if (status == CacheStatus.Ok)
        {
            CacheCounts<TMachine>.Add(heap, table, CacheCounter.Sets, item.Shape.Is(ItemShape.Placeholder) ? 0 : 1);
            LimitKeeper<TMachine>.Keep(heap, table, item.Shape, now, grip);
        }
        else
        {
            Hold<TMachine>.Retire(heap, heap->OffsetOf(item.Unit));
        }

        return status;
    }

    /// <summary>Makes a key have no value; if <paramref name="expected"/> is not 0, only if its value has this stamp.</summary>
    internal static CacheStatus Remove(Attachment* heap, CacheTable* table, in CacheKey key, ulong expected, ulong now)
    {
        CacheStatus status = Grips<TMachine>.TryTake(heap, lasting: false, out int cell);
        if (status == CacheStatus.Ok)
        {
            status = CacheWriter<TMachine>.Remove(heap, table, key, expected, now, Cells<TMachine>.AddressOf(heap, heap->Slot, cell));
            Cells<TMachine>.Release(heap, cell);
            CacheCounts<TMachine>.Add(heap, table, CacheCounter.Removals, status == CacheStatus.Ok ? 1 : 0);
        }

        return status;
    }

    /// <summary>Unlinks whatever an entry leads to: for clearing a cache.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="table">The cache.</param>
    /// <param name="bucket">The bucket.</param>
    /// <param name="index">Which of its entries.</param>
    /// <param name="cell">The cell to hold it with.</param>
    /// <param name="now">A time before this call: what has expired by then counts as that, and not as removed.</param>
    /// <returns>Whether it is empty now.</returns>
    internal static bool TryRemoveEntry(Attachment* heap, CacheTable* table, ulong bucket, int index, int cell, ulong now)
    {
        const int tries = 64;
        ulong* address = table->Buckets + (bucket * TableLayout.BucketWords) + (uint)index;
        ulong* grip = Cells<TMachine>.AddressOf(heap, heap->Slot, cell);
        for (int tried = 0; tried < tries; tried++)
        {
            EntryWord seen = new(TMachine.Read(address));
            if (seen.IsEmpty || !ItemAccess<TMachine>.IsInside(heap, seen.Unit))
            {
                return seen.IsEmpty || ItemAccess<TMachine>.IsOutside(heap, seen.Unit);
            }

            if (Grips<TMachine>.TryHold(grip, address, seen))
            {
                Probe probeOfKey;
                Probe* probe = &probeOfKey;
                ulong hash = ItemAccess<TMachine>.Hash(ItemAccess<TMachine>.At(heap, seen.Unit));
                Probe.Begin(probe, table, hash);
                int found = CacheSearch<TMachine>.FindUnit(probe, seen.Unit);
                if (found >= 0)
                {
                    // What is not confirmed is nobody's value.
                    ItemHeader* item = ItemAccess<TMachine>.At(heap, seen.Unit);
                    ItemShape shape = ItemAccess<TMachine>.Shape(item);
                    bool isValue = !ItemAccess<TMachine>.IsUnconfirmed(ItemAccess<TMachine>.Deadline(item));
                    bool isLive = isValue && ItemAccess<TMachine>.IsLive(table, item, shape, now);
                    bool isUnlinked = isValue && Unlink<TMachine>.TryUnlink(heap, table, probe, found, seen, seen.Emptied, grip);
                    if (!isValue || isUnlinked)
                    {
                        Grips<TMachine>.Loosen(grip);
                        if (isLive)
                        {
                            CacheCounts<TMachine>.Add(heap, table, CacheCounter.Removals, 1);
                        }
                        else if (isUnlinked)
                        {
                            CacheCounts<TMachine>.AddExpired(heap, table, shape);
                        }

                        return true;
                    }
                }
            }

            Grips<TMachine>.Loosen(grip);
        }

        return false;
    }

    /// <summary>Renews the sliding expiry of a key's value, if it has one.</summary>
    internal static CacheStatus Refresh(Attachment* heap, CacheTable* table, in CacheKey key, ulong now)
    {
        CacheStatus status = Grips<TMachine>.TryTake(heap, lasting: false, out int cell);
        if (status == CacheStatus.Ok)
        {
            status = Hold(heap, table, key, now, Cells<TMachine>.AddressOf(heap, heap->Slot, cell), out _);
            Cells<TMachine>.Release(heap, cell);
        }

        return status;
    }

    /// <summary>Holds the value of a key, as long as the grip is not loosened, and renews its sliding expiry, if it has one.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="table">The cache.</param>
    /// <param name="key">The key.</param>
    /// <param name="now">A time before this call.</param>
    /// <param name="grip">The cell to hold it with.</param>
    /// <param name="facts">What is held.</param>
    /// <returns><see cref="CacheStatus.Ok"/>, <see cref="CacheStatus.Missing"/>, or <see cref="CacheStatus.Contended"/>.</returns>
    internal static CacheStatus Hold(Attachment* heap, CacheTable* table, in CacheKey key, ulong now, ulong* grip, out ItemFacts facts)
    {
        const int tries = 64;
        Probe probeOfKey;
        Probe* probe = &probeOfKey;
        Probe.Begin(probe, table, key.Hash);
        facts = default;
        CacheStatus status = CacheStatus.Contended;
        for (int tried = 0; tried < tries && status == CacheStatus.Contended; tried++)
        {
            int index = CacheSearch<TMachine>.TryHold(heap, table, probe, key, now, grip, out facts, out bool isLive);
            if (isLive)
            {
                CacheReader<TMachine>.Touch(heap, probe->Buckets, index);
            }

            status = index == CacheSearch<TMachine>.Disturbed || (isLive && !TryRenew(heap, table, ref facts, now)) ? CacheStatus.Contended
                : isLive ? CacheStatus.Ok
                : CacheStatus.Missing;
        }

        return status;
    }

    /// <summary>Renews the expiry of an item that the caller holds, if it slides and that moves it by more than an eighth of its window.</summary>
    /// <remarks>Takes effect at the compare-and-swap of the deadline, of an item that was linked after it was held.</remarks>
    /// <returns>False if another one changed it at the same time.</returns>
    private static bool TryRenew(Attachment* heap, CacheTable* table, ref ItemFacts facts, ulong now)
    {
        if (!facts.Shape.Is(ItemShape.Sliding))
        {
            return true;
        }

        CacheReader<TMachine>.ReadHeld(heap, table, null, 0, ref facts);
        ulong* deadline = &ItemAccess<TMachine>.At(heap, facts.Unit)->Deadline;
        return ItemAccess<TMachine>.IsExpired(facts.Deadline, now)
            || !facts.IsRenewalDue(now)
            || TMachine.CompareExchange(deadline, facts.RenewedDeadline(now), facts.Deadline) == facts.Deadline;
    }

    /// <summary>Makes everything that has a tag of a slot invisible.</summary>
    internal static void RemoveTag(CacheTable* table, ulong slot) => CountUp(table->Tags + (slot & table->TagMask));

    /// <summary>Makes everything invisible, in a cache whose items have the tag that stands for all.</summary>
    internal static void RemoveAll(CacheTable* table) => CountUp(&table->Layout->Generation);

    /// <summary>A tag as an item keeps it: its slot, and the generation that counts now.</summary>
    internal static ulong TagOf(CacheTable* table, ulong hash)
    {
        ulong slot = hash & table->TagMask;
        return (slot << 32) | (uint)TMachine.Read(table->Tags + slot);
    }

    /// <summary>The tag that stands for all, as an item keeps it; never 0.</summary>
    internal static ulong TagOfAll(CacheTable* table) => ((ulong)TableLayout.SlotOfAll << 32) | (uint)TMachine.Read(&table->Layout->Generation);

    /// <remarks>Takes effect at the compare-and-swap of the generation, for all processes at once. Death before it: nothing happened; after it: all of it
    /// has.</remarks>
    private static void CountUp(ulong* generation)
    {
        // Repeats only when somebody else removed something.
        while (true)
        {
            ulong was = TMachine.Read(generation);
            if (TMachine.CompareExchange(generation, was + 1, was) == was)
            {
                return;
            }
        }
    }
}
