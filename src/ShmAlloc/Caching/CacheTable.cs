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
    internal ulong* Buckets;
    internal ulong BucketMask;
    internal ulong* Tags;
    internal ulong TagMask;
    internal ulong* Counters;

    /// <summary>The order of sweeps, of the first cache; null of others.</summary>
    internal ulong* Sweeps;
    internal TableLayout* Layout;

    /// <summary>The two buckets in which a key may lie.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly void FindBuckets(ulong hash, out ulong* first, out ulong* second)
    {
        ulong one = hash & BucketMask;
        ulong other = (hash >> 32) & BucketMask;
        other = other == one ? other ^ 1 : other;
        first = Buckets + (one * TableLayout.BucketWords);
        second = Buckets + (other * TableLayout.BucketWords);
    }
}

/// <summary>All caches of a heap, as one process knows them.</summary>
[InlineArray(HeaderLayout.Caches)]
internal struct CacheTables
{
    private CacheTable _first;
}
