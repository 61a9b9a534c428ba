using ShmAlloc.Allocation;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>How an item leaves the index: its entry is changed, then it is retired.</summary>
/// <remarks>
/// Of several entries of one key the first is the one that counts, so the later ones go first: whoever looks in between finds the newest value, or none, and
/// never an older one that comes back.
/// </remarks>
internal static unsafe class Unlink<TMachine>
    where TMachine : struct, IMachine
{
    private const int MaxTries = 64;

    /// <summary>Changes an entry whose item the grip holds, and retires the item.</summary>
    /// <remarks>
    /// HOLD becomes UNLINKING before the entry changes. Death before the compare-and-swap: the item is linked, and recovery leaves it; after it: recovery finds
    /// that no entry leads to it, and retires it. Whoever loses the swap has nothing to retire.
    /// </remarks>
    /// <returns>False if somebody else changed the entry, or confirmed the item.</returns>
    internal static bool TryUnlink(Attachment* heap, CacheTable* table, Probe* probe, int index, EntryWord seen, EntryWord next, ulong* grip)
    {
        ItemHeader* item = ItemAccess<TMachine>.At(heap, seen.Unit);
        if (ItemAccess<TMachine>.Deadline(item) == ItemHeader.Tentative && !TryRevoke(item))
        {
            return false;
        }

        ItemShape shape = ItemAccess<TMachine>.Shape(item);
        Grips<TMachine>.Become(grip, CellKind.Unlinking, seen.Unit);
        bool isMine = TMachine.CompareExchange(probe->AddressOf(index), next.Bits, seen.Bits) == seen.Bits;
        if (isMine)
        {
            Hold<TMachine>.Retire(heap, heap->OffsetOf(seen.Unit));
            CacheCounts<TMachine>.AddItem(heap, table, shape, -1);
        }

        Grips<TMachine>.Loosen(grip);
        return isMine;
    }

    /// <summary>The same for the first entry of a key, which the grip holds since all entries were read: the later ones go before it.</summary>
    /// <remarks>One that is not confirmed is nobody's value, and does not take a later one with it that is.</remarks>
    internal static bool TryUnlinkFirst(
        Attachment* heap, CacheTable* table, Probe* probe, ulong hash, in ItemFacts first, EntryWord next, ulong* grip)
    {
        EntryWord seen = probe->Seen(first.Index);

        // Who links a later one after that look sees the first one, and takes its own out.
        if (HasLater(probe, EntryWord.TagOf(hash), first.Index))
        {
            ItemHeader* item = ItemAccess<TMachine>.At(heap, seen.Unit);
            bool isAlone = UnlinkLater(heap, table, probe, hash, first.Index, grip, sparesConfirmed: ItemAccess<TMachine>.IsTentative(item));
            if (!isAlone || !Grips<TMachine>.TryHold(grip, probe->AddressOf(first.Index), seen) || ItemAccess<TMachine>.Stamp(item) != first.Stamp)
            {
                Grips<TMachine>.Loosen(grip);
                return false;
            }
        }

        return TryUnlink(heap, table, probe, first.Index, seen, next, grip);
    }

    private static bool HasLater(Probe* probe, uint tag, int index)
    {
        for (int later = index + 1; later < Probe.Entries; later++)
        {
            if (probe->Seen(later).Tag == tag && !probe->Seen(later).IsEmpty)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>TENTATIVE → REVOKED, before the entry of a tentative item changes: so an item that could be confirmed was linked at that moment.</summary>
    internal static bool TryRevoke(ItemHeader* item) =>
        TMachine.CompareExchange(&item->Deadline, ItemHeader.Revoked, ItemHeader.Tentative) == ItemHeader.Tentative;

    /// <summary>Unlinks what has a hash in the entries after one, from the last on.</summary>
    /// <remarks>That two keys have one hash of 64 bits is possible, and costs one of them its value: it is a cache.</remarks>
    /// <returns>False if one is left: it is confirmed and was to be spared, or others were in the way all the time.</returns>
    internal static bool UnlinkLater(
        Attachment* heap, CacheTable* table, Probe* probe, ulong hash, int index, ulong* grip, bool sparesConfirmed = false)
    {
        bool isAlone = true;
        uint tag = EntryWord.TagOf(hash);
        int tries = 0;
        for (int later = Probe.Entries - 1; later > index && isAlone;)
        {
            EntryWord seen = Probe.Read<TMachine>(probe, later);
            bool isOther = seen.IsEmpty || seen.Tag != tag || !ItemAccess<TMachine>.IsInside(heap, seen.Unit);
            if (!isOther)
            {
                isAlone = tries++ < MaxTries;
                if (!Grips<TMachine>.TryHold(grip, probe->AddressOf(later), seen))
                {
                    continue;
                }

                ItemHeader* item = ItemAccess<TMachine>.At(heap, seen.Unit);
                isOther = ItemAccess<TMachine>.Hash(item) != hash;
                isAlone &= isOther || !sparesConfirmed || ItemAccess<TMachine>.IsTentative(item);
                if (!isOther && (!isAlone || !TryUnlink(heap, table, probe, later, seen, seen.Emptied, grip)))
                {
                    continue;
                }
            }

            later--;
            tries = 0;
        }

        Grips<TMachine>.Loosen(grip);
        return isAlone;
    }
}
