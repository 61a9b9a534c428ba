namespace ShmAlloc.Caching;

/// <summary>Tells the time by which a cache's values expire: the heap's clock, or one of the caller.</summary>
internal interface IClock
{
    /// <summary>Milliseconds.</summary>
    ulong Now { get; }

    /// <summary>Whether a deadline, which is not 0, has come.</summary>
    bool IsPast(ulong deadline);
}
