using System.Runtime.CompilerServices;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>What a reader learned of an item.</summary>
internal unsafe struct ItemFacts
{
    internal ulong Unit;
    internal ulong Stamp;
    internal ItemShape Shape;

    /// <summary>0: never.</summary>
    internal ulong Deadline;

    /// <summary>Of a sliding expiry: see <see cref="ItemOptions"/>.</summary>
    internal ulong Window;

    internal ulong LastDeadline;

    /// <summary>Whether a tag of it was removed.</summary>
    internal bool IsTagRemoved;

    internal ulong Checksum;

    /// <summary>Of a worked item: see <see cref="ItemOptions"/>; else 0.</summary>
    internal ulong Work;

    internal ulong StaleFor;

    /// <summary>The entry that led to it, and what that was.</summary>
    internal ulong* Entry;
    internal ulong EntryBits;

    /// <summary>
    /// Up to when callers that take a stale value may have it; 0: they may not. Follows from the deadline that was read with it, so no touch comes between the
    /// two. What never expires they may always have. A length that is damaged does not lead into the past.
    /// </summary>
    internal readonly ulong StaleUntil => StaleFor == 0 ? 0 : Deadline == 0 ? ulong.MaxValue : Deadline + Math.Min(StaleFor, ulong.MaxValue - Deadline);

    /// <summary>Whether it is a value that everybody may have: not something in work, not expired, and of no tag that was removed.</summary>
    internal readonly bool IsValue(ulong now) => !Shape.Is(ItemShape.Placeholder) && !IsTagRemoved && (Deadline == 0 || Deadline > now);

    /// <summary>Whether it may be given out although it has expired.</summary>
    internal readonly bool IsStaleValue(ulong now) => !Shape.Is(ItemShape.Placeholder) && !IsTagRemoved && StaleUntil > now;

    /// <summary>Whether a sliding expiry is due to be renewed: only when that moves it by more than an eighth of its window.</summary>
    internal readonly bool IsRenewalDue(ulong now) => RenewedDeadline(now) > Deadline + (Window / 8);

    internal readonly ulong RenewedDeadline(ulong now) => LastDeadline == 0 ? now + Window : Math.Min(now + Window, LastDeadline);
}

/// <summary>
/// Gets: finds an item, copies it, and looks whether it was the value of its key all along. Writes nothing but a hint that it was used.
/// </summary>
/// <remarks>
/// An optimistic read. The item may be unlinked, and its memory reused, at any moment; what is copied then is nonsense, and thrown away, because the entry has
/// changed. At the end are looked at, in this order: the entry, then the stamp. The entry decides whether the item was linked all along, and the stamp whether
/// the entry is the same by accident. Of all entries of a key at most one leads to a confirmed item (see <see cref="Contest{TMachine}"/>), so the others need
/// not be looked at again: the get takes effect at the second look at its entry.
/// A miss is reported when all entries were read the same twice. Death: a reader leaves nothing behind.
/// </remarks>
internal static unsafe class CacheReader<TMachine>
    where TMachine : struct, IMachine
{
    private const int MaxTries = 16;
    private const int MaxHeldTries = 64;

    /// <summary>What came of looking at an entry.</summary>
    private enum Look
    {
        /// <summary>It does not lead to the value of the key.</summary>
        Other,

        /// <summary>What was read makes no sense, or has changed meanwhile.</summary>
        Torn,

        /// <summary>It leads to the value of the key.</summary>
        Found,
    }

    /// <summary>A get for whom <see cref="QuickRead{TMachine}"/> did not help: reads, and judges what was read.</summary>
    /// <remarks>
    /// What has not expired by a time after the look, had not expired when it was looked at. What has, may have been replaced or renewed in time, while we were
    /// halted: so it is looked at once more, and what has expired by a time before that look, had expired then.
    /// </remarks>
    /// <param name="heap">The attachment.</param>
    /// <param name="table">The cache.</param>
    /// <param name="key">The key.</param>
    /// <param name="to">Where the value is copied to.</param>
    /// <param name="capacity">Bytes of that.</param>
    /// <param name="clock">Of the cache.</param>
    /// <param name="facts">What was read.</param>
    /// <param name="now">The time by which it was judged; 0 if it never expires.</param>
    /// <returns>
    /// <see cref="CacheStatus.Ok"/>, <see cref="CacheStatus.Missing"/>, <see cref="CacheStatus.BufferTooSmall"/>, <see cref="CacheStatus.Damaged"/>,
    /// or <see cref="CacheStatus.Contended"/>.
    /// </returns>
    internal static CacheStatus TryGet<TClock>(
        Attachment* heap, CacheTable* table, in CacheKey key, byte* to, ulong capacity, TClock clock, out ItemFacts facts, out ulong now)
        where TClock : struct, IClock
    {
        CacheStatus status = TryReadAnywhere(heap, table, key, to, capacity, out facts);
        bool canExpire = status is CacheStatus.Ok or CacheStatus.BufferTooSmall && facts.Deadline != 0;
        now = canExpire ? clock.Now : 0;
        if (canExpire && ItemAccess<TMachine>.IsExpired(facts.Deadline, now))
        {
            status = TryReadAnywhere(heap, table, key, to, capacity, out facts);
        }

        return Judge(status, facts, to, now);
    }

    /// <summary>What was read, to who wants the value: it may have expired, or not be there yet, or be damaged.</summary>
    internal static CacheStatus Judge(CacheStatus status, in ItemFacts facts, byte* value, ulong now)
    {
        bool isFound = status is CacheStatus.Ok or CacheStatus.BufferTooSmall;
        if (isFound && !facts.IsValue(now))
        {
            return CacheStatus.Missing;
        }

        bool isDamaged = status == CacheStatus.Ok && facts.Shape.Is(ItemShape.Checked)
            && Checksum.Of(value, facts.Shape.ValueBytes) != facts.Checksum;
        return isDamaged ? CacheStatus.Damaged : status;
    }

    /// <summary>Copies the value of an item that the caller holds.</summary>
    internal static CacheStatus ReadHeld(Attachment* heap, CacheTable* table, byte* to, ulong capacity, ref ItemFacts facts)
    {
        bool fits = facts.Shape.ValueBytes <= capacity;
        ItemHeader* item = ItemAccess<TMachine>.At(heap, facts.Unit);
        facts.Deadline = ItemAccess<TMachine>.Deadline(item);
        TakeExtras(table, item, ref facts);
        if (fits)
        {
            TMachine.CopyOut((byte*)item + facts.Shape.ValueBegins, to, facts.Shape.ValueBytes);
        }

        return fits ? CacheStatus.Ok : CacheStatus.BufferTooSmall;
    }

    /// <summary>Notes that an entry was used.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Touch(Attachment* heap, BucketPair buckets, int index)
    {
        if (!heap->ReadOnly)
        {
            EntryHints<TMachine>.Raise(buckets, index);
        }
    }

    /// <summary>When others are too quick: holds the item, so that it cannot change any more once it was seen linked.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static CacheStatus TryReadHeld(
        Attachment* heap, CacheTable* table, Probe* probe, in CacheKey key, byte* to, ulong capacity, out ItemFacts facts)
    {
        facts = default;
        CacheStatus status = Grips<TMachine>.TryTake(heap, lasting: false, out int cell);
        if (status != CacheStatus.Ok)
        {
            return status == CacheStatus.ReadOnly ? CacheStatus.Contended : status;
        }

        ulong* grip = Cells<TMachine>.AddressOf(heap, heap->Slot, cell);
        status = CacheStatus.Contended;
        for (int tries = 0; tries < MaxHeldTries && status == CacheStatus.Contended; tries++)
        {
            int index = CacheSearch<TMachine>.TryHold(heap, probe, key, grip, out facts);
            facts.Entry = index >= 0 ? probe->AddressOf(index) : null;
            facts.EntryBits = index >= 0 ? probe->Seen(index).Bits : 0;
            status = index >= 0 ? ReadHeld(heap, table, to, capacity, ref facts)
                : index == Probe.None ? CacheStatus.Missing
                : CacheStatus.Contended;

            // It may have been replaced first, and have lost its tag afterwards.
            status = facts.IsTagRemoved && !Probe.IsUnchanged<TMachine>(probe, index) ? CacheStatus.Contended : status;
        }

        Cells<TMachine>.Release(heap, cell);
        if (status is CacheStatus.Missing or CacheStatus.Contended)
        {
            facts = default;
        }

        return status;
    }

    /// <summary>Copies the value of a key, if it is not longer than <paramref name="capacity"/>.</summary>
    /// <returns>
    /// <see cref="CacheStatus.Ok"/>, also for what has expired and for a placeholder: the caller looks at the facts; <see cref="CacheStatus.Missing"/>, and
    /// no facts;
    /// <see cref="CacheStatus.BufferTooSmall"/>; <see cref="CacheStatus.Contended"/>.
    /// </returns>
    internal static CacheStatus TryReadAnywhere(
        Attachment* heap, CacheTable* table, in CacheKey key, byte* to, ulong capacity, out ItemFacts facts, bool isUse = true)
    {
        facts = default;
        Probe probeOfKey;
        Probe* probe = &probeOfKey;
        Probe.Begin(probe, table, key.Hash);
        uint tag = EntryWord.TagOf(key.Hash);
        for (int tries = 0; tries < MaxTries; tries++)
        {
            Look look = Look.Other;
            int index = Probe.None;
            for (uint matches = Probe.Match<TMachine>(probe, tag); matches != 0 && look == Look.Other;)
            {
                index = BucketPair.Next(ref matches);
                look = LookAt(heap, table, probe->AddressOf(index), probe->Seen(index), key, to, capacity, ref facts);
            }

            if (look == Look.Found)
            {
                return Answer(heap, probe->Buckets, index, facts, capacity, isUse);
            }

            if (look == Look.Other && Probe.AreUnchanged<TMachine>(probe))
            {
                facts = default;
                return CacheStatus.Missing;
            }
        }

        return TryReadHeld(heap, table, probe, key, to, capacity, out facts);
    }

    /// <summary>The same for who takes also what has expired, and so needs to know whether it is damaged.</summary>
    internal static CacheStatus TryReadAnyway(
        Attachment* heap, CacheTable* table, in CacheKey key, byte* to, ulong capacity, bool isUse, out ItemFacts facts, out bool isDamaged)
    {
        CacheStatus status = TryReadAnywhere(heap, table, key, to, capacity, out facts, isUse);
        isDamaged = status == CacheStatus.Ok && facts.Shape.Is(ItemShape.Checked) && Checksum.Of(to, facts.Shape.ValueBytes) != facts.Checksum;
        if (status is not (CacheStatus.Ok or CacheStatus.BufferTooSmall))
        {
            facts = default;
        }

        return status;
    }

    private static CacheStatus Answer(Attachment* heap, BucketPair buckets, int index, in ItemFacts facts, ulong capacity, bool isUse)
    {
        if (isUse && !facts.Shape.Is(ItemShape.Placeholder))
        {
            Touch(heap, buckets, index);
        }

        return facts.Shape.ValueBytes <= capacity ? CacheStatus.Ok : CacheStatus.BufferTooSmall;
    }

    /// <summary>Copies the value of the item that an entry leads to, if it is the value of the key.</summary>
    private static Look LookAt(
        Attachment* heap, CacheTable* table, ulong* address, EntryWord entry, in CacheKey key, byte* to, ulong capacity, ref ItemFacts facts)
    {
        if (entry.IsEmpty)
        {
            return Look.Other;
        }

        if (!ItemAccess<TMachine>.IsInside(heap, entry.Unit))
        {
            // Beyond what anybody says that there is: damage, which leads nowhere.
            return ItemAccess<TMachine>.IsOutside(heap, entry.Unit) ? Look.Other : Look.Torn;
        }

        ItemHeader* item = ItemAccess<TMachine>.At(heap, entry.Unit);
        ulong stamp = ItemAccess<TMachine>.Stamp(item);
        if (ItemAccess<TMachine>.Hash(item) != key.Hash)
        {
            // Another key, or nonsense; in case of a miss the entries are read again.
            return Look.Other;
        }

        ItemShape shape = ItemAccess<TMachine>.Shape(item);
        if (stamp == ItemHeader.InvalidStamp || !ItemAccess<TMachine>.Fits(heap, entry.Unit, shape.TotalBytes))
        {
            return Look.Torn;
        }

        ulong deadline = ItemAccess<TMachine>.Deadline(item);
        if (ItemAccess<TMachine>.IsUnconfirmed(deadline) || !ItemAccess<TMachine>.HasKey(item, shape, key))
        {
            return Look.Other;
        }

        facts.Unit = entry.Unit;
        facts.Stamp = stamp;
        facts.Shape = shape;
        facts.Deadline = deadline;
        facts.Entry = address;
        facts.EntryBits = entry.Bits;
        TakeExtras(table, item, ref facts);
        if (shape.ValueBytes <= capacity)
        {
            TMachine.CopyOut((byte*)item + shape.ValueBegins, to, shape.ValueBytes);
        }

        return TMachine.Read(address) == entry.Bits && ItemAccess<TMachine>.Stamp(item) == stamp ? Look.Found : Look.Torn;
    }

    /// <summary>Reads what an item has between its header and its key, and behind its value.</summary>
    internal static void TakeExtras(CacheTable* table, ItemHeader* item, ref ItemFacts facts)
    {
        bool isWorked = facts.Shape.Is(ItemShape.Worked);
        facts.Work = isWorked ? TMachine.Read(ItemAccess<TMachine>.WorkOf(item, facts.Shape)) : 0;
        facts.StaleFor = isWorked ? TMachine.Read((ulong*)((byte*)item + facts.Shape.StaleForAt)) : 0;
        if (facts.Shape.Is(ItemShape.Sliding))
        {
            facts.Window = ItemAccess<TMachine>.Word(item, ItemShape.SlidingAt);
            facts.LastDeadline = ItemAccess<TMachine>.Word(item, ItemShape.SlidingAt + 8);
        }

        facts.Checksum = facts.Shape.Is(ItemShape.Checked) ? ItemAccess<TMachine>.Word(item, facts.Shape.ChecksumAt) : 0;
        facts.IsTagRemoved = ItemAccess<TMachine>.IsTagRemoved(table, item, facts.Shape);
    }
}
