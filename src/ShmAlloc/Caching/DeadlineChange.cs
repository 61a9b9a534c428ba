using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>Gives a value another deadline, without rewriting it.</summary>
/// <remarks>
/// The caller holds the item, so its memory is not reused; it is confirmed, which is never undone; and it had not expired by a time before the call. Takes
/// effect at the compare-and-swap of the deadline. Readers judge by the deadline that they read: a get takes effect no later than that look. Whoever replaces
/// the item comes after the change, and the new item has a deadline of its own.
/// <para>
/// But not a number that keeps its expiry when it is added to (<see cref="PutMode.ReplaceKeeping"/>): its new item has the deadline that was read. So of a
/// value of 8 bytes the entry is changed as well, to the same item and the next version, after the deadline. One race: A reads a number and its deadline; B
/// changes the deadline; A replaces the item. Either A, which looks at the deadline after it has read the entry, sees the change, and begins anew. Or B's
/// deadline came after that look, and of the two compare-and-swaps on the entry, from the same bits, one fails: A's, and A begins anew; or B's, and B changes
/// the deadline of A's item.
/// </para>
/// Death before the deadline was changed: nothing has happened. After it: the value has the new deadline; a number that is replaced at that moment may keep the
/// one before, which nobody was promised otherwise.
/// </remarks>
internal static unsafe class DeadlineChange<TMachine>
    where TMachine : struct, IMachine
{
    private const int MaxTries = 64;

    /// <summary>Gives the value of a key the deadline that the options say.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="table">The cache.</param>
    /// <param name="key">The key.</param>
    /// <param name="options">The deadline; of an item that slides 0 means that it is renewed. A window must be that of the item.</param>
    /// <param name="now">A time before this call.</param>
    /// <returns>
    /// <see cref="CacheStatus.Ok"/>, <see cref="CacheStatus.Missing"/>, <see cref="CacheStatus.WrongKind"/> if the item has not this window,
    /// <see cref="CacheStatus.Contended"/>, or why there is no cell.
    /// </returns>
    internal static CacheStatus Make(Attachment* heap, CacheTable* table, in CacheKey key, in ItemOptions options, ulong now)
    {
        CacheStatus status = Grips<TMachine>.TryTake(heap, lasting: false, out int cell);
        if (status == CacheStatus.Ok)
        {
            status = Make(heap, table, key, options, now, Cells<TMachine>.AddressOf(heap, heap->Slot, cell));
            Cells<TMachine>.Release(heap, cell);
        }

        return status;
    }

    /// <summary>
    /// Whether the deadline of an item that is held is the one that a new item took over; of one that slides, which is renewed by use, or an earlier one.
    /// </summary>
    internal static bool IsKept(Attachment* heap, in ItemFacts held, ulong deadline)
    {
        ulong found = ItemAccess<TMachine>.Deadline(ItemAccess<TMachine>.At(heap, held.Unit));
        return found == deadline || (held.Shape.Is(ItemShape.Sliding) && found < deadline);
    }

    private static CacheStatus Make(Attachment* heap, CacheTable* table, in CacheKey key, in ItemOptions options, ulong now, ulong* grip)
    {
        Probe probeOfKey;
        Probe* probe = &probeOfKey;
        Probe.Begin(probe, table, key.Hash);
        for (int tries = 0; tries < MaxTries; tries++)
        {
            int index = CacheSearch<TMachine>.TryHold(heap, table, probe, key, now, grip, out ItemFacts facts, out bool isLive);
            if (index == CacheSearch<TMachine>.Disturbed)
            {
                continue;
            }

            if (!isLive)
            {
                return CacheStatus.Missing;
            }

            CacheReader<TMachine>.ReadHeld(heap, table, null, 0, ref facts);
            if (options.Window != 0 && options.Window != facts.Window)
            {
                return CacheStatus.WrongKind;
            }

            if (!ItemAccess<TMachine>.IsExpired(facts.Deadline, now) && TryChange(heap, probe, index, facts, DeadlineOf(options, facts, now)))
            {
                CacheReader<TMachine>.Touch(heap, probe->Buckets, index);
                return CacheStatus.Ok;
            }
        }

        return CacheStatus.Contended;
    }

    /// <summary>Changes the deadline; and the version of the entry, if somebody may be about to take the deadline over.</summary>
    private static bool TryChange(Attachment* heap, Probe* probe, int index, in ItemFacts facts, ulong deadline)
    {
        ItemHeader* item = ItemAccess<TMachine>.At(heap, facts.Unit);
        if (TMachine.CompareExchange(&item->Deadline, deadline, facts.Deadline) != facts.Deadline)
        {
            return false;
        }

        if (facts.Shape.Is(ItemShape.Worked))
        {
            MakeDueWhenExpired(item, facts);
        }

        EntryWord seen = probe->Seen(index);
        return facts.Shape.ValueBytes != sizeof(long)
            || TMachine.CompareExchange(probe->AddressOf(index), seen.Naming(seen.Unit, seen.Tag).Bits, seen.Bits) == seen.Bits;
    }

    /// <summary>What was to be worked out ahead is due when it expires: its refresh time belonged to the life that it had.</summary>
    /// <remarks>
    /// Takes effect at the compare-and-swap. All who touch the value write the same word, which says nothing of a deadline, so their order does not matter. If
    /// this process dies before it, or somebody works on the next value, the value is due at its refresh time, as it was. How long the value is stale does not
    /// change: see <see cref="ItemFacts.StaleUntil"/>.
    /// </remarks>
    private static void MakeDueWhenExpired(ItemHeader* item, in ItemFacts facts)
    {
        WorkWord work = new(facts.Work);
        if (work.IsTime && work.Bits != WorkWord.WhenExpired.Bits)
        {
            TMachine.CompareExchange(ItemAccess<TMachine>.WorkOf(item, facts.Shape), WorkWord.WhenExpired.Bits, facts.Work);
        }
    }

    private static ulong DeadlineOf(in ItemOptions options, in ItemFacts facts, ulong now) =>
        !facts.Shape.Is(ItemShape.Sliding) ? options.Deadline
        : options.Deadline == 0 ? facts.RenewedDeadline(now)
        : facts.LastDeadline == 0 ? options.Deadline
        : Math.Min(options.Deadline, facts.LastDeadline);
}
