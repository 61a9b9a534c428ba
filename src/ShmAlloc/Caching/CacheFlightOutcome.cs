namespace ShmAlloc.Caching;

/// <summary>What has become of a value that was worked out. Whatever it is, the value is a good answer to who has asked for it.</summary>
public enum CacheFlightOutcome
{
    /// <summary>It is the value of its key now.</summary>
    Stored = 0,

    /// <summary>Not stored: the key was set or removed meanwhile, its place was needed for others, or one of the tags was removed.</summary>
    Changed = 1,

    /// <summary>Not stored: there is no room. For a second, others work for themselves instead of waiting.</summary>
    NoRoom = 2,

    /// <summary>Not stored: the value is too large for the heap, or for the limit of the cache. For a second, others work for themselves.</summary>
    TooLarge = 3,

    /// <summary>Not stored: it would have expired by now.</summary>
    Expired = 4,

    /// <summary>Not stored: the heap was disposed, may only be read, or has no participant slot left; or somebody was in the way all the time.</summary>
    Unavailable = 5,
}
