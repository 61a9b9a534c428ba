using System.Runtime.InteropServices;
using ShmAlloc.Layout;

namespace ShmAlloc.Allocation;

/// <summary>
/// Private hints of one thread, or a few: current blocks, and places that were freed lately. Threads may race on all of it:
/// a hint that is lost, stale or doubled costs only time, because the compare-and-swap on the bitmap decides.
/// </summary>
[StructLayout(LayoutKind.Sequential, Size = Size)]
internal unsafe struct Shard
{
    internal const int Size = 65536;

    /// <summary>Families of sizes that have a current block of their own, so that small and large do not fragment each other.</summary>
    internal const int Families = 3;

    /// <summary>Classes of freed places: 1 to 32 units in one word, 1 to 32 units that cross words, then two for each octave up to 4096 units.</summary>
    internal const int Classes = 80;

    /// <summary>Places remembered in each class, a power of two; the oldest is forgotten first.</summary>
    internal const int Depth = 64;

    /// <summary>Current block of each family, plus one; 0 is none.</summary>
    internal fixed ulong Current[Families];

    /// <summary>Where the next search in the current block begins: a word of the block.</summary>
    internal fixed uint Cursor[Families];

    /// <summary>Another one for each shard, from 1 on, as far as that goes; 0: not chosen yet.</summary>
    internal uint Number;

    /// <summary>At which cells its threads begin to look for one that is not taken: for an operation, and for a reservation.</summary>
    internal uint FirstOperationCell;
    internal uint FirstReservationCell;

    /// <summary>Where the next search across blocks begins.</summary>
    internal ulong Rotor;

    /// <summary>Where the next search for garbage begins.</summary>
    internal ulong GarbageRotor;

    /// <summary>How many more blocks are opened before garbage is swept again.</summary>
    internal uint SweepPause;

    /// <summary>For how many more requests of each family room is taken to be scarce.</summary>
    internal fixed uint Scarce[Families];

    /// <summary>What was counted for each cache and not added to its table yet, and how many changes that were.</summary>
    internal fixed long CacheCounts[HeaderLayout.Caches * TableLayout.CounterWords];

    internal fixed uint CachePending[HeaderLayout.Caches];

    /// <summary>After how many changes the clock is asked, after how many they are added in any case, and when that was done last (see CacheCounts).</summary>
    internal fixed uint CacheLook[HeaderLayout.Caches];
    internal fixed uint CacheQuota[HeaderLayout.Caches];
    internal fixed ulong CacheTold[HeaderLayout.Caches];

    /// <summary>Bytes that were put into each cache since somebody looked whether it keeps its limit.</summary>
    internal fixed long CacheUnseen[HeaderLayout.Caches];

    /// <summary>By how many bytes a cache has grown here since it was near its limit and as large as it may be; see LimitKeeper.</summary>
    internal fixed long CacheGrown[HeaderLayout.Caches];

    /// <summary>Not 0: near its limit a cache must not grow here.</summary>
    internal fixed uint CacheIsNearLimit[HeaderLayout.Caches];

    internal fixed uint Top[Classes];

    internal fixed ulong Places[Classes * Depth];
}
