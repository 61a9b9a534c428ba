using ShmAlloc.Layout;

namespace ShmAlloc.Caching;

/// <summary>What is to be dropped, and why.</summary>
internal unsafe struct Errand
{
    /// <summary>Any cache.</summary>
    internal const int AnyCache = -1;

    // Masks of uses: whatever there is, what nobody has asked for lately, and the parts of that.
    internal const int Everything = (1 << HintWord.Uses) - 1;
    internal const int Unused = OfNew | OfCold;
    internal const int OfNew = 1 << HintWord.New;
    internal const int OfCold = 1 << HintWord.Cold;

    /// <summary>The number of the only cache whose items are dropped.</summary>
    internal int Only;

    /// <summary>What is counted.</summary>
    internal CacheCounter Reason;

    /// <summary>What has expired by then goes in any case.</summary>
    internal Moment Now;

    /// <summary>The uses of items that are dropped, a bit for each.</summary>
    internal int Drops;

    /// <summary>Whether that goes, too, whose next value somebody is working out: before the answer is that there is no room.</summary>
    internal bool TakesWork;

    /// <summary>Whether items that stay become cold.</summary>
    internal bool Lowers;

    /// <summary>Gets whether some that stay are new.</summary>
    internal bool AnyNew;

    /// <summary>Gets how many items were looked at.</summary>
    internal int Seen;

    /// <summary>Gets how many bytes of items were dropped.</summary>
    internal long Freed;

    /// <summary>What has been evicted and not been added to the heap's counts yet.</summary>
    internal Evictions Evictions;

    /// <summary>Begins one that makes room, field by field: the native library has no function of the runtime that copies as much as this.</summary>
    internal static void BeginForRoom(Errand* errand, Moment now, int drops)
    {
        *errand = default;
        errand->Only = AnyCache;
        errand->Reason = CacheCounter.EvictionsForRoom;
        errand->Now = now;
        errand->Drops = drops;
    }
}

/// <summary>Evictions of one errand, by the kind of their ghosts.</summary>
internal unsafe struct Evictions
{
    internal fixed ulong Bytes[2];

    /// <summary>The time that ghosts get.</summary>
    internal fixed uint When[2];
}
