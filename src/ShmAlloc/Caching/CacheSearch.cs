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

    /// <summary>
    /// Finds the first entry that matches a key and is confirmed, or, if there is none, the first that matches at all, and holds its item.
    /// </summary>
    /// <returns>The entry; <see cref="Probe.None"/> if all entries were the same throughout and none matches; or <see cref="Disturbed"/>.</returns>
    internal static int TryHold(Attachment* heap, Probe* probe, in CacheKey key, ulong* grip, out ItemFacts facts)
    {
        facts = default;
        Probe.ReadAll<TMachine>(probe);
        int tentative = Probe.None;
        int found = Probe.None;
        for (int index = 0; index < Probe.Entries && found == Probe.None; index++)
        {
            found = HoldMatch(heap, probe, index, key, grip, ref facts);
            if (found >= 0 && ItemAccess<TMachine>.IsTentative(ItemAccess<TMachine>.At(heap, facts.Unit)))
            {
                tentative = tentative == Probe.None ? index : tentative;
                found = Probe.None;
            }
        }

        if (found == Probe.None && tentative != Probe.None)
        {
            found = HoldMatch(heap, probe, tentative, key, grip, ref facts);
            found = found == Probe.None ? Disturbed : found;
        }

        // What comes before it decides whether it is the value of the key.
        bool isSure = found != Disturbed && Probe.IsUnchanged<TMachine>(probe, found >= 0 ? found + 1 : Probe.Entries);
        if (!isSure || found < 0)
        {
            Grips<TMachine>.Loosen(grip);
        }

        return isSure ? found : Disturbed;
    }

    /// <returns>The index, if its entry matches; none, if it does not; disturbed, if it is not what was read any more.</returns>
    private static int HoldMatch(Attachment* heap, Probe* probe, int index, in CacheKey key, ulong* grip, ref ItemFacts facts)
    {
        EntryWord seen = probe->Seen(index);
        if (seen.IsEmpty || seen.Tag != EntryWord.TagOf(key.Hash) || !ItemAccess<TMachine>.IsInside(heap, seen.Unit))
        {
            return Probe.None;
        }

        if (!Grips<TMachine>.TryHold(grip, probe->AddressOf(index), seen))
        {
            return Disturbed;
        }

        facts.Unit = seen.Unit;
        facts.Index = index;
        return IsMatch(heap, seen.Unit, key, out facts.Stamp, out facts.Shape) ? index : Probe.None;
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
