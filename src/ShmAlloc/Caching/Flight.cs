using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>
/// Single flight: who works a value out says so in the <see cref="WorkWord"/> of what the key has. That is a placeholder, if the key has nothing that
/// counts; or the item whose value is due, or stale.
/// </summary>
/// <remarks>
/// A flight is {the stamp that it saw linked, the generations of its tags, captured after that}. It may store its value in the place of the item with that
/// stamp, and of no other. Who sets, removes or evicts the key changes its entry; who removes a tag, a generation: then the value is not stored. So a flight
/// stores nothing that was worked out before a change that somebody has seen to its end; everything else only says who need not work, and whatever becomes of
/// the work word, by death, by damage or by impatience, costs at most that a value is worked out twice.
/// <para>
/// Who writes: the work word changes by compare-and-swap, of whoever holds the item and has found its entry and its stamp again after that; so it is the
/// word of that item. It is never copied to another one. Who reads: anybody, between the two looks at the entry and at the stamp, like a value.
/// </para>
/// <para>
/// An item whose tags the next value will not have all is not worked on in place: nobody would notice that one of them was removed. It gives way to a
/// placeholder.
/// </para>
/// Death: the word of the dead one is void when its slot is free, so that the next one begins; a placeholder stays, and is dropped when there is need of room
/// like what nobody has asked for. No cell names it, and there is nothing to recover.
/// </remarks>
internal static unsafe class Flight<TMachine>
    where TMachine : struct, IMachine
{
    private const int MaxTries = 64;

    /// <summary>One wait in vain ends the tries of a call, also one of another thread. A flight that gives up begins them anew: others wait for it.</summary>
    private const int MostWaitsInVain = 2;

    /// <summary>
    /// What a flight of this participant writes into a work word: with another number than the flights that it has begun before, until it has begun as many as
    /// there are numbers. A process that had to do without a slot may get one now.
    /// </summary>
    internal static WorkWord Name(Attachment* heap) => Name(heap, NextNumber(heap));

    /// <summary>The same, of a number that the caller has chosen.</summary>
    internal static WorkWord Name(Attachment* heap, uint number)
    {
        if (heap->Slot < 0 && Grips<TMachine>.TryTake(heap, lasting: false, out int cell) == CacheStatus.Ok)
        {
            Cells<TMachine>.Release(heap, cell);
        }

        return WorkWord.Owned(heap->Slot, number, heap->Epoch);
    }

    internal static uint NextNumber(Attachment* heap) => Interlocked.Increment(ref heap->LastFlight) % WorkWord.Numbers;

    /// <summary>Looks what a key has, and begins to work if there is need of it.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="table">The cache.</param>
    /// <param name="key">The key.</param>
    /// <param name="request">Who asks.</param>
    /// <param name="now">A time before this call.</param>
    internal static FlightLook Begin(Attachment* heap, CacheTable* table, in CacheKey key, in FlightRequest request, ulong now)
    {
        FlightLook look = default;
        CacheStatus status = CacheStatus.Contended;
        for (int tries = 0; tries < MaxTries && status is CacheStatus.Contended or CacheStatus.Changed && !look.IsLeftOwned; tries++)
        {
            status = CacheReader<TMachine>.TryReadAnywhere(heap, table, key, null, 0, out ItemFacts facts, isUse: false);
            if (status is not (CacheStatus.Ok or CacheStatus.BufferTooSmall or CacheStatus.Missing))
            {
                continue;
            }

            look = LookOf(heap, facts);
            look.State = Judge(heap, facts, request, now);
            if (look.State != FlightState.Begun)
            {
                look.IsCovered = look.IsPlaceholder || (look.At != null && Covers(heap, facts, request));
                return look;
            }

            status = heap->ReadOnly ? CacheStatus.ReadOnly
                : IsWorkedOn(heap, facts, now) ? TryOwn(heap, table, key, facts, request, now, ref look)
                : TryPlace(heap, table, key, request, now, ref look);
        }

        look.State = status == CacheStatus.Ok ? FlightState.Begun : FlightState.Impossible;
        look.Status = status;
        return look;
    }

    /// <summary>What was read of a key, for who waits for its next value.</summary>
    internal static FlightLook LookOf(Attachment* heap, in ItemFacts facts)
    {
        FlightLook look = default;
        look.Stamp = facts.Stamp;
        look.Word = new WorkWord(facts.Work);
        look.Entry = facts.Entry;
        look.EntryBits = facts.EntryBits;
        look.IsPlaceholder = facts.Shape.Is(ItemShape.Placeholder);
        look.IsTagRemoved = facts.IsTagRemoved;
        if (facts.Entry != null && facts.Shape.Is(ItemShape.Worked))
        {
            look.At = ItemAccess<TMachine>.WorkOf(ItemAccess<TMachine>.At(heap, facts.Unit), facts.Shape);
        }

        return look;
    }

    /// <summary>The value takes the place of what the flight saw, if nobody has changed that, or removed a tag.</summary>
    /// <remarks>
    /// The tags come first. One that is removed after the look at them takes the value with it: the value has the generations that the flight has captured.
    /// The value that a flight replaces is spared while room is made for the next one. If there is none beside it, but in its place, and it has expired,
    /// it gives way to a placeholder, as it does to a flight whose value has other tags. Otherwise it stays, and the next one is not stored.
    /// </remarks>
    /// <param name="heap">The attachment.</param>
    /// <param name="table">The cache.</param>
    /// <param name="key">The key.</param>
    /// <param name="value">The value.</param>
    /// <param name="valueBytes">Length of it.</param>
    /// <param name="item">What else it is like.</param>
    /// <param name="look">What the flight saw when it began; then what it has put in its place.</param>
    /// <param name="now">A time before this call.</param>
    /// <param name="clock">Asked again before each further try.</param>
    /// <param name="made">The stamp of the value.</param>
    /// <returns><see cref="CacheStatus.Ok"/>, <see cref="CacheStatus.Changed"/>, or why it cannot be stored.</returns>
    internal static CacheStatus Complete<TClock>(
        Attachment* heap, CacheTable* table, in CacheKey key, byte* value, uint valueBytes, in ItemOptions item, ref FlightLook look, ulong now, TClock clock,
        out ulong made)
        where TClock : struct, IClock
    {
        made = 0;
        ulong all = item.TagOfAll;
        if (!Marks<TMachine>.AreCurrent(table, item.Tags, item.TagCount)
            || (all != 0 && !Marks<TMachine>.AreCurrent(table, &all, 1)))
        {
            return CacheStatus.Changed;
        }

        CacheStatus status = CacheCalls<TMachine>.Put(heap, table, key, value, valueBytes, item, PutMode.Complete, look.Stamp, now, clock, out made);
        if (status == CacheStatus.NoRoom && look.Word.IsOwned && !look.IsPlaceholder && !IsAlive(heap, table, key, look.Stamp, clock.Now)
            && CacheRoom<TMachine>.IsAnyRoom(heap, table, key.Length, valueBytes, item, now))
        {
            FlightRequest own = new() { Mine = look.Word, Flags = item.Flags & ItemShape.OwnClock };
            status = TryPlace(heap, table, key, own, now, ref look);
            status = status == CacheStatus.Ok
                ? CacheCalls<TMachine>.Put(heap, table, key, value, valueBytes, item, PutMode.Complete, look.Stamp, now, clock, out made)
                : status;
        }

        return status;
    }

    /// <summary>Whether what a flight saw is the value of its key still, and has not expired.</summary>
    private static bool IsAlive(Attachment* heap, CacheTable* table, in CacheKey key, ulong stamp, ulong now) =>
        CacheReader<TMachine>.TryReadAnywhere(heap, table, key, null, 0, out ItemFacts facts, isUse: false) is CacheStatus.Ok or CacheStatus.BufferTooSmall
        && facts.Stamp == stamp && facts.IsValue(now);

    /// <summary>Lets others work from a time on, if the word still says that this flight does.</summary>
    /// <returns>False: others were in the way, and the word says so still. The caller tries again later.</returns>
    internal static bool TryGiveUp(Attachment* heap, CacheTable* table, ulong hash, ulong stamp, WorkWord mine, WorkWord next)
    {
        bool isDone = false;
        for (int waits = 0; waits < MostWaitsInVain && !isDone; waits++)
        {
            Retry retry = Retry.Begin(heap);
            do
            {
                isDone = TryGiveUpOnce(heap, table, hash, stamp, mine, next, waits: true);
            }
            while (!isDone && retry.TryAgain<TMachine>(heap));
        }

        return isDone;
    }

    /// <summary>The same, for a caller who has something else to do: it waits for nobody, unless that is asked for.</summary>
    internal static bool TryGiveUpOnce(Attachment* heap, CacheTable* table, ulong hash, ulong stamp, WorkWord mine, WorkWord next, bool waits)
    {
        CacheStatus status = TryFind(heap, table, hash, stamp, out ItemFacts facts);
        if (status == CacheStatus.Ok)
        {
            status = facts.Work == mine.Bits ? TrySwap(heap, facts, next, waits) : CacheStatus.Changed;
        }

        if (status == CacheStatus.Ok)
        {
            Bell<TMachine>.Ring(heap);
        }

        return status != CacheStatus.Contended;
    }

    /// <summary>Finds the item with a stamp, if it is linked, and has a work word. Its key need not be known: no other item ever has that stamp.</summary>
    private static CacheStatus TryFind(Attachment* heap, CacheTable* table, ulong hash, ulong stamp, out ItemFacts facts)
    {
        facts = default;
        Probe probeOfKey;
        Probe* probe = &probeOfKey;
        Probe.Begin(probe, table, hash);
        for (uint matches = Probe.Match<TMachine>(probe, EntryWord.TagOf(hash)); matches != 0;)
        {
            int index = BucketPair.Next(ref matches);
            EntryWord entry = probe->Seen(index);
            bool isInside = !entry.IsEmpty && ItemAccess<TMachine>.IsInside(heap, entry.Unit);
            if (!isInside && !entry.IsEmpty && !ItemAccess<TMachine>.IsOutside(heap, entry.Unit))
            {
                return CacheStatus.Contended;
            }

            ItemHeader* item = ItemAccess<TMachine>.At(heap, entry.Unit);
            if (!isInside || ItemAccess<TMachine>.Stamp(item) != stamp)
            {
                continue;
            }

            facts.Shape = ItemAccess<TMachine>.Shape(item);
            if (facts.Shape.Is(ItemShape.Worked) && ItemAccess<TMachine>.Fits(heap, entry.Unit, facts.Shape.TotalBytes))
            {
                facts.Work = TMachine.Read(ItemAccess<TMachine>.WorkOf(item, facts.Shape));
            }

            (facts.Unit, facts.Stamp, facts.EntryBits) = (entry.Unit, stamp, entry.Bits);
            facts.Entry = probe->AddressOf(index);
            bool isLinked = Probe.IsUnchanged<TMachine>(probe, index) && ItemAccess<TMachine>.Stamp(item) == stamp;
            return isLinked ? CacheStatus.Ok : CacheStatus.Contended;
        }

        return Probe.AreUnchanged<TMachine>(probe) ? CacheStatus.Missing : CacheStatus.Contended;
    }

    /// <summary>Whether nobody alive has said that it works.</summary>
    internal static bool IsVoid(Attachment* heap, WorkWord word)
    {
        if (!word.IsOwned || word.Slot >= (int)heap->Geometry.Slots)
        {
            return true;
        }

        SlotWord slot = Recovery<TMachine>.ReadSlot(heap, word.Slot);
        return !slot.IsActive || slot.Epoch != word.Epoch;
    }

    /// <summary>Whether somebody alive works on what follows an item that the caller holds.</summary>
    internal static bool IsInWork(Attachment* heap, ulong unit, ItemShape shape) => shape.Is(ItemShape.Worked)
        && ItemAccess<TMachine>.Fits(heap, unit, shape.TotalBytes)
        && !IsVoid(heap, new WorkWord(TMachine.Read(ItemAccess<TMachine>.WorkOf(ItemAccess<TMachine>.At(heap, unit), shape))));

    /// <summary>Whether a flight on what the key has uses its work word; if not, it needs a placeholder.</summary>
    private static bool IsWorkedOn(Attachment* heap, in ItemFacts facts, ulong now) => facts.Shape.Is(ItemShape.Worked)
        && (facts.Shape.Is(ItemShape.Placeholder)
            || (!facts.IsTagRemoved
                && (!ItemAccess<TMachine>.IsExpired(facts.Deadline, now) || facts.StaleUntil > now || !IsVoid(heap, new WorkWord(facts.Work)))));

    private static FlightState Judge(Attachment* heap, in ItemFacts facts, in FlightRequest request, ulong now)
    {
        bool isPlaceholder = facts.Shape.Is(ItemShape.Placeholder);
        bool isValue = facts.Entry != null && facts.IsValue(now);

        // A value that lives stays until it expires where the next one would not have all of its tags: see TryOwn.
        if (isValue && !(request.Refreshes && facts.Shape.Is(ItemShape.Worked) && Covers(heap, facts, request)))
        {
            return FlightState.Value;
        }

        if (!IsWorkedOn(heap, facts, now))
        {
            return FlightState.Begun;
        }

        WorkWord word = new(facts.Work);
        if (!IsVoid(heap, word))
        {
            return word.Bits == request.TakesOver ? FlightState.Begun : isValue ? FlightState.ValueInWork : FlightState.Taken;
        }

        if (!word.IsTime || word.Time <= now)
        {
            return FlightState.Begun;
        }

        // What has expired is due, whatever the time: it may have been given a shorter life.
        return isValue ? FlightState.Value
            : !isPlaceholder ? (request.TakesStale && word.IsPause ? FlightState.Stale : FlightState.Begun)
            : word.Time - now <= FlightEnding.PassMilliseconds ? FlightState.Passing
            : FlightState.Begun;
    }

    private static CacheStatus TryOwn(
        Attachment* heap, CacheTable* table, in CacheKey key, in ItemFacts facts, in FlightRequest request, ulong now, ref FlightLook look)
    {
        CacheStatus status = TrySwap(heap, facts, request.Mine);
        if (status != CacheStatus.Ok || facts.Shape.Is(ItemShape.Placeholder) || Covers(heap, facts, request))
        {
            look.Word = request.Mine;
            return status;
        }

        status = TryPlace(heap, table, key, request, now, ref look);
        if (status != CacheStatus.Ok)
        {
            (look.Stamp, look.Word) = (facts.Stamp, request.Mine);
            look.IsLeftOwned = !TryGiveUp(heap, table, key.Hash, facts.Stamp, request.Mine, WorkWord.NotBefore(now));
        }

        return status;
    }

    /// <summary>Whether the next value has all tags of an item. If the item is gone, what is read is nonsense, and nothing is stored in its place.</summary>
    private static bool Covers(Attachment* heap, in ItemFacts facts, in FlightRequest request)
    {
        ItemHeader* item = ItemAccess<TMachine>.At(heap, facts.Unit);
        bool covers = true;
        for (int index = 0; covers && index < facts.Shape.Tags; index++)
        {
            ulong place = ItemAccess<TMachine>.Tag(item, facts.Shape, index) >> 32;
            covers = false;
            for (int other = 0; other < request.TagCount && !covers; other++)
            {
                covers = request.Tags[other] >> 32 == place;
            }
        }

        // If it has another stamp, the item is gone, and the flight stores nothing in its place.
        return covers;
    }

    /// <summary>Changes the work word of an item that was read.</summary>
    /// <remarks>Takes effect at the compare-and-swap: the item was linked after it was held, so it is that item still.</remarks>
    private static CacheStatus TrySwap(Attachment* heap, in ItemFacts facts, WorkWord next, bool waits = true)
    {
        CacheStatus status = waits
            ? Grips<TMachine>.TryTake(heap, lasting: false, out int cell)
            : Grips<TMachine>.StatusOf(Cells<TMachine>.TryTakeAtOnce(heap, out cell));
        if (status != CacheStatus.Ok)
        {
            return status;
        }

        ItemHeader* item = ItemAccess<TMachine>.At(heap, facts.Unit);
        bool isDone = Grips<TMachine>.TryHold(Cells<TMachine>.AddressOf(heap, heap->Slot, cell), facts.Entry, new EntryWord(facts.EntryBits))
            && ItemAccess<TMachine>.Stamp(item) == facts.Stamp
            && TMachine.CompareExchange(ItemAccess<TMachine>.WorkOf(item, facts.Shape), next.Bits, facts.Work) == facts.Work;
        Cells<TMachine>.Release(heap, cell);
        return isDone ? CacheStatus.Ok : CacheStatus.Contended;
    }

    /// <summary>Puts a placeholder where the key has what was seen.</summary>
    /// <remarks>Takes effect, and dies, like any item that is put: see <see cref="CacheWriter{TMachine}.Put"/>.</remarks>
    private static CacheStatus TryPlace(Attachment* heap, CacheTable* table, in CacheKey key, in FlightRequest request, ulong now, ref FlightLook look)
    {
        ItemOptions options = new() { Flags = ItemShape.Placeholder | ItemShape.Worked | request.Flags, Work = request.Mine.Bits };
        ulong stamp = 0;
        CacheStatus status = key.Length > ItemShape.MaxKeyBytes
            ? CacheStatus.TooLarge
            : CacheStore<TMachine>.Put(heap, table, key, null, 0, options, PutMode.Complete, look.Stamp, now, out stamp);
        if (status == CacheStatus.Ok)
        {
            (look.Stamp, look.Word, look.IsPlaceholder) = (stamp, request.Mine, true);
        }

        return status;
    }
}
