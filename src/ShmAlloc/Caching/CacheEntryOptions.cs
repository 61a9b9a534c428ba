namespace ShmAlloc.Caching;

/// <summary>How long an entry lives, and what it belongs to. The default lives until there is no room for it.</summary>
public readonly record struct CacheEntryOptions
{
    /// <summary>When it expires: a point in the future.</summary>
    public DateTimeOffset? AbsoluteExpiration { get; init; }

    /// <summary>After what time it expires: more than zero. Counted in milliseconds.</summary>
    public TimeSpan? Lifetime { get; init; }

    /// <summary>After what time without use it expires: more than zero. Renewed by gets and by refreshing, up to the absolute expiry if there is one.</summary>
    public TimeSpan? SlidingExpiration { get; init; }

    /// <summary>
    /// How long after it has expired it may still be given out as a stale value, to who allows that, while somebody works out the next one, or when that
    /// fails: more than zero. Needs <see cref="Lifetime"/> or <see cref="AbsoluteExpiration"/>, and no <see cref="SlidingExpiration"/>. When room is needed,
    /// stale values are the first to go.
    /// </summary>
    public TimeSpan? StaleFor { get; init; }

    /// <summary>
    /// From what time on <c>GetOrAddAsync</c> works the next value out ahead, while it returns this one: more than zero, and less than <see cref="Lifetime"/>.
    /// An <see cref="AbsoluteExpiration"/> may come before it: then nothing is worked out ahead. Not with <see cref="SlidingExpiration"/>. The time counts that
    /// the value was set with; but only a caller whose own options name a time works the next value out, since only those say how long that one is to live.
    /// </summary>
    public TimeSpan? RefreshAfter { get; init; }

    /// <summary>Whether it stays when room is made for others.</summary>
    public bool Pinned { get; init; }

    /// <summary>
    /// What it is removed with: at most 63 tags, as in <c>Tags = ["article 5", "author 2"]</c>. What counts is when they were captured: for those that are
    /// given by their names, that is when the value is set, or right before <c>GetOrAdd</c> runs the factory.
    /// </summary>
    public CacheTags Tags { get; init; }
}
