using ShmAlloc.Layout;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>Options of a cache that its table keeps.</summary>
internal enum CacheOption
{
    None,
    Capacity,
    LimitBytes,
    TagSlots,
    Checksums,
    AllowsRemoveAll,
}

/// <summary>How a cache is to be made, in whatever language it was said. A field that is 0 was not said.</summary>
internal unsafe struct CacheSpecification
{
    /// <summary>Of the heap; and of a limit, which says better how much there will be.</summary>
    private const ulong BytesPerEntry = 512;
    private const ulong LimitBytesPerEntry = 128;

    private const ulong MinBuckets = 2;
    private const ulong DefaultTagSlots = 4096;

    /// <summary>Entries of the index that are wanted.</summary>
    internal ulong Capacity;

    /// <summary>Bytes that its items may take.</summary>
    internal ulong LimitBytes;

    /// <summary>Tags that can be told apart.</summary>
    internal ulong TagSlots;

    internal bool Checksums;
    internal bool AllowsRemoveAll;

    internal const ulong MostCapacity = TableLayout.MaxBuckets * TableLayout.EntriesOfBucket;
    internal const ulong MostLimitBytes = long.MaxValue;
    internal const ulong MostTagSlots = TableLayout.MaxTagSlots;

    /// <summary>What cannot be had, if anything. It is refused, and not made smaller without a word.</summary>
    internal readonly CacheOption TooLarge => Capacity > MostCapacity ? CacheOption.Capacity
        : LimitBytes > MostLimitBytes ? CacheOption.LimitBytes
        : TagSlots > MostTagSlots ? CacheOption.TagSlots
        : CacheOption.None;

    internal readonly ulong RoundedTagSlots => 1UL << Geometry.CeilingLog2(TagSlots == 0 ? DefaultTagSlots : TagSlots);

    internal readonly ulong TableFlags => (Checksums ? ItemShape.Checked : 0) | (AllowsRemoveAll ? TableLayout.KeepsGeneration : 0);

    internal readonly ulong BucketsIn(Attachment* heap)
    {
        ulong byHeap = (heap->Geometry.MaximumBlocks << heap->Geometry.BlockShift) / BytesPerEntry;
        ulong entries = Capacity != 0 ? Capacity : LimitBytes != 0 ? Math.Min(byHeap, LimitBytes / LimitBytesPerEntry) : byHeap;
        return Math.Min(TableLayout.MaxBuckets, Math.Max(MinBuckets, (entries + TableLayout.EntriesOfBucket - 1) / TableLayout.EntriesOfBucket));
    }

    /// <summary>Which of what was said a cache that exists does not have, if any.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="table">The cache.</param>
    /// <param name="found">What it has instead.</param>
    internal readonly CacheOption Contradiction(Attachment* heap, CacheTable* table, out ulong found)
    {
        (CacheOption option, found) = Capacity != 0 && BucketsIn(heap) != table->BucketCount
            ? (CacheOption.Capacity, table->BucketCount * TableLayout.EntriesOfBucket)
            : LimitBytes != 0 && LimitBytes != table->LimitBytes ? (CacheOption.LimitBytes, table->LimitBytes)
            : TagSlots != 0 && RoundedTagSlots != table->TagMask + 1 ? (CacheOption.TagSlots, table->TagMask + 1)
            : Checksums && table->ItemFlags == 0 ? (CacheOption.Checksums, 0)
            : AllowsRemoveAll && !table->KeepsGeneration ? (CacheOption.AllowsRemoveAll, 0)
            : (CacheOption.None, 0UL);
        return option;
    }
}
