using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>Reads what one entry of the index leads to, whatever its key is: for walks over a whole cache.</summary>
internal static unsafe class EntryReader<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Buckets whose items are fetched ahead of the one that is looked at.</summary>
    private const ulong BucketsAhead = 3;

    private const int Line = (int)TableLayout.Line;

    /// <summary>Copies the key of an entry's item, as <see cref="CacheReader{TMachine}"/> copies values.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="table">The cache.</param>
    /// <param name="address">The entry.</param>
    /// <param name="key">Where the key is copied to.</param>
    /// <param name="capacity">Bytes of that.</param>
    /// <param name="tags">Gets the tags, of which there are at most as many as an item can have; or null.</param>
    /// <param name="facts">What was read.</param>
    /// <returns>
    /// <see cref="CacheStatus.Ok"/>; <see cref="CacheStatus.Missing"/>: empty; <see cref="CacheStatus.Contended"/>: changed meanwhile, so it is to be read
    /// again; <see cref="CacheStatus.BufferTooSmall"/> for the key; <see cref="CacheStatus.Damaged"/>: it leads to no item of this cache.
    /// </returns>
    internal static CacheStatus TryRead(
        Attachment* heap, CacheTable* table, ulong* address, byte* key, ulong capacity, ulong* tags, out ItemFacts facts)
    {
        facts = default;
        EntryWord entry = new(TMachine.Read(address));
        if (entry.IsEmpty)
        {
            return CacheStatus.Missing;
        }

        if (!ItemAccess<TMachine>.IsInside(heap, entry.Unit))
        {
            return TMachine.Read(address) == entry.Bits ? CacheStatus.Damaged : CacheStatus.Contended;
        }

        ItemHeader* item = ItemAccess<TMachine>.At(heap, entry.Unit);
        facts.Unit = entry.Unit;
        facts.Stamp = ItemAccess<TMachine>.Stamp(item);
        facts.Shape = ItemAccess<TMachine>.Shape(item);
        facts.Deadline = ItemAccess<TMachine>.Deadline(item);
        facts.Entry = address;
        facts.EntryBits = entry.Bits;
        bool isItem = facts.Stamp != ItemHeader.InvalidStamp && facts.Shape.IsKnown && !facts.Shape.Is(ItemShape.Table)
            && facts.Shape.Cache == table->Number && ItemAccess<TMachine>.Fits(heap, entry.Unit, facts.Shape.TotalBytes);
        bool fits = (ulong)facts.Shape.KeyBytes <= capacity;
        if (isItem && fits)
        {
            CacheReader<TMachine>.TakeExtras(table, item, ref facts);
            TMachine.CopyOut((byte*)item + facts.Shape.KeyBegins, key, (ulong)facts.Shape.KeyBytes);
            if (tags != null)
            {
                TMachine.CopyOut((byte*)ItemAccess<TMachine>.TagsOf(item, facts.Shape), (byte*)tags, (ulong)facts.Shape.Tags * sizeof(ulong));
            }
        }

        bool isUnchanged = TMachine.Read(address) == entry.Bits && ItemAccess<TMachine>.Stamp(item) == facts.Stamp;
        return !isUnchanged ? CacheStatus.Contended
            : !isItem ? CacheStatus.Damaged
            : fits ? CacheStatus.Ok : CacheStatus.BufferTooSmall;
    }

    /// <summary>Copies the value of an item that <see cref="TryRead"/> has found, if it is still there.</summary>
    internal static CacheStatus TryCopyValue(Attachment* heap, in ItemFacts facts, byte* to, ulong capacity)
    {
        if (facts.Shape.ValueBytes > capacity)
        {
            return CacheStatus.BufferTooSmall;
        }

        ItemHeader* item = ItemAccess<TMachine>.At(heap, facts.Unit);
        TMachine.CopyOut((byte*)item + facts.Shape.ValueBegins, to, facts.Shape.ValueBytes);
        if (TMachine.Read(facts.Entry) != facts.EntryBits || ItemAccess<TMachine>.Stamp(item) != facts.Stamp)
        {
            return CacheStatus.Missing;
        }

        bool isDamaged = facts.Shape.Is(ItemShape.Checked) && Checksum.Of(to, facts.Shape.ValueBytes) != facts.Checksum;
        return isDamaged ? CacheStatus.Damaged : CacheStatus.Ok;
    }

    /// <summary>Before a bucket is read: its items were asked for a while ago, and now those are that a later one leads to.</summary>
    internal static void PrefetchAhead(Attachment* heap, CacheTable* table, ulong bucket)
    {
        ulong later = bucket + BucketsAhead;
        if (later >= table->BucketCount)
        {
            return;
        }

        ulong* entries = table->Buckets + (later * TableLayout.BucketWords);
        for (int index = 0; index < TableLayout.EntriesOfBucket; index++)
        {
            EntryWord entry = new(TMachine.Peek(entries + index));
            if (!entry.IsEmpty)
            {
                byte* item = (byte*)ItemAccess<TMachine>.At(heap, entry.Unit);
                TMachine.Prefetch(item);
                TMachine.Prefetch(item + Line);
            }
        }
    }
}
