using System.Runtime.CompilerServices;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>What a number keeps when it is added to, instead of what the options say.</summary>
[Flags]
internal enum Kept
{
    None = 0,

    /// <summary>Deadline and window.</summary>
    Expiry = 1,
    Tags = 2,

    /// <summary>Not the tags: those of the options were given by their names, so they are captured anew after each read.</summary>
    CapturesTags = 4,
}

/// <summary>
/// What a caller asks of a cache, in whatever language: tries that are repeated while others are in the way, and steps that make one answer. .NET and the C ABI
/// translate arguments and answers, and nothing else.
/// </summary>
internal static unsafe class CacheCalls<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Makes an item of a key and a value, and links it.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="table">The cache.</param>
    /// <param name="key">The key.</param>
    /// <param name="value">The value.</param>
    /// <param name="valueBytes">Length of it.</param>
    /// <param name="item">What else it is like.</param>
    /// <param name="mode">On which condition.</param>
    /// <param name="expected">The stamp that the condition names.</param>
    /// <param name="now">A time before this call.</param>
    /// <param name="clock">Asked again before each further try: with an old time something would come back that others have seen expire.</param>
    internal static CacheStatus Put<TClock>(
        Attachment* heap, CacheTable* table, in CacheKey key, byte* value, uint valueBytes, in ItemOptions item, PutMode mode, ulong expected, ulong now,
        TClock clock)
        where TClock : struct, IClock => Put(heap, table, key, value, valueBytes, item, mode, expected, now, clock, out _);

    /// <summary>The same, and says the stamp of the item.</summary>
    internal static CacheStatus Put<TClock>(
        Attachment* heap, CacheTable* table, in CacheKey key, byte* value, uint valueBytes, in ItemOptions item, PutMode mode, ulong expected, ulong now,
        TClock clock, out ulong stamp)
        where TClock : struct, IClock
    {
        CacheStatus status;
        Retry retry = Retry.Begin(heap);
        do
        {
            status = CacheStore<TMachine>.Put(
                heap, table, key, value, valueBytes, item, mode, expected, retry.IsFirst ? now : clock.Now, out stamp);
        }
        while (status == CacheStatus.Contended && retry.TryAgain<TMachine>(heap));

        return status;
    }

    /// <summary>After a value could not be stored: whatever happened, nobody gets the one any more that it was to replace.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="table">The cache.</param>
    /// <param name="key">The key.</param>
    /// <param name="stored">Whether it could.</param>
    /// <param name="clock">Of the cache.</param>
    /// <returns><see cref="CacheStatus.Ok"/> if the key has the value, or none; else why it may have the old one.</returns>
    internal static CacheStatus RemoveUnless<TClock>(Attachment* heap, CacheTable* table, in CacheKey key, bool stored, TClock clock)
        where TClock : struct, IClock
    {
        CacheStatus status = stored ? CacheStatus.Ok : Remove(heap, table, key, expected: 0, clock);
        return status == CacheStatus.Missing ? CacheStatus.Ok : status;
    }

    /// <summary>What a number keeps when it is added to.</summary>
    /// <param name="isExpiryGiven">Whether the options say when it expires.</param>
    /// <param name="keepsExpiry">Whether it is to keep its expiry although they do.</param>
    /// <param name="areTagsGiven">Whether the options have tags.</param>
    /// <param name="areTagsCaptured">And whether the caller has captured them.</param>
    internal static Kept KeptOf(bool isExpiryGiven, bool keepsExpiry, bool areTagsGiven, bool areTagsCaptured) =>
        (keepsExpiry || !isExpiryGiven ? Kept.Expiry : Kept.None)
        | (!areTagsGiven ? Kept.Tags : areTagsCaptured ? Kept.None : Kept.CapturesTags);

    /// <summary>Makes a key have no value; if a stamp is expected, only the value that has it.</summary>
    internal static CacheStatus Remove<TClock>(Attachment* heap, CacheTable* table, in CacheKey key, ulong expected, TClock clock)
        where TClock : struct, IClock
    {
        CacheStatus status;
        Retry retry = Retry.Begin(heap);
        do
        {
            status = CacheStore<TMachine>.Remove(heap, table, key, expected, clock.Now);
        }
        while (status == CacheStatus.Contended && retry.TryAgain<TMachine>(heap));

        return status;
    }

    /// <summary>A get, as quickly as it can be done; counted by the caller.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="table">The cache.</param>
    /// <param name="key">The key.</param>
    /// <param name="to">Where the value is copied to.</param>
    /// <param name="capacity">Bytes of that.</param>
    /// <param name="clock">Of the cache.</param>
    /// <param name="shape">Of the item, also if its value does not fit; 0 if there is none.</param>
    /// <param name="stamp">Of the item; 0 if there is none.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static CacheStatus Get<TClock>(
        Attachment* heap, CacheTable* table, CacheKey key, byte* to, ulong capacity, TClock clock, out ulong shape, out ulong stamp)
        where TClock : struct, IClock
        => QuickRead<TMachine>.TryRead(heap, table, key, to, capacity, out shape, out stamp, out ulong deadline) && (deadline == 0 || !clock.IsPast(deadline))
            ? CacheStatus.Ok
            : GetSlowly(heap, table, key, to, capacity, clock, out shape, out stamp);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static CacheStatus GetSlowly<TClock>(
        Attachment* heap, CacheTable* table, CacheKey key, byte* to, ulong capacity, TClock clock, out ulong shape, out ulong stamp)
        where TClock : struct, IClock
    {
        CacheStatus status = Read(heap, table, key, to, capacity, clock, counts: false, out ItemFacts facts);
        shape = facts.Shape.Bits;
        stamp = facts.Stamp;
        return status;
    }

    /// <summary>What a get does that the quick way did not answer: reads, judges, and renews a sliding expiry.</summary>
    internal static CacheStatus Read<TClock>(
        Attachment* heap, CacheTable* table, in CacheKey key, byte* to, ulong capacity, TClock clock, bool counts, out ItemFacts facts)
        where TClock : struct, IClock
    {
        CacheStatus status;
        ulong now;
        Retry retry = Retry.Begin(heap);
        do
        {
            status = CacheReader<TMachine>.TryGet(heap, table, key, to, capacity, clock, out facts, out now);
        }
        while (status == CacheStatus.Contended && retry.TryAgain<TMachine>(heap));

        bool isHit = status is CacheStatus.Ok or CacheStatus.BufferTooSmall;
        if (isHit && facts.Shape.ValueBytes > int.MaxValue)
        {
            (status, isHit) = (CacheStatus.Damaged, false);
        }

        if (isHit && facts.Shape.Is(ItemShape.Sliding) && !heap->ReadOnly && facts.IsRenewalDue(now))
        {
            Renew(heap, table, key, clock);
        }

        if (counts)
        {
            CacheCounts<TMachine>.Add(heap, table, isHit ? CacheCounter.Hits : CacheCounter.Misses, 1);
        }

        if (!isHit)
        {
            facts = default;
        }

        return status;
    }

    /// <summary>Renews the sliding expiry of a key's value, if it has one.</summary>
    internal static CacheStatus Renew<TClock>(Attachment* heap, CacheTable* table, in CacheKey key, TClock clock)
        where TClock : struct, IClock
    {
        CacheStatus status;
        Retry retry = Retry.Begin(heap);
        do
        {
            // Each time anew: with an old time something would come back that others have seen expire.
            status = CacheStore<TMachine>.Refresh(heap, table, key, clock.Now);
        }
        while (status == CacheStatus.Contended && retry.TryAgain<TMachine>(heap));

        return status;
    }

    /// <summary>Removes everything that has a tag.</summary>
    /// <returns><see cref="CacheStatus.Ok"/>, <see cref="CacheStatus.ReadOnly"/>, or <see cref="CacheStatus.Closed"/>.</returns>
    internal static CacheStatus RemoveByTag(Attachment* heap, CacheTable* table, ulong hashOfTag)
    {
        CacheStatus status = BeginRemoval(heap);
        if (status == CacheStatus.Ok)
        {
            CacheStore<TMachine>.RemoveTag(table, hashOfTag);
            Visits<TMachine>.Leave(heap);
        }

        return status;
    }

    /// <summary>Removes everything at once.</summary>
    /// <returns>
    /// <see cref="CacheStatus.Ok"/>, <see cref="CacheStatus.ReadOnly"/>, <see cref="CacheStatus.Closed"/>, or <see cref="CacheStatus.WrongKind"/> if the cache
    /// was made without the option for it.
    /// </returns>
    internal static CacheStatus RemoveAll(Attachment* heap, CacheTable* table)
    {
        CacheStatus status = table->KeepsGeneration ? BeginRemoval(heap) : CacheStatus.WrongKind;
        if (status == CacheStatus.Ok)
        {
            CacheStore<TMachine>.RemoveAll(table);
            Visits<TMachine>.Leave(heap);
        }

        return status;
    }

    /// <summary>
    /// One word changes, so neither a cell nor a slot is needed; but a disposal has to wait, or the removal would be one of zeros in private memory.
    /// </summary>
    private static CacheStatus BeginRemoval(Attachment* heap) =>
        heap->ReadOnly ? CacheStatus.ReadOnly : Visits<TMachine>.TryEnter(heap) ? CacheStatus.Ok : CacheStatus.Closed;

    /// <summary>Gives the value of a key another deadline.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="table">The cache.</param>
    /// <param name="key">The key.</param>
    /// <param name="options">Deadline and window: see <see cref="DeadlineChange{TMachine}"/>.</param>
    /// <param name="now">A time before this call, from which the options count.</param>
    /// <param name="clock">Asked again before each further try.</param>
    internal static CacheStatus Touch<TClock>(Attachment* heap, CacheTable* table, in CacheKey key, in ItemOptions options, ulong now, TClock clock)
        where TClock : struct, IClock
    {
        CacheStatus status;
        Retry retry = Retry.Begin(heap);
        do
        {
            status = DeadlineChange<TMachine>.Make(heap, table, key, options, retry.IsFirst ? now : clock.Now);
        }
        while (status == CacheStatus.Contended && retry.TryAgain<TMachine>(heap));

        return status;
    }

    /// <summary>Holds the value of a key under a cell that the caller has, if it is whole.</summary>
    internal static CacheStatus Hold<TClock>(Attachment* heap, CacheTable* table, in CacheKey key, int cell, TClock clock, out ItemFacts facts)
        where TClock : struct, IClock
    {
        CacheStatus status;
        Retry retry = Retry.Begin(heap);
        do
        {
            status = CacheStore<TMachine>.Hold(heap, table, key, clock.Now, Cells<TMachine>.AddressOf(heap, heap->Slot, cell), out facts);
        }
        while (status == CacheStatus.Contended && retry.TryAgain<TMachine>(heap));

        return status == CacheStatus.Ok && !IsWhole(heap, facts) ? CacheStatus.Damaged : status;
    }

    /// <summary>
    /// Adds to a number, in one step: a value of 8 bytes. What the options do not say, the number keeps: it stays pinned, and has the expiry and the tags
    /// that it had. A number that was not there has the options.
    /// </summary>
    internal static CacheStatus Increment<TClock>(
        Attachment* heap, CacheTable* table, in CacheKey key, long change, in ItemOptions options, Kept kept, TClock clock, out long result)
        where TClock : struct, IClock
    {
        CacheStatus status;
        Retry retry = Retry.Begin(heap);
        do
        {
            long number = 0;
            ulong now = clock.Now;
            status = Read(heap, table, key, (byte*)&number, sizeof(long), clock, counts: retry.IsFirst, out ItemFacts facts);
            bool isMissing = status == CacheStatus.Missing;
            if (!isMissing && (status != CacheStatus.Ok || facts.Shape.ValueBytes != sizeof(long)))
            {
                result = 0;
                return status is CacheStatus.Ok or CacheStatus.BufferTooSmall ? CacheStatus.WrongKind : status;
            }

            result = unchecked((isMissing ? 0 : number) + change);
            ItemOptions item = isMissing ? options : Merge(options, facts, kept, now);
            if (!isMissing && (kept & Kept.Tags) != 0)
            {
                item.KeptTags = ItemAccess<TMachine>.TagsOf(ItemAccess<TMachine>.At(heap, facts.Unit), facts.Shape);
                item.TagCount = facts.Shape.Tags;
            }

            // What was removed before the number was read must not take the sum with it.
            item.TagOfAll = (kept & Kept.CapturesTags) != 0 ? 0 : item.TagOfAll;
            for (int index = 0; (kept & Kept.CapturesTags) != 0 && index < item.TagCount; index++)
            {
                item.Tags[index] = CacheStore<TMachine>.TagOf(table, item.Tags[index] >> 32);
            }

            long next = result;
            PutMode mode = isMissing ? PutMode.Add : (kept & Kept.Expiry) != 0 ? PutMode.ReplaceKeeping : PutMode.Replace;
            status = CacheStore<TMachine>.Put(heap, table, key, (byte*)&next, sizeof(long), item, mode, facts.Stamp, now);
        }
        while (IsOvertaken(status) && retry.TryAgain<TMachine>(heap));

        result = status == CacheStatus.Ok ? result : 0;
        return IsOvertaken(status) ? CacheStatus.Contended : status;
    }

    /// <summary>What a number is like after it was added to, but for its tags.</summary>
    private static ItemOptions Merge(in ItemOptions options, in ItemFacts facts, Kept kept, ulong now)
    {
        ItemOptions item = options;
        item.Flags |= facts.Shape.Is(ItemShape.Pinned) ? ItemShape.Pinned : 0;
        if ((kept & Kept.Expiry) != 0)
        {
            bool isSliding = facts.Shape.Is(ItemShape.Sliding);
            item.Flags = (item.Flags & ~ItemShape.Sliding) | (isSliding ? ItemShape.Sliding : 0);
            item.Deadline = isSliding ? Math.Max(facts.Deadline, facts.RenewedDeadline(now)) : facts.Deadline;
            item.Window = facts.Window;
            item.LastDeadline = facts.LastDeadline;
            item.Flags &= ~ItemShape.Worked;
            if (facts.Shape.Is(ItemShape.Worked))
            {
                // Who works on the next value works on that of another item.
                WorkWord work = new(facts.Work);
                item.Flags |= ItemShape.Worked;
                item.Work = (work.IsTime ? work : WorkWord.NotBefore(now)).Bits;
                item.StaleFor = facts.StaleFor;
            }
        }

        return item;
    }

    private static bool IsOvertaken(CacheStatus status) =>
        status is CacheStatus.Exists or CacheStatus.Changed or CacheStatus.Missing or CacheStatus.Contended;

    private static bool IsWhole(Attachment* heap, in ItemFacts facts)
    {
        ItemHeader* item = ItemAccess<TMachine>.At(heap, facts.Unit);
        return facts.Shape.ValueBytes <= int.MaxValue
            && (!facts.Shape.Is(ItemShape.Checked)
                || Checksum.Of((byte*)item + facts.Shape.ValueBegins, facts.Shape.ValueBytes) == ItemAccess<TMachine>.Word(item, facts.Shape.ChecksumAt));
    }
}
