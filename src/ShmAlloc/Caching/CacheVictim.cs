using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>Drops items: one of those in whose buckets another key has no entry, or what the hand comes upon.</summary>
internal static unsafe class CacheVictim<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Empties one of the entries of a key, all of which are taken: of those that are used least, any.</summary>
    /// <returns>False if all of them are pinned.</returns>
    internal static bool TryMakeEntry(Attachment* heap, CacheTable* table, Probe* probe, ulong random, Moment now, ulong* grip)
    {
        Errand errandForEntry;
        Errand* errand = &errandForEntry;
        Errand.BeginForRoom(errand, now, Errand.Everything);
        errand->Reason = CacheCounter.EvictionsForEntry;
        Probation<TMachine>.Begin(heap, &errand->Evictions);
        bool isEmpty = false;
        for (int turn = 0; turn < (HintWord.Uses + 1) * BucketPair.Entries && !isEmpty; turn++)
        {
            // In the last round what somebody is working on goes as well.
            int use = turn / BucketPair.Entries;
            errand->TakesWork = use == HintWord.Uses;
            int index = BucketPair.IndexOf((int)((random + (uint)turn) % BucketPair.Entries));
            EntryWord seen = Probe.Read<TMachine>(probe, index);
            isEmpty = seen.IsEmpty
                || ((errand->TakesWork || EntryHints<TMachine>.Read(probe, index) == use) && TryDrop(heap, table, probe, index, seen, errand, grip));
        }

        Probation<TMachine>.End(heap, &errand->Evictions);
        return isEmpty;
    }

    /// <summary>Finds the entry that leads to an allocation, which may be anybody's.</summary>
    internal static bool TryFind(Attachment* heap, ulong unit, Probe* probe, out CacheTable* table, out int index)
    {
        index = Probe.None;
        table = null;
        if (!ItemAccess<TMachine>.IsInside(heap, unit))
        {
            return false;
        }

        ItemHeader* item = ItemAccess<TMachine>.At(heap, unit);
        ItemShape shape = ItemAccess<TMachine>.Shape(item);
        table = shape.IsKnown && !shape.Is(ItemShape.Table) ? Directory<TMachine>.Find(heap, shape.Cache) : null;
        if (table == null)
        {
            return false;
        }

        Probe.Begin(probe, table, ItemAccess<TMachine>.Hash(item));
        index = CacheSearch<TMachine>.FindUnit(probe, unit);
        return index != Probe.None;
    }

    /// <summary>
    /// Whether what lies there cannot go by the look of it: its header says that it is pinned, has no tag, and has not expired. What has no
    /// entry may look so by chance: whoever wants to know that it is an item looks for its entry.
    /// </summary>
    internal static bool LooksKept(Attachment* heap, ulong unit, Moment now)
    {
        if (!ItemAccess<TMachine>.IsInside(heap, unit))
        {
            return false;
        }

        ItemHeader* item = ItemAccess<TMachine>.At(heap, unit);
        ItemShape shape = ItemAccess<TMachine>.Shape(item);
        return shape.IsKnown
            && shape.Is(ItemShape.Pinned)
            && shape.Tags == 0
            && !now.IsPast(ItemAccess<TMachine>.Deadline(item), shape);
    }

    /// <summary>Whether an item may go: it is confirmed, not pinned unless it is of no use any more, and nobody works on the next value.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="table">Its cache.</param>
    /// <param name="unit">Where it lies; the caller has found its header inside the heap.</param>
    /// <param name="now">What has expired by then is of no use, and what is spared stays.</param>
    /// <param name="takesWork">Whether it goes although somebody works on the next value.</param>
    /// <param name="isExpired">Whether it is of no use: a placeholder, or it has expired, or one of its tags was removed.</param>
    internal static bool MayDrop(Attachment* heap, CacheTable* table, ulong unit, Moment now, bool takesWork, out bool isExpired)
    {
        ItemHeader* item = ItemAccess<TMachine>.At(heap, unit);
        ItemShape shape = ItemAccess<TMachine>.Shape(item);
        ulong deadline = ItemAccess<TMachine>.Deadline(item);
        isExpired = shape.Is(ItemShape.Placeholder)
            || now.IsPast(deadline, shape)
            || (ItemAccess<TMachine>.Fits(heap, unit, shape.ValueBegins) && ItemAccess<TMachine>.IsTagRemoved(table, item, shape));
        return !now.Spares(unit)
            && !ItemAccess<TMachine>.IsUnconfirmed(deadline)
            && (isExpired || !shape.Is(ItemShape.Pinned))
            && (takesWork || !Flight<TMachine>.IsInWork(heap, unit, shape));
    }

    /// <summary>Unlinks an item, unless it is pinned and still of use, or not confirmed yet.</summary>
    /// <remarks>Takes effect as any unlinking does. The item of another key is named by the grip, too, before its entry changes.</remarks>
    internal static bool TryDrop(Attachment* heap, CacheTable* table, Probe* probe, int index, EntryWord seen, Errand* errand, ulong* grip)
    {
        if (!ItemAccess<TMachine>.IsInside(heap, seen.Unit) || !Grips<TMachine>.TryHold(grip, probe->AddressOf(index), seen))
        {
            Grips<TMachine>.Loosen(grip);
            return false;
        }

        if (!MayDrop(heap, table, seen.Unit, errand->Now, errand->TakesWork, out bool isExpired))
        {
            Grips<TMachine>.Loosen(grip);
            return false;
        }

        ItemHeader* item = ItemAccess<TMachine>.At(heap, seen.Unit);
        ItemShape shape = ItemAccess<TMachine>.Shape(item);
        ulong hash = ItemAccess<TMachine>.Hash(item);
        int use = EntryHints<TMachine>.Read(probe, index);
        bool isDropped = Unlink<TMachine>.TryUnlink(heap, table, probe, index, seen, seen.Emptied, grip);
        long bytes = isDropped ? CacheCounts<TMachine>.BytesOf(heap, shape) : 0;
        errand->Freed += bytes;
        if (isDropped && !shape.Is(ItemShape.Placeholder))
        {
            CacheCounts<TMachine>.Add(heap, table, isExpired ? CacheCounter.Expirations : errand->Reason, 1);
            if (!isExpired)
            {
                int kind = (int)(use == HintWord.New ? GhostKind.New : GhostKind.Used);
                errand->Evictions.Bytes[kind] += (ulong)bytes;

                // In the buckets of its own key, not of the one that wants its entry.
                Probe probeOfVictim;
                Probe* own = &probeOfVictim;
                Probe.Begin(own, table, hash);
                EntryHints<TMachine>.Remember(own, EntryWord.TagOf(hash), (GhostKind)kind, errand->Evictions.When[kind]);
            }
        }

        Grips<TMachine>.Loosen(grip);
        return isDropped;
    }
}
