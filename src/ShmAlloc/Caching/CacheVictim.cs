using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>Drops items: one of those in whose buckets another key has no entry, or what the hand comes upon.</summary>
internal static unsafe class CacheVictim<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Empties one of the entries of a key, all of which are taken: one that was not used lately, if there is one.</summary>
    /// <returns>False if all of them are pinned.</returns>
    internal static bool TryMakeEntry(Attachment* heap, CacheTable* table, Probe* probe, ulong random, ulong now, ulong* grip)
    {
        for (int round = 0; round < 2; round++)
        {
            for (int step = 0; step < Probe.Entries; step++)
            {
                int index = (int)((random + (uint)step) % Probe.Entries);
                ulong* hints = probe->HintsOf(index, out ulong visited);
                if (round == 0 && (TMachine.Read(hints) & visited) != 0)
                {
                    TMachine.And(hints, ~visited);
                    continue;
                }

                EntryWord seen = Probe.Read<TMachine>(probe, index);
                if (seen.IsEmpty || TryDrop(heap, table, probe, index, seen, CacheCounter.EvictionsForEntry, now, grip))
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>Unlinks an item, unless it is pinned and still of use, or not confirmed yet.</summary>
    /// <remarks>Takes effect as any unlinking does. The item of another key is named by the grip, too, before its entry changes.</remarks>
    internal static bool TryDrop(
        Attachment* heap, CacheTable* table, Probe* probe, int index, EntryWord seen, CacheCounter reason, ulong now, ulong* grip)
    {
        if (!ItemAccess<TMachine>.IsInside(heap, seen.Unit) || !Grips<TMachine>.TryHold(grip, probe->AddressOf(index), seen))
        {
            Grips<TMachine>.Loosen(grip);
            return false;
        }

        ItemHeader* item = ItemAccess<TMachine>.At(heap, seen.Unit);
        ItemShape shape = ItemAccess<TMachine>.Shape(item);
        ulong deadline = ItemAccess<TMachine>.Deadline(item);
        bool isExpired = ItemAccess<TMachine>.IsExpired(deadline, now)
            || (ItemAccess<TMachine>.Fits(heap, seen.Unit, shape.ValueBegins) && ItemAccess<TMachine>.IsTagRemoved(table, item, shape));
        if (ItemAccess<TMachine>.IsUnconfirmed(deadline) || (!isExpired && shape.Is(ItemShape.Pinned | ItemShape.Placeholder)))
        {
            Grips<TMachine>.Loosen(grip);
            return false;
        }

        bool isDropped = Unlink<TMachine>.TryUnlink(heap, table, probe, index, seen, seen.Emptied, grip);
        if (isDropped)
        {
            CacheCounts<TMachine>.Add(heap, table, isExpired ? CacheCounter.Expirations : reason, 1);
        }

        Grips<TMachine>.Loosen(grip);
        return isDropped;
    }
}
