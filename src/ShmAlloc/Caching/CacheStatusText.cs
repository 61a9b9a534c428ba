namespace ShmAlloc.Caching;

/// <summary>Sentences for <see cref="CacheStatus"/>.</summary>
public static class CacheStatusText
{
    /// <summary>What a status means and what to do about it.</summary>
    /// <param name="status">The status.</param>
    /// <returns>One English sentence.</returns>
    public static string Describe(this CacheStatus status) => status switch
    {
        CacheStatus.Ok => "Done.",
        CacheStatus.Missing => "There is no value of this key: nobody set it, or it has expired, was removed, or made room for others.",
        CacheStatus.Exists => "There is a value of this key already; nothing was changed.",
        CacheStatus.Changed => "The value is not the one that was expected: somebody changed it. Read it again.",
        CacheStatus.BufferTooSmall => "The value is longer than the buffer: try again with one of the length that was reported.",
        CacheStatus.TooLarge => "The value is longer than the heap can grow or than the limit of the cache, or the key is longer than 65,535 bytes.",
        CacheStatus.NoRoom => "There is no room: what is in the heap, or counts for the limit of the cache, is pinned, leased, or belongs to others "
            + "than caches. Use a larger heap or limit, or pin less.",
        CacheStatus.Contended => "Others were changing the same entry, or one of them stands still in the middle of what this needs, for as long as was "
            + "reasonable to wait: try again; if that does not help, find out who was stopped.",
        CacheStatus.TooManyLeases => "All cells of this process for leases and reservations are in use: dispose some first.",
        CacheStatus.ReadOnly => "The heap is attached read-only.",
        CacheStatus.Closed => "The heap object was disposed.",
        CacheStatus.NoParticipantSlot => "All participant slots are taken: detach somebody, or create the heap with a larger MaxParticipants.",
        CacheStatus.WrongKind => "The value is of another kind: to be incremented it must be a number of 8 bytes, "
            + "and to get a window it must have a sliding expiry.",
        CacheStatus.Damaged => "The checksum of the value is wrong: somebody wrote over it. Remove it, and find out who.",
        CacheStatus.Computing => "Somebody else is working the value out: wait, or work it out as well.",
        _ => "Unknown status.",
    };
}
