using System.Runtime.CompilerServices;
using ShmAlloc.Layout;

namespace ShmAlloc.Caching;

/// <summary>What a process knows of one cache: addresses, checked against the geometry when the table was opened. Constant from then on.</summary>
internal unsafe struct CacheTable
{
    /// <summary>Where the table lies; 0: not opened. Written last.</summary>
    internal ulong Offset;

    internal uint Number;
    internal uint ItemFlags;

    /// <summary>Bytes of the tag that every item has, the one that stands for all; 0: there is no such tag.</summary>
    internal ulong CommonTagBytes;
    internal ulong* Buckets;
    internal ulong BucketCount;
    internal ulong* Tags;
    internal ulong TagMask;

    /// <summary>Bytes that its items may take; 0: as many as the heap has room for.</summary>
    internal ulong LimitBytes;
    internal ulong* Counters;

    /// <summary>The order of sweeps, of the first cache; null of others.</summary>
    internal ulong* Sweeps;
    internal TableLayout* Layout;

    /// <summary>Whether every item has the tag that stands for all.</summary>
    internal readonly bool KeepsGeneration => CommonTagBytes != 0;

    /// <summary>Where the generation of a tag stands. What is damaged leads to that of another tag.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly ulong* GenerationOf(ulong tag)
    {
        uint slot = (uint)(tag >> 32);
        return slot == TableLayout.SlotOfAll ? &Layout->Generation : Tags + (slot & TagMask);
    }

    /// <summary>The two buckets in which a key may lie.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly BucketPair FindBuckets(ulong hash)
    {
        // Of a hash, bits 0 to 31 choose one bucket and bits 20 to 51 the other: each number, as a fraction of 2^32, times the count.
        ulong one = ((uint)hash * BucketCount) >> 32;
        ulong other = ((uint)(hash >> 20) * BucketCount) >> 32;
        other = other != one ? other : one != 0 ? one - 1 : BucketCount - 1;
        return new BucketPair(Buckets + (one * TableLayout.BucketWords), Buckets + (other * TableLayout.BucketWords));
    }
}

/// <summary>All caches of a heap, as one process knows them.</summary>
[InlineArray(HeaderLayout.Caches)]
internal struct CacheTables
{
    private CacheTable _first;
}
