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

    /// <summary>If the value has a certain stamp.</summary>
    Replace,

    /// <summary>If the value has a certain stamp, and the deadline that the new item took over from it.</summary>
    ReplaceKeeping,

    /// <summary>If what the key has, be it a value or not, has a certain stamp; 0: if the key has nothing.</summary>
    Complete,
}

/// <summary>How an item becomes the value of its key, or a key loses its value: each by one compare-and-swap.</summary>
internal static unsafe class CacheWriter<TMachine>
    where TMachine : struct, IMachine
{
    private const int MaxTries = 64;

    /// <summary>So many times somebody else's tentative item in an earlier entry goes first.</summary>
    private const int PoliteTries = 3;

    /// <summary>Links a published item, which its cell names LINKING.</summary>
    /// <remarks>
    /// Takes effect at one compare-and-swap: of the entry that leads to the value of the key, or, if there is none, of the item's own deadline, which confirms
    /// it: see <see cref="Contest{TMachine}"/>. Death before that: recovery takes the item out of the index, if it is in, and retires it. After it: it is the
    /// value of the key.
    /// </remarks>
    /// <returns>
    /// <see cref="CacheStatus.Ok"/>: it is linked, or was. Anything else: it never was to be seen, and is still the caller's, to be retired.
    /// </returns>
    internal static CacheStatus Put(
        Attachment* heap, CacheTable* table, in CacheKey key, in NewItem item, PutMode mode, ulong expected, ulong now, ulong* grip)
    {
        ItemHeader* made = ItemAccess<TMachine>.At(heap, item.Unit);
        ulong deadline = ItemAccess<TMachine>.Deadline(made);
        Probe probeOfKey;
        Probe* probe = &probeOfKey;
        Probe.Begin(probe, table, key.Hash);
        uint tag = EntryWord.TagOf(key.Hash);
        RememberBlock(heap, item);
        for (int tries = 0; tries < MaxTries; tries++)
        {
            int index = CacheSearch<TMachine>.TryHold(heap, table, probe, key, now, grip, out ItemFacts first, out bool isLive);
            if (index == CacheSearch<TMachine>.Disturbed)
            {
                continue;
            }

            EntryWord seen = probe->Seen(Math.Max(index, 0));
            CacheStatus verdict = Judge(first, isLive, mode, expected);
            if (mode == PutMode.ReplaceKeeping && verdict == CacheStatus.Ok && !DeadlineChange<TMachine>.IsKept(heap, first, deadline))
            {
                verdict = CacheStatus.Changed;
            }

            if (verdict != CacheStatus.Ok)
            {
                Grips<TMachine>.Loosen(grip);
                return verdict;
            }

            if (index >= 0)
            {
                if (Unlink<TMachine>.TryUnlink(heap, table, probe, index, seen, seen.Naming(item.Unit, tag), grip))
                {
                    CountExpired(heap, table, first, isLive);
                    RememberBlock(heap, item);
                    return CacheStatus.Ok;
                }

                continue;
            }

            index = EmptyEntry(probe);
            if (index == Probe.None)
            {
                if (!CacheVictim<TMachine>.TryMakeEntry(heap, table, probe, item.Stamp, new Moment(now, item.Shape), grip))
                {
                    return CacheStatus.NoRoom;
                }

                continue;
            }

            seen = probe->Seen(index);
            EntryWord mine = seen.Naming(item.Unit, tag);
            TMachine.Write(&made->Deadline, ItemHeader.Tentative);
            if (TMachine.CompareExchange(probe->AddressOf(index), mine.Bits, seen.Bits) == seen.Bits)
            {
                EntryHints<TMachine>.Admit(heap, probe, index, tag, item.Shape.TotalBytes);
                if (Contest<TMachine>.TryConfirm(heap, probe, key, index, made, deadline, insists: tries >= PoliteTries, grip))
                {
                    RememberBlock(heap, item);
                    CacheCounts<TMachine>.AddItems(heap, table, 1, CacheCounts<TMachine>.BytesOf(heap, item.Shape));
                    return CacheStatus.Ok;
                }

                Contest<TMachine>.TakeOut(probe->AddressOf(index), mine, made, deadline);
            }
            else
            {
                TMachine.Write(&made->Deadline, deadline);
            }
        }

        return CacheStatus.Contended;
    }

    /// <summary>Makes a key have no value; if <paramref name="expected"/> is not 0, only if its value has this stamp.</summary>
    /// <returns><see cref="CacheStatus.Ok"/> if it had one, <see cref="CacheStatus.Missing"/>, or <see cref="CacheStatus.Contended"/>.</returns>
    internal static CacheStatus Remove(Attachment* heap, CacheTable* table, in CacheKey key, ulong expected, ulong now, ulong* grip)
    {
        Probe probeOfKey;
        Probe* probe = &probeOfKey;
        Probe.Begin(probe, table, key.Hash);
        for (int tries = 0; tries < MaxTries; tries++)
        {
            int index = CacheSearch<TMachine>.TryHold(heap, table, probe, key, now, grip, out ItemFacts first, out bool isLive);
            if (index == CacheSearch<TMachine>.Disturbed)
            {
                continue;
            }

            if (index == Probe.None || (expected != 0 && first.Stamp != expected))
            {
                Grips<TMachine>.Loosen(grip);
                return CacheStatus.Missing;
            }

            EntryWord seen = probe->Seen(index);
            if (Unlink<TMachine>.TryUnlink(heap, table, probe, index, seen, seen.Emptied, grip))
            {
                CountExpired(heap, table, first, isLive);
                return isLive ? CacheStatus.Ok : CacheStatus.Missing;
            }
        }

        return CacheStatus.Contended;
    }

    private static void CountExpired(Attachment* heap, CacheTable* table, in ItemFacts first, bool isLive)
    {
        if (!isLive)
        {
            CacheCounts<TMachine>.AddExpired(heap, table, first.Shape);
        }
    }

    /// <summary>Once more after the item was linked: who looked at its block before that may have forgotten it.</summary>
    private static void RememberBlock(Attachment* heap, in NewItem item) =>
        Hints<TMachine>.Set(heap, Hints<TMachine>.CachePlane, heap->BlockOf(item.Unit));

    /// <summary>Whether what is there allows it. If nothing is, the facts are those of no item: its stamp is 0.</summary>
    private static CacheStatus Judge(in ItemFacts first, bool isLive, PutMode mode, ulong expected)
    {
        CacheStatus ifExpected = first.Stamp == expected ? CacheStatus.Ok : CacheStatus.Changed;
        return mode switch
        {
            PutMode.Set => CacheStatus.Ok,
            PutMode.Complete => ifExpected,
            PutMode.Replace or PutMode.ReplaceKeeping => isLive ? ifExpected : CacheStatus.Missing,
            _ when isLive => CacheStatus.Exists,
            _ => CacheStatus.Ok,
        };
    }

    /// <summary>An empty entry of the bucket that has more of them.</summary>
    private static int EmptyEntry(Probe* probe)
    {
        int first = Probe.None;
        int second = Probe.None;
        int balance = 0;
        for (int number = BucketPair.Entries - 1; number >= 0; number--)
        {
            int index = BucketPair.IndexOf(number);
            bool isFirst = number < TableLayout.EntriesOfBucket;
            if (probe->Seen(index).IsEmpty)
            {
                first = isFirst ? index : first;
                second = isFirst ? second : index;
                balance += isFirst ? 1 : -1;
            }
        }

        return second == Probe.None || (first != Probe.None && balance >= 0) ? first : second;
    }
}
