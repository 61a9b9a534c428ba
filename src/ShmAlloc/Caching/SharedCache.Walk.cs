using ShmAlloc.Disposal;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <content>Going over all entries.</content>
public sealed unsafe partial class SharedCache
{
    /// <summary>The last one that .NET knows.</summary>
    private static readonly ulong LastMoment = (ulong)DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    private static readonly ulong LongestSpan = (ulong)TimeSpan.MaxValue.TotalMilliseconds;

    /// <summary>Goes over all that the cache has, for tools: see <see cref="CacheWalk"/>. It writes nothing and holds nothing.</summary>
    /// <param name="from">Where to begin: <see langword="default"/>, or what <see cref="CacheWalk.Cursor"/> of another walk over this cache said.</param>
    /// <param name="options">How far to go.</param>
    /// <returns>What <c>foreach</c> goes over.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative.</exception>
    /// <exception cref="ObjectDisposedException">The heap was disposed; also when it is gone over.</exception>
    public CacheWalk Walk(CacheCursor from = default, CacheWalkOptions options = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(from.Place, nameof(from));
        ArgumentOutOfRangeException.ThrowIfNegative(options.MostPlaces, nameof(options));
        ulong places = Places;
        ulong begin = Math.Min((ulong)from.Place, places);
        return new CacheWalk(this, begin, options.MostPlaces == 0 ? places : Math.Min(places, begin + (ulong)options.MostPlaces));
    }

    /// <summary>Every entry, as it is when its turn comes; others may work meanwhile: what they set or remove may be among it or not.</summary>
    /// <returns>The entries that have not expired, in no order.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public IEnumerable<CacheEntry> Enumerate()
    {
        byte[] key = new byte[ItemShape.MaxKeyBytes];
        ulong next = 0;
        ulong end = Places;
        while (TryReadLive(ref next, end, ref key) is { } entry)
        {
            yield return entry;
        }

        ThrowIfDisposed();
    }

    /// <summary>
    /// The two buckets in which a key may lie, as places of the index: walks of seven places from each (<see cref="CacheWalkOptions.MostPlaces"/>) meet all
    /// that there is of it, and others' entries.
    /// </summary>
    /// <param name="key">The key: at most 65,535 bytes.</param>
    /// <returns>Where they begin.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public (CacheCursor First, CacheCursor Second) PlacesOf(ReadOnlySpan<byte> key)
    {
        using Visit visit = Enter();
        ThrowIfClosed();
        BucketPair buckets = _table->FindBuckets(HashOf(key));
        return (CursorOf(buckets.First), CursorOf(buckets.Second));

        CacheCursor CursorOf(ulong* bucket) => new((bucket - _table->Buckets) / TableLayout.BucketWords * TableLayout.EntriesOfBucket);
    }

    /// <summary>The place by which a tag is told apart from others: those that share it are removed together.</summary>
    /// <param name="tag">The name.</param>
    /// <returns>A number below that of the cache's tag places.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public int TagPlaceOf(string tag)
    {
        ArgumentNullException.ThrowIfNull(tag);
        using Visit visit = Enter();
        return (int)(HashOf(tag) & _table->TagMask);
    }

    internal uint TagMask => (uint)_table->TagMask;

    /// <summary>Goes on to the next entry that is not empty.</summary>
    /// <param name="next">The place to begin with; then the one after that which was found.</param>
    /// <param name="end">The place to end at.</param>
    /// <param name="key">Gets the key, and is replaced by a larger one if it has to be.</param>
    /// <param name="tags">Gets the tags; null: nobody wants them.</param>
    /// <param name="damaged">Counts what leads nowhere, and is left out.</param>
    /// <param name="facts">What was found.</param>
    /// <returns>False: there is none.</returns>
    internal bool TryReadNext(ref ulong next, ulong end, ref byte[] key, ulong[]? tags, ref long damaged, out ItemFacts facts)
    {
        using Visit visit = Enter();
        while (next < end)
        {
            ulong place = next++;
            (ulong bucket, ulong index) = Math.DivRem(place, TableLayout.EntriesOfBucket);
            if (index == 0)
            {
                EntryReader<Hardware>.PrefetchAhead(_heap, _table, bucket);
            }

            CacheStatus status = TryReadPlace(_table->Buckets + (bucket * TableLayout.BucketWords) + index, key, tags, out facts);
            if (status == CacheStatus.BufferTooSmall)
            {
                key = new byte[ItemShape.MaxKeyBytes];
                status = TryReadPlace(_table->Buckets + (bucket * TableLayout.BucketWords) + index, key, tags, out facts);
            }

            damaged += status == CacheStatus.Damaged ? 1 : 0;
            if (status == CacheStatus.Ok)
            {
                return true;
            }
        }

        ThrowIfClosed();
        facts = default;
        return false;
    }

    internal long BytesOf(ItemShape shape)
    {
        using Visit visit = Enter();
        return CacheCounts<Hardware>.BytesOf(_heap, shape);
    }

    internal ShmOffset OffsetOf(ulong unit)
    {
        using Visit visit = Enter();
        return new ShmOffset(_heap->OffsetOf(unit));
    }

    internal long PlaceOf(in ItemFacts facts)
    {
        using Visit visit = Enter();
        long words = facts.Entry - _table->Buckets;
        return (words / TableLayout.BucketWords * TableLayout.EntriesOfBucket) + (words % TableLayout.BucketWords);
    }

    internal CacheUse UseOf(in ItemFacts facts)
    {
        using Visit visit = Enter();
        (long bucket, long index) = Math.DivRem(facts.Entry - _table->Buckets, TableLayout.BucketWords);
        ulong* hints = _table->Buckets + (bucket * TableLayout.BucketWords) + TableLayout.EntriesOfBucket;
        return (CacheUse)new HintWord(Hardware.Read(hints, "", 0)).UseOf((int)index);
    }

    /// <summary>Who works on the next value; the work of one who has left is nobody's.</summary>
    internal int? WorkerOf(in ItemFacts facts)
    {
        WorkWord work = new(facts.Work);
        if (!work.IsOwned)
        {
            return null;
        }

        using Visit visit = Enter();
        SlotWord slot = work.Slot < (int)_heap->Geometry.Slots ? Recovery<Hardware>.ReadSlot(_heap, work.Slot) : default;
        return slot.IsActive && slot.Epoch == work.Epoch ? work.Slot : null;
    }

    internal CacheStatus CopyValue(in ItemFacts facts, Span<byte> destination)
    {
        using Visit visit = Enter();
        fixed (byte* to = destination)
        {
            CacheStatus status = EntryReader<Hardware>.TryCopyValue(_heap, facts, to, (ulong)destination.Length);
            ThrowIfClosed();
            return status;
        }
    }

    internal static DateTimeOffset? MomentOf(ulong milliseconds) =>
        milliseconds == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds((long)Math.Min(milliseconds, LastMoment));

    internal static TimeSpan SpanOf(ulong milliseconds) => TimeSpan.FromMilliseconds(Math.Min(milliseconds, LongestSpan));

    private ulong Places
    {
        get
        {
            using Visit visit = Enter();
            ThrowIfClosed();
            return _table->BucketCount * TableLayout.EntriesOfBucket;
        }
    }

    private CacheStatus TryReadPlace(ulong* entry, byte[] key, ulong[]? tags, out ItemFacts facts)
    {
        fixed (byte* to = key)
        fixed (ulong* toTags = tags)
        {
            Retry retry = Retry.Begin(_heap);
            CacheStatus status;
            do
            {
                status = EntryReader<Hardware>.TryRead(_heap, _table, entry, to, (ulong)key.Length, toTags, out facts);
            }
            while (status == CacheStatus.Contended && TryAgain(ref retry));
            return status;
        }
    }

    private CacheEntry? TryReadLive(ref ulong next, ulong end, ref byte[] key)
    {
        long damaged = 0;
        while (TryReadNext(ref next, end, ref key, null, ref damaged, out ItemFacts facts))
        {
            if (facts.IsValue(Now))
            {
                return new CacheEntry(
                    key.AsSpan(0, facts.Shape.KeyBytes).ToArray(),
                    (int)facts.Shape.ValueBytes,
                    new CacheVersion(facts.Stamp),
                    MomentOf(facts.Deadline),
                    facts.Shape.Is(ItemShape.Pinned));
            }
        }

        return null;
    }

    private void ThrowIfDisposed()
    {
        using Visit visit = Enter();
        ThrowIfClosed();
    }
}
