using ShmAlloc.Layout;

namespace ShmAlloc.Caching;

/// <summary>All that there is to know of an entry, as it was when the walk came by.</summary>
public readonly ref struct CacheWalkEntry
{
    private readonly SharedCache _cache;
    private readonly ItemFacts _facts;
    private readonly ReadOnlySpan<ulong> _tags;
    private readonly ulong _now;

    internal CacheWalkEntry(SharedCache cache, scoped in ItemFacts facts, ReadOnlySpan<byte> key, ReadOnlySpan<ulong> tags, ulong now)
    {
        _cache = cache;
        _facts = facts;
        _tags = tags;
        _now = now;
        Key = key;
    }

    /// <summary>The key. The bytes are good until the walk goes on.</summary>
    public ReadOnlySpan<byte> Key { get; }

    /// <summary>Bytes of the value.</summary>
    public long LengthBytes => _facts.Shape.ValueBytes;

    /// <summary>Bytes of the heap that it takes: units, or whole blocks.</summary>
    public long TakesBytes => _cache.BytesOf(_facts.Shape);

    /// <summary>Bytes that go with key and value: header, tags, checksum, expiry. What is left of <see cref="TakesBytes"/> after that is rounding.</summary>
    public int HeaderBytes => (int)(_facts.Shape.TotalBytes - (ulong)_facts.Shape.KeyBytes - _facts.Shape.ValueBytes);

    /// <summary>Names the value. A larger one was made later, but for those of different processes that are made within a short time.</summary>
    public CacheVersion Version => new(_facts.Stamp);

    /// <summary>When it expires or has expired, by the clock of the cache; <see langword="null"/>: never.</summary>
    public DateTimeOffset? Expires => SharedCache.MomentOf(_facts.Deadline);

    /// <summary>Of an expiry that slides: how long it lasts after a use; else <see langword="null"/>.</summary>
    public TimeSpan? Sliding => _facts.Shape.Is(ItemShape.Sliding) ? SharedCache.SpanOf(_facts.Window) : null;

    /// <summary>Until when it may be given out as a stale value; <see langword="null"/>: not at all.</summary>
    public DateTimeOffset? StaleUntil => _facts.StaleFor == 0 ? null : SharedCache.MomentOf(_facts.StaleUntil);

    /// <summary>How much it is used.</summary>
    public CacheUse Use => _cache.UseOf(_facts);

    /// <summary>Whether it is a value that readers get, or why not.</summary>
    public CacheEntryState State => _facts switch
    {
        { Deadline: ItemHeader.Tentative or ItemHeader.Revoked } => CacheEntryState.Unconfirmed,
        _ when _facts.Shape.Is(ItemShape.Placeholder) => CacheEntryState.Placeholder,
        { IsTagRemoved: true } => CacheEntryState.TagRemoved,
        _ when _facts.Deadline == 0 || _facts.Deadline > _now => CacheEntryState.Live,
        _ when _facts.IsStaleValue(_now) => CacheEntryState.Stale,
        _ => CacheEntryState.Expired,
    };

    /// <summary>The participant slot of who works on the next value of the key; <see langword="null"/>: nobody does.</summary>
    public int? ComputingSlot => _cache.WorkerOf(_facts);

    /// <summary>How many tags it has. Of more than 15 it is their number rounded up to a multiple of 16.</summary>
    public int Tags => _tags.Length - (_tags.Length != 0 && (uint)(_tags[^1] >> 32) == TableLayout.SlotOfAll ? 1 : 0);

    /// <summary>Whether it stays when room is made for others.</summary>
    public bool IsPinned => _facts.Shape.Is(ItemShape.Pinned);

    /// <summary>Whether its value has a checksum.</summary>
    public bool HasChecksum => _facts.Shape.Is(ItemShape.Checked);

    /// <summary>Where it lies in the heap.</summary>
    public ShmOffset Offset => _cache.OffsetOf(_facts.Unit);

    /// <summary>The bucket of the index that leads to it.</summary>
    public long Bucket => _cache.PlaceOf(_facts) / TableLayout.EntriesOfBucket;

    /// <summary>Which of the seven entries of the bucket does.</summary>
    public int IndexInBucket => (int)(_cache.PlaceOf(_facts) % TableLayout.EntriesOfBucket);

    /// <summary>Whether it has a tag, or another that shares its place: names of tags are not kept.</summary>
    /// <param name="tag">The name.</param>
    /// <returns>Whether it has.</returns>
    public bool HasTag(string tag)
    {
        ArgumentNullException.ThrowIfNull(tag);
        return HasTagPlace(_cache.TagPlaceOf(tag));
    }

    /// <summary>The same for a place that <see cref="SharedCache.TagPlaceOf"/> gave: quicker, for many entries.</summary>
    /// <param name="place">The place of a tag.</param>
    /// <returns>Whether it has a tag of that place.</returns>
    public bool HasTagPlace(int place)
    {
        foreach (ulong tag in _tags)
        {
            if ((uint)(tag >> 32) == (uint)place)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The place of one of its tags.</summary>
    /// <param name="index">0 to <see cref="Tags"/> − 1.</param>
    /// <returns>A number below the number of tag places of the cache; tags that share it are removed together.</returns>
    public int TagPlace(int index) => (int)((uint)(_tags[index] >> 32) & _cache.TagMask);

    /// <summary>Copies the value, if it is still the one that the walk has met; that it has expired, or lost a tag, does not matter.</summary>
    /// <param name="destination">Where to; its bytes may change also if the answer is another one than Ok.</param>
    /// <returns>
    /// <see cref="CacheStatus.Ok"/>, <see cref="CacheStatus.BufferTooSmall"/>, <see cref="CacheStatus.Missing"/> (it was replaced or removed), or
    /// <see cref="CacheStatus.Damaged"/> (its checksum is wrong).
    /// </returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public CacheStatus CopyValue(Span<byte> destination) => _cache.CopyValue(_facts, destination);
}

/// <summary>How much an entry is used: who makes room drops the new and the cold ones first.</summary>
public enum CacheUse
{
    /// <summary>Nobody has asked for it since it was set.</summary>
    New,

    /// <summary>It was asked for, but not lately.</summary>
    Cold,

    /// <summary>It was asked for lately.</summary>
    Used,
}

/// <summary>Whether an entry is a value that readers get.</summary>
public enum CacheEntryState
{
    /// <summary>It is.</summary>
    Live,

    /// <summary>It has expired, and callers that allow stale values get it.</summary>
    Stale,

    /// <summary>It has expired, and goes when somebody comes by.</summary>
    Expired,

    /// <summary>One of its tags was removed, and it goes when somebody comes by.</summary>
    TagRemoved,

    /// <summary>It has no value: it stands where one will be that somebody works out.</summary>
    Placeholder,

    /// <summary>Somebody is just setting it, or was killed when doing so.</summary>
    Unconfirmed,
}
