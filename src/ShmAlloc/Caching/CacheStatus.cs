namespace ShmAlloc.Caching;

/// <summary>
/// What became of an operation on a cache. Nothing of this is an exception. <see cref="CacheStatusText.Describe"/> gives the sentence for each value.
/// </summary>
public enum CacheStatus
{
    /// <summary>It was done.</summary>
    Ok = 0,

    /// <summary>There is no such entry: nobody set it, or it has expired, lost a tag, was removed, or made room for others.</summary>
    Missing = 1,

    /// <summary>There is an entry already.</summary>
    Exists = 2,

    /// <summary>The entry is not the one that was expected: somebody changed it.</summary>
    Changed = 3,

    /// <summary>The value is longer than the buffer.</summary>
    BufferTooSmall = 4,

    /// <summary>The item would be longer than the heap can grow, or than the limit of the cache; or its key is longer than 65,535 bytes.</summary>
    TooLarge = 5,

    /// <summary>No room: what is in the heap, or counts for the limit of the cache, is pinned, leased, or belongs to others than caches.</summary>
    NoRoom = 6,

    /// <summary>Others were changing the same entries for as long as was reasonable to try. Trying again is right.</summary>
    Contended = 7,

    /// <summary>All cells of this process for leases and reservations are in use: release some.</summary>
    TooManyLeases = 8,

    /// <summary>The heap is attached read-only.</summary>
    ReadOnly = 9,

    /// <summary>
    /// The heap object was disposed. No member of <see cref="SharedCache"/> answers so: all of them throw <see cref="ObjectDisposedException"/> then.
    /// </summary>
    Closed = 10,

    /// <summary>All participant slots of the heap are taken; create it with a larger <see cref="ShmHeapOptions.MaxParticipants"/>.</summary>
    NoParticipantSlot = 11,

    /// <summary>The entry holds a value of another kind: no number of 8 bytes, where one is added to it; no sliding one, where it is given a window.</summary>
    WrongKind = 12,

    /// <summary>The value's checksum is wrong: somebody wrote over it.</summary>
    Damaged = 13,

    /// <summary>Another is working the value out.</summary>
    Computing = 14,
}
