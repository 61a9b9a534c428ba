using ShmAlloc.Layout;

namespace ShmAlloc.Caching;

/// <summary>What came of asking whether one is to work a value out.</summary>
internal enum FlightState
{
    /// <summary>It failed: nothing can be said to others. See <see cref="FlightLook.Status"/>.</summary>
    Impossible,

    /// <summary>There is a value, and nothing to be done.</summary>
    Value,

    /// <summary>There is a value, which is due, and somebody works on the next one.</summary>
    ValueInWork,

    /// <summary>There is a stale value, and it is too early to try again after somebody has failed: for who takes it.</summary>
    Stale,

    /// <summary>It is this one's to work out: it owns the work word.</summary>
    Begun,

    /// <summary>Somebody else works it out.</summary>
    Taken,

    /// <summary>The last value could not be stored: each process that wants one works it out at once, and tries to store it.</summary>
    Passing,
}

/// <summary>Somebody who wants a value that may have to be worked out.</summary>
internal unsafe struct FlightRequest
{
    /// <summary>What it writes into a work word to own it.</summary>
    internal WorkWord Mine;

    /// <summary>The word of an owner that it has waited for too long, and does not respect any more; 0: none.</summary>
    internal ulong TakesOver;

    /// <summary>Whether it takes a stale value, so that it need not try what has just failed.</summary>
    internal bool TakesStale;

    /// <summary>Whether it works a value out ahead, where there is one that is due.</summary>
    internal bool Refreshes;

    /// <summary><see cref="ItemShape.OwnClock"/> or nothing.</summary>
    internal uint Flags;

    /// <summary>The places of the tags that the value will have.</summary>
    internal ulong* Tags;

    internal int TagCount;
}

/// <summary>What a look at a key found that may have to be worked out.</summary>
internal unsafe struct FlightLook
{
    internal FlightState State;

    /// <summary>Why it is impossible.</summary>
    internal CacheStatus Status;

    /// <summary>Names what the key has: the value may take the place of that, and of nothing else. 0: it has nothing.</summary>
    internal ulong Stamp;

    /// <summary>The work word, and where it lies.</summary>
    internal WorkWord Word;

    internal ulong* At;

    /// <summary>The entry that leads to what the key has.</summary>
    internal ulong* Entry;

    internal ulong EntryBits;

    /// <summary>Whether that is a placeholder.</summary>
    internal bool IsPlaceholder;

    /// <summary>Whether a tag of what the key has was removed.</summary>
    internal bool IsTagRemoved;

    /// <summary>Whether the next value may take its place although nobody owns its work word: it has all its tags.</summary>
    internal bool IsCovered;

    /// <summary>
    /// It is impossible, and the word of the item with that stamp is the caller's all the same: nobody could be told so. The caller gives it up later.
    /// </summary>
    internal bool IsLeftOwned;
}
