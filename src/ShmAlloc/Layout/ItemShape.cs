using System.Globalization;

namespace ShmAlloc.Layout;

/// <summary>What a cache item consists of: lengths, and which parts lie between its header and its key.</summary>
/// <remarks>
/// <code>
///  63                    32 31            16 15    12 11       8 7         0
/// +------------------------+----------------+--------+----------+-----------+
/// | length of the value    | length of key  |  tags  |  cache   |   flags   |
/// +------------------------+----------------+--------+----------+-----------+
/// </code>
/// In this order after the header: window and absolute deadline (16 bytes, if SLIDING), checksum (8, if CHECKED), tags (8 each), key, value; and, if WORKED,
/// up to 7 bytes so that what follows is aligned, a <see cref="WorkWord"/>, and for how many milliseconds after its deadline the value may be given out as a
/// stale one. It is a length and no time: a deadline may change, and two words do not change at once.
/// <para>
/// Of up to 15 tags their number stands in the shape; of more, with MANY TAGS, a sixteenth of it, rounded up: what is left over is filled with repetitions of
/// the last tag. So the shape alone says where everything lies.
/// </para>
/// </remarks>
internal readonly struct ItemShape(ulong bits)
{
    internal const int MaxKeyBytes = 0xFFFF;

    /// <summary>Tags of an entry. Calls have them on their stacks.</summary>
    internal const int MaxTags = 63;

    /// <summary>Words that an item has for its tags.</summary>
    internal const int MaxTagWords = 64;

    internal const uint Pinned = 1;
    internal const uint Sliding = 2;
    internal const uint Checked = 4;

    /// <summary>Words for tags that a damaged shape speaks of at most.</summary>
    internal const int MostTagWordsOfDamage = (int)TagsMask << ManyShift;

    /// <summary>It is no value: it stands where one will be that somebody works out. It is WORKED, and has neither bytes nor tags.</summary>
    internal const uint Placeholder = 8;

    /// <summary>The index of a cache, which is stored like an item: its name is the key.</summary>
    internal const uint Table = 16;

    /// <summary>Its deadline is by a clock that the cache was given for tests, and says nothing to who goes by the heap's.</summary>
    internal const uint OwnClock = 32;

    /// <summary>It has a <see cref="WorkWord"/> behind its value: somebody may be working on the next one.</summary>
    internal const uint Worked = 64;

    /// <summary>What an item can be made with.</summary>
    internal const uint AllFlags = Pinned | Sliding | Checked | Placeholder | Table | OwnClock | Worked;

    /// <summary>Tags are counted in sixteens. Follows from their number.</summary>
    internal const uint ManyTags = 128;

    private const int CacheAt = 8;
    private const int TagsAt = 12;
    private const int KeyAt = 16;
    private const int ValueAt = 32;
    private const uint TagsMask = 15;
    private const int TagBytesShift = 3;
    private const int ManyShift = 4;

    /// <summary>Makes of <see cref="ManyTags"/> the number by which the count of tags is shifted.</summary>
    private const int ManyToShift = 5;

    /// <summary>Bytes of what lies behind the value of a worked item.</summary>
    private const ulong WorkBytes = 16;

    /// <summary>What says that something lies between the header and the key, or that it is no value.</summary>
    private const uint BeforeKey = Sliding | Checked | Placeholder | ManyTags | (TagsMask << TagsAt);

    internal ItemShape(uint flags, uint cache, int tags, int keyBytes, uint valueBytes)
        : this(flags | (cache << CacheAt) | CountOf((uint)tags) | ((ulong)(uint)keyBytes << KeyAt) | ((ulong)valueBytes << ValueAt))
    {
    }

    internal ulong Bits { get; } = bits;

    internal uint Cache => (uint)(Bits >> CacheAt) & 15;

    /// <summary>With the repetitions that fill up the last sixteen: what is damaged may have up to <see cref="MostTagWordsOfDamage"/>.</summary>
    internal int Tags => ((int)(Bits >> TagsAt) & (int)TagsMask) << ((int)(Bits >> ManyToShift) & ManyShift);

    internal int KeyBytes => (int)(Bits >> KeyAt) & MaxKeyBytes;

    internal uint ValueBytes => (uint)(Bits >> ValueAt);

    /// <summary>Whether no flag is set that this version does not know.</summary>
    internal bool IsKnown => (Bits & 0xFF & ~(ulong)(AllFlags | ManyTags)) == 0;

    /// <summary>Whether it is a value, its key has so many bytes, and between that and the header nothing lies but so many bytes of up to 15 tags.</summary>
    internal bool IsPlainWithKey(ulong keyBytes, ulong tagBytes) =>
        (Bits & (BeforeKey | ((ulong)MaxKeyBytes << KeyAt))) == ((keyBytes << KeyAt) | (tagBytes << (TagsAt - TagBytesShift)));

    // All in bytes from the beginning of the item. A part takes a multiple of what its flag is as a number, so no branch is needed.
    internal static uint SlidingAt => ItemHeader.Size;

    internal uint ChecksumAt => ItemHeader.Size + (((uint)Bits & Sliding) * 8);

    internal uint TagsBegin => ChecksumAt + (((uint)Bits & Checked) * 2);

    internal uint KeyBegins => TagsBegin + ((uint)Tags * 8);

    internal uint ValueBegins => KeyBegins + (uint)KeyBytes;

    /// <summary>Of a worked item: where its work word lies.</summary>
    internal ulong WorkAt => (ValueBegins + (ulong)ValueBytes + 7) & ~7UL;

    internal ulong StaleForAt => WorkAt + 8;

    internal ulong TotalBytes => Is(Worked) ? WorkAt + WorkBytes : ValueBegins + (ulong)ValueBytes;

    internal bool Is(uint flag) => (Bits & flag) != 0;

    private static uint CountOf(uint tags) => tags <= TagsMask ? tags << TagsAt : ManyTags | (((tags + TagsMask) >> ManyShift) << TagsAt);

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"cache {Cache}, key {KeyBytes} bytes, value {ValueBytes} bytes, {Tags} tags, flags {Bits & 0xFF:x2}");
}
