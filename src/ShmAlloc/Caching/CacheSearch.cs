using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>Finds the entries of a key for whoever is going to change one: holds what it looks at, so that nothing is torn.</summary>
internal static unsafe class CacheSearch<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Somebody changed an entry meanwhile.</summary>
    internal const int Disturbed = -2;

    /// <summary>Finds the entry that leads to the confirmed item of a key, and holds that.</summary>
    /// <returns>The entry; <see cref="Probe.None"/> if all entries were the same throughout and none matches; or <see cref="Disturbed"/>.</returns>
    internal static int TryHold(Attachment* heap, Probe* probe, in CacheKey key, ulong* grip, out ItemFacts facts)
    {
        facts = default;
        uint tag = EntryWord.TagOf(key.Hash);
        Probe.ReadAll<TMachine>(probe);
        for (int index = 0; index < Probe.Entries; index++)
        {
            EntryWord seen = probe->Seen(index);
            if (seen.IsEmpty || seen.Tag != tag || !ItemAccess<TMachine>.IsInside(heap, seen.Unit))
            {
                continue;
            }

            if (!Grips<TMachine>.TryHold(grip, probe->AddressOf(index), seen))
            {
                Grips<TMachine>.Loosen(grip);
                return Disturbed;
            }

            if (IsMatch(heap, seen.Unit, key, out facts.Stamp, out facts.Shape)
                && !ItemAccess<TMachine>.IsUnconfirmed(ItemAccess<TMachine>.Deadline(ItemAccess<TMachine>.At(heap, seen.Unit))))
            {
                facts.Unit = seen.Unit;
                facts.Index = index;

                // What comes before it decides whether it is the value of the key.
                if (Probe.IsUnchanged<TMachine>(probe, index + 1))
                {
                    return index;
                }

                Grips<TMachine>.Loosen(grip);
                return Disturbed;
            }
        }

        Grips<TMachine>.Loosen(grip);
        return Probe.IsUnchanged<TMachine>(probe, Probe.Entries) ? Probe.None : Disturbed;
    }

    /// <summary>Whether the item of a unit, which the caller holds, has a key.</summary>
    internal static bool IsMatch(Attachment* heap, ulong unit, in CacheKey key, out ulong stamp, out ItemShape shape)
    {
        ItemHeader* item = ItemAccess<TMachine>.At(heap, unit);
        stamp = ItemAccess<TMachine>.Stamp(item);
        shape = ItemAccess<TMachine>.Shape(item);
        return ItemAccess<TMachine>.Hash(item) == key.Hash
            && ItemAccess<TMachine>.Fits(heap, unit, shape.TotalBytes)
            && ItemAccess<TMachine>.HasKey(item, shape, key);
    }

    /// <summary>Finds the entry that leads to a unit.</summary>
    internal static int FindUnit(Probe* probe, ulong unit)
    {
        for (int index = 0; index < Probe.Entries; index++)
        {
            EntryWord seen = Probe.Read<TMachine>(probe, index);
            if (!seen.IsEmpty && seen.Unit == unit)
            {
                return index;
            }
        }

        return Probe.None;
    }
}
