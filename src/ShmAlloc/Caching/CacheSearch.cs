using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>Finds the entries of a key for whoever is going to change one: holds what it looks at, so that nothing is torn.</summary>
internal static unsafe class CacheSearch<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Somebody changed an entry meanwhile, or what it leads to lies where this process cannot see yet: to be tried again.</summary>
    internal const int Disturbed = -2;

    /// <summary>Fetches what a change of a key is going to look at, while something else is done: the item that it may have, in its first bucket.</summary>
    internal static void Prefetch(Attachment* heap, CacheTable* table, ulong hash)
    {
        uint tag = EntryWord.TagOf(hash);
        ulong* bucket = table->FindBuckets(hash).First;
        for (int index = 0; index < TableLayout.EntriesOfBucket; index++)
        {
            EntryWord entry = new(TMachine.Peek(bucket + index));
            if (entry.Tag == tag && !entry.IsEmpty)
            {
                TMachine.Prefetch((byte*)ItemAccess<TMachine>.At(heap, entry.Unit));
                TMachine.Prefetch((byte*)heap->BitmapOf(entry.Unit));
            }
        }
    }

    /// <summary>Finds the entry that leads to the confirmed item of a key, and holds that.</summary>
    /// <returns>The entry; <see cref="Probe.None"/> if all entries were the same throughout and none matches; or <see cref="Disturbed"/>.</returns>
    internal static int TryHold(Attachment* heap, Probe* probe, in CacheKey key, ulong* grip, out ItemFacts facts)
    {
        facts = default;
        for (uint matches = Probe.Match<TMachine>(probe, EntryWord.TagOf(key.Hash)); matches != 0;)
        {
            int index = BucketPair.Next(ref matches);
            EntryWord seen = probe->Seen(index);
            if (seen.IsEmpty || !ItemAccess<TMachine>.IsInside(heap, seen.Unit))
            {
                if (!seen.IsEmpty && !ItemAccess<TMachine>.IsOutside(heap, seen.Unit))
                {
                    Grips<TMachine>.Loosen(grip);
                    return Disturbed;
                }

                continue;
            }

            if (!Grips<TMachine>.TryHold(grip, probe->AddressOf(index), seen))
            {
                Grips<TMachine>.Loosen(grip);
                return Disturbed;
            }

            if (!IsMatch(heap, seen.Unit, key, out facts.Stamp, out facts.Shape, out bool isUnknown))
            {
                if (isUnknown)
                {
                    Grips<TMachine>.Loosen(grip);
                    return Disturbed;
                }

                continue;
            }

            if (!ItemAccess<TMachine>.IsUnconfirmed(ItemAccess<TMachine>.Deadline(ItemAccess<TMachine>.At(heap, seen.Unit))))
            {
                // An item that was taken out again, because another one was confirmed, does not say tentative any more either.
                if (!Probe.IsUnchanged<TMachine>(probe, index))
                {
                    Grips<TMachine>.Loosen(grip);
                    return Disturbed;
                }

                facts.Unit = seen.Unit;
                return index;
            }
        }

        Grips<TMachine>.Loosen(grip);
        return Probe.AreUnchanged<TMachine>(probe) ? Probe.None : Disturbed;
    }

    /// <summary>The same, and judges whether the item is a value that readers may have, by a time before this call.</summary>
    /// <remarks>
    /// An item is judged after its entry was looked at. If it is dead then, the entry is looked at once more: it may have been replaced first, and have lost
    /// its tag afterwards. What has expired by a time before the first look, had expired then.
    /// </remarks>
    internal static int TryHold(
        Attachment* heap, CacheTable* table, Probe* probe, in CacheKey key, ulong now, ulong* grip, out ItemFacts facts, out bool isLive)
    {
        int index = TryHold(heap, probe, key, grip, out facts);
        isLive = index >= 0 && ItemAccess<TMachine>.IsLive(table, ItemAccess<TMachine>.At(heap, facts.Unit), facts.Shape, now);
        if (index >= 0 && !isLive && !Probe.IsUnchanged<TMachine>(probe, index))
        {
            Grips<TMachine>.Loosen(grip);
            index = Disturbed;
        }

        if (index < 0)
        {
            facts = default;
        }

        return index;
    }

    /// <summary>Whether the item of a unit, which the caller holds, has a key; or whether it cannot be found out.</summary>
    internal static bool IsMatch(Attachment* heap, ulong unit, in CacheKey key, out ulong stamp, out ItemShape shape, out bool isUnknown)
    {
        ItemHeader* item = ItemAccess<TMachine>.At(heap, unit);
        stamp = ItemAccess<TMachine>.Stamp(item);
        shape = ItemAccess<TMachine>.Shape(item);
        isUnknown = false;
        if (ItemAccess<TMachine>.Hash(item) != key.Hash)
        {
            return false;
        }

        bool fits = ItemAccess<TMachine>.Fits(heap, unit, shape.TotalBytes);
        isUnknown = !fits && !ItemAccess<TMachine>.IsOutside(heap, unit, shape.TotalBytes);
        return fits && ItemAccess<TMachine>.HasKey(item, shape, key);
    }

    /// <summary>Finds the entry that leads to a unit.</summary>
    internal static int FindUnit(Probe* probe, ulong unit)
    {
        for (uint entries = BucketPair.All; entries != 0;)
        {
            int index = BucketPair.Next(ref entries);
            EntryWord seen = Probe.Read<TMachine>(probe, index);
            if (!seen.IsEmpty && seen.Unit == unit)
            {
                return index;
            }
        }

        return Probe.None;
    }
}
