using ShmAlloc.Allocation;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>On which condition an item becomes the value of its key.</summary>
internal enum PutMode
{
    /// <summary>Whatever there is.</summary>
    Set,

    /// <summary>If there is no value.</summary>
    Add,

    /// <summary>If there is no value, and nobody works one out.</summary>
    Announce,

    /// <summary>If the value has a certain stamp.</summary>
    Replace,

    /// <summary>If the first entry still leads to a certain placeholder.</summary>
    Complete,
}

/// <summary>How an item becomes the value of its key, or a key loses its value: each by one compare-and-swap on one entry.</summary>
internal static unsafe class CacheWriter<TMachine>
    where TMachine : struct, IMachine
{
    private const int MaxTries = 64;

    /// <summary>Links a published item, which its cell names LINKING.</summary>
    /// <remarks>
    /// Takes effect at the compare-and-swap of an entry: of the first that matches, or of an empty one. Two who find none may both link; so whoever
    /// linked looks again. Who sets and finds an earlier entry takes its own out: it was set just before that one, and overwritten by it. Later ones are
    /// unlinked. Who adds must not have been seen if it gives way: its item is TENTATIVE, which no reader takes for a value, and takes effect when it is
    /// confirmed; an earlier entry, or a later one that is confirmed, makes it give way.
    /// An item that was linked once is never linked again: whoever was about to unlink it may have died, and recovery retires what it finds unlinked.
    /// Death before the swap: recovery finds the item unlinked, and retires it. After it: it is the value of the key; recovery looks again in its stead.
    /// </remarks>
    /// <returns>
    /// <see cref="CacheStatus.Ok"/>: it is linked, or was. Anything else: it never was to be seen, and is still the caller's, to be retired.
    /// </returns>
    internal static CacheStatus Put(
        Attachment* heap, CacheTable* table, in CacheKey key, in NewItem item, PutMode mode, ulong expected, ulong now, ulong* grip)
    {
        bool isTentative = mode is PutMode.Add or PutMode.Announce;
        ItemHeader* made = ItemAccess<TMachine>.At(heap, item.Unit);
        ulong deadline = ItemAccess<TMachine>.Deadline(made);
        Probe probeOfKey;
        Probe* probe = &probeOfKey;
        Probe.Begin(probe, table, key.Hash);
        uint tag = EntryWord.TagOf(key.Hash);
        Hints<TMachine>.Set(heap, Hints<TMachine>.CachePlane, heap->BlockOf(item.Unit));
        for (int tries = 0; tries < MaxTries; tries++)
        {
            int index = CacheSearch<TMachine>.TryHold(heap, probe, key, grip, out ItemFacts first);
            if (index == CacheSearch<TMachine>.Disturbed)
            {
                continue;
            }

            CacheStatus verdict = Judge(heap, table, index, first, mode, expected, now);
            if (verdict != CacheStatus.Ok)
            {
                Grips<TMachine>.Loosen(grip);
                return verdict;
            }

            if (index >= 0)
            {
                // What is not confirmed does not count, and is not replaced: it goes, and this is done as if there had been nothing.
                EntryWord there = probe->Seen(index);
                bool replaces = !IsTentative(heap, first);
                EntryWord next = replaces ? there.Naming(item.Unit, tag) : there.Emptied;
                if (Unlink<TMachine>.TryUnlinkFirst(heap, table, probe, key.Hash, first, next, grip) && replaces)
                {
                    CacheCounts<TMachine>.AddItem(heap, table, item.Shape, 1);
                    return Linked(heap, item);
                }

                Grips<TMachine>.Loosen(grip);
                continue;
            }

            index = EmptyEntry(probe);
            if (index == Probe.None)
            {
                if (!CacheVictim<TMachine>.TryMakeEntry(heap, table, probe, item.Stamp, now, grip))
                {
                    return CacheStatus.NoRoom;
                }

                continue;
            }

            EntryWord seen = probe->Seen(index);
            EntryWord mine = seen.Naming(item.Unit, tag);
            TMachine.Write(&made->Deadline, isTentative ? ItemHeader.Tentative : deadline);
            if (TMachine.CompareExchange(probe->AddressOf(index), mine.Bits, seen.Bits) != seen.Bits)
            {
                continue;
            }

            CacheCounts<TMachine>.AddItem(heap, table, item.Shape, 1);
            ClearHint(probe, index);
            Standing standing = LookAgain(heap, table, probe, key, index, mine, isTentative, grip);
            if (standing == Standing.First && isTentative)
            {
                standing = Confirm(made, deadline, probe->AddressOf(index), mine);
            }

            if (standing == Standing.TakenOut)
            {
                CacheCounts<TMachine>.AddItem(heap, table, item.Shape, -1);
                Hold<TMachine>.Retire(heap, heap->OffsetOf(item.Unit));
            }

            return standing == Standing.First ? Linked(heap, item) : isTentative ? CacheStatus.Contended : CacheStatus.Ok;
        }

        return CacheStatus.Contended;
    }

    /// <summary>Makes a key have no value.</summary>
    /// <returns><see cref="CacheStatus.Ok"/> if it had one, <see cref="CacheStatus.Missing"/>, or <see cref="CacheStatus.Contended"/>.</returns>
    internal static CacheStatus Remove(Attachment* heap, CacheTable* table, in CacheKey key, ulong now, ulong* grip)
    {
        Probe probeOfKey;
        Probe* probe = &probeOfKey;
        Probe.Begin(probe, table, key.Hash);
        for (int tries = 0; tries < MaxTries; tries++)
        {
            int index = CacheSearch<TMachine>.TryHold(heap, probe, key, grip, out ItemFacts first);
            if (index == Probe.None)
            {
                return CacheStatus.Missing;
            }

            if (index < 0)
            {
                continue;
            }

            bool isLive = ItemAccess<TMachine>.IsLive(table, ItemAccess<TMachine>.At(heap, first.Unit), first.Shape, now);
            if (Unlink<TMachine>.TryUnlinkFirst(heap, table, probe, key.Hash, first, probe->Seen(index).Emptied, grip))
            {
                return isLive ? CacheStatus.Ok : CacheStatus.Missing;
            }

            Grips<TMachine>.Loosen(grip);
        }

        return CacheStatus.Contended;
    }

    /// <summary>What became of an entry that was linked beside others.</summary>
    internal enum Standing
    {
        /// <summary>It is the first of its key.</summary>
        First,

        /// <summary>There was an earlier one; ours was taken out again.</summary>
        TakenOut,

        /// <summary>Somebody else took it out, or replaced it.</summary>
        Replaced,
    }

    /// <summary>After an entry was linked: makes the key have one entry. The item is named LINKING by a cell of whoever linked it.</summary>
    internal static Standing LookAgain(
        Attachment* heap, CacheTable* table, Probe* probe, in CacheKey key, int index, EntryWord mine, bool isTentative, ulong* grip)
    {
        int tries = 0;
        for (int earlier = 0; earlier < index;)
        {
            EntryWord seen = Probe.Read<TMachine>(probe, earlier);
            if (seen.IsEmpty || seen.Tag != EntryWord.TagOf(key.Hash) || !ItemAccess<TMachine>.IsInside(heap, seen.Unit))
            {
                earlier++;
                tries = 0;
                continue;
            }

            bool isLost = ++tries > MaxTries;
            if (!isLost && !Grips<TMachine>.TryHold(grip, probe->AddressOf(earlier), seen))
            {
                continue;
            }

            if (isLost || (CacheSearch<TMachine>.IsMatch(heap, seen.Unit, key, out _, out _) && GivesWay(heap, seen.Unit, isTentative)))
            {
                Grips<TMachine>.Loosen(grip);
                return TakeOut(probe->AddressOf(index), mine);
            }

            earlier++;
            tries = 0;
        }

        bool isAlone = Unlink<TMachine>.UnlinkLater(heap, table, probe, key.Hash, index, grip, sparesConfirmed: isTentative);
        return isAlone || !isTentative ? Standing.First : TakeOut(probe->AddressOf(index), mine);
    }

    /// <summary>Whether an earlier item counts: one that is not confirmed does for who adds, but not for who sets, once it is revoked.</summary>
    private static bool GivesWay(Attachment* heap, ulong unit, bool isTentative)
    {
        ItemHeader* item = ItemAccess<TMachine>.At(heap, unit);
        ulong deadline = ItemAccess<TMachine>.Deadline(item);
        return deadline != ItemHeader.Revoked
            && (isTentative || deadline != ItemHeader.Tentative || !Unlink<TMachine>.TryRevoke(item));
    }

    private static Standing TakeOut(ulong* entry, EntryWord mine) =>
        TMachine.CompareExchange(entry, mine.Emptied.Bits, mine.Bits) == mine.Bits ? Standing.TakenOut : Standing.Replaced;

    /// <summary>TENTATIVE → the real deadline: from here on it is the value of its key. Nobody unlinks it without having revoked it before.</summary>
    private static Standing Confirm(ItemHeader* made, ulong deadline, ulong* entry, EntryWord mine) =>
        TMachine.CompareExchange(&made->Deadline, deadline, ItemHeader.Tentative) == ItemHeader.Tentative ? Standing.First : TakeOut(entry, mine);

    private static CacheStatus Linked(Attachment* heap, in NewItem item)
    {
        // Who looked at the block while the item was not linked may have forgotten it.
        Hints<TMachine>.Set(heap, Hints<TMachine>.CachePlane, heap->BlockOf(item.Unit));
        return CacheStatus.Ok;
    }

    /// <summary>Whether what is there allows it.</summary>
    private static CacheStatus Judge(
        Attachment* heap, CacheTable* table, int index, in ItemFacts first, PutMode mode, ulong expected, ulong now)
    {
        if (mode == PutMode.Set)
        {
            return CacheStatus.Ok;
        }

        if (mode == PutMode.Complete)
        {
            return index >= 0 && first.Stamp == expected ? CacheStatus.Ok : CacheStatus.Changed;
        }

        bool isLive = index >= 0 && ItemAccess<TMachine>.IsLive(table, ItemAccess<TMachine>.At(heap, first.Unit), first.Shape, now);
        return mode switch
        {
            PutMode.Replace => !isLive ? CacheStatus.Missing : first.Stamp == expected ? CacheStatus.Ok : CacheStatus.Changed,
            PutMode.Announce when index >= 0 && first.Shape.Is(ItemShape.Placeholder) && !IsTentative(heap, first) => CacheStatus.Computing,
            _ => isLive ? CacheStatus.Exists : CacheStatus.Ok,
        };
    }

    private static bool IsTentative(Attachment* heap, in ItemFacts facts) =>
        ItemAccess<TMachine>.IsTentative(ItemAccess<TMachine>.At(heap, facts.Unit));

    /// <summary>An empty entry of the bucket that has more of them.</summary>
    private static int EmptyEntry(Probe* probe)
    {
        int first = Probe.None;
        int second = Probe.None;
        int balance = 0;
        for (int index = Probe.Entries - 1; index >= 0; index--)
        {
            bool isFirst = index < TableLayout.EntriesOfBucket;
            if (probe->Seen(index).IsEmpty)
            {
                first = isFirst ? index : first;
                second = isFirst ? second : index;
                balance += isFirst ? 1 : -1;
            }
        }

        return second == Probe.None || (first != Probe.None && balance >= 0) ? first : second;
    }

    private static void ClearHint(Probe* probe, int index)
    {
        ulong* hints = probe->HintsOf(index, out ulong visited);
        if ((TMachine.Read(hints) & visited) != 0)
        {
            TMachine.And(hints, ~visited);
        }
    }
}
