using System.Runtime.InteropServices;

namespace ShmAlloc.Layout;

/// <summary>The index of one named cache: an allocation of its own, to which the header's directory leads.</summary>
/// <remarks>
/// <code>
/// +--------------------------+ 0
/// | item header              |  so that recovery knows what it is
/// | bucket count, ...        |  immutable
/// | name                     |  UTF-8
/// +--------------------------+ 128
/// | limit, generation of all |  mutable, a cache line of its own
/// +--------------------------+ 192
/// | counters                 |  128 bytes for each participant slot, in lines of their own
/// +--------------------------+
/// | generations of tags      |  8 bytes each
/// +--------------------------+
/// | order of sweeps          |  24 bytes for each block of the heap's maximum, in the table of cache 0 only (see SweepOrder)
/// +--------------------------+ a multiple of 64 in the file
/// | buckets                  |  64 bytes each: 7 entries, and a HintWord
/// +--------------------------+
/// </code>
/// </remarks>
[StructLayout(LayoutKind.Explicit, Size = Size)]
internal unsafe struct TableLayout
{
    internal const int Size = 192;
    internal const int MaxNameBytes = 64;

    /// <summary>Words of counters for each slot: two cache lines.</summary>
    internal const int CounterWords = 16;

    /// <summary>In a heap of fewer blocks there is no order of sweeping worth noting.</summary>
    private const ulong LeastBlocksInOrder = 4;

    internal const int BucketWords = 8;
    internal const int EntriesOfBucket = 7;

    /// <summary>Buckets are aligned to this; a table itself need not be.</summary>
    internal const ulong Line = 64;

    internal const ulong MaxBuckets = 1UL << 32;
    internal const ulong MaxTagSlots = 1UL << 24;

    /// <summary>What a tag says instead of a slot that stands for everything in the cache: its generation is <see cref="Generation"/>.</summary>
    internal const uint SlotOfAll = uint.MaxValue;

    /// <summary>In <see cref="Flags"/>: every item has the tag that stands for all.</summary>
    internal const ulong KeepsGeneration = 1UL << 32;

    [FieldOffset(0)]
    internal ItemHeader Header;

    /// <summary>At least 2.</summary>
    [FieldOffset(32)]
    internal ulong Buckets;

    /// <summary>Generations of tags: a power of two. Tags of one slot are removed together.</summary>
    [FieldOffset(40)]
    internal ulong TagSlots;

    /// <summary>Participant slots of the heap.</summary>
    [FieldOffset(48)]
    internal ulong Slots;

    /// <summary>In the lower half those that every item gets: <see cref="ItemShape.Checked"/> or none. In the upper one those of the cache.</summary>
    [FieldOffset(56)]
    internal ulong Flags;

    [FieldOffset(64)]
    internal fixed byte Name[MaxNameBytes];

    /// <summary>Bytes of items that this cache may hold; 0: as many as the heap has room for.</summary>
    [FieldOffset(128)]
    internal ulong LimitBytes;

    /// <summary>Not 0: somebody died who may not have counted all that it did; whoever needs the counters counts anew.</summary>
    [FieldOffset(136)]
    internal ulong NeedsRecount;

    /// <summary>A hint: to keep the limit, eviction goes on with this bucket.</summary>
    [FieldOffset(144)]
    internal ulong LimitHand;

    /// <summary>Counts up when everything is removed at once.</summary>
    [FieldOffset(152)]
    internal ulong Generation;

    /// <summary>Where the parts lie in a table that begins at an offset, in bytes from there.</summary>
    internal static ulong CountersAt(ulong offset) => AlignUp(offset + Size) - offset;

    internal static ulong TagsAt(ulong offset, ulong slots) => CountersAt(offset) + (slots * CounterWords * sizeof(ulong));

    internal static ulong SweepsAt(ulong offset, ulong slots, ulong tagSlots) => TagsAt(offset, slots) + (tagSlots * sizeof(ulong));

    internal static ulong BucketsAt(ulong offset, ulong slots, ulong tagSlots, ulong sweepWords) =>
        AlignUp(offset + SweepsAt(offset, slots, tagSlots) + (sweepWords * sizeof(ulong))) - offset;

    /// <summary>Bytes to allocate for a table, wherever it will lie.</summary>
    internal static ulong Bytes(ulong slots, ulong tagSlots, ulong sweepWords, ulong buckets) =>
        Size + (((slots * CounterWords) + tagSlots + sweepWords + (buckets * BucketWords)) * sizeof(ulong)) + (2 * Line);

    /// <summary>Words for the order of sweeps: for each block that the heap may have its own, and two places in the ring.</summary>
    internal static ulong SweepWords(ulong number, ulong maximumBlocks) => number == 0 && maximumBlocks >= LeastBlocksInOrder ? 3 * maximumBlocks : 0;

    private static ulong AlignUp(ulong value) => (value + Line - 1) & ~(Line - 1);
}
