namespace ShmAlloc.Caching;

/// <summary>
/// How to make a cache in a heap. A cache that exists must not contradict what is given; what is not given is not compared. <see cref="Clock"/> and
/// <see cref="OnFactoryFailed"/> are not kept in the heap: they belong to the <see cref="SharedCache"/> object that is opened.
/// </summary>
public sealed record SharedCacheOptions
{
    /// <summary>
    /// How many entries the index has room for: 14 to 30 billion, rounded up to a multiple of 7. Default: one for each 512 bytes of the heap's maximum
    /// size, or for each 128 bytes of <see cref="LimitBytes"/> if these are fewer. Each costs 9 bytes. When both places of a key are taken, an entry that was
    /// not used lately is dropped for it: to make that rare, say a third more than are expected.
    /// </summary>
    public long? Capacity { get; init; }

    /// <summary>
    /// Bytes that the items may take, headers and rounding included. Default: as many as the heap has room for. It is kept to within a sixty-fourth for each
    /// thread that sets.
    /// </summary>
    public long? LimitBytes { get; init; }

    /// <summary>
    /// How many tags can be told apart, rounded up to a power of two: 1 to 16,777,216, by default 4096. Tags that share a place are removed together. Each
    /// costs 8 bytes.
    /// </summary>
    public int? TagSlots { get; init; }

    /// <summary>Whether every value gets a checksum, which is looked at in every get: for heaps into which others may scribble.</summary>
    public bool Checksums { get; init; }

    /// <summary>
    /// Whether <see cref="SharedCache.RemoveAll"/> is possible. Each entry costs 8 bytes more then, as with one more tag, at which every get looks.
    /// </summary>
    public bool AllowsRemoveAll { get; init; }

    /// <summary>The clock by which entries expire, for tests. Default: the kernel's, on which all processes agree.</summary>
    public TimeProvider? Clock { get; init; }

    /// <summary>
    /// Called once for each time that a factory of <c>GetOrAdd</c> or <c>GetOrAddAsync</c> fails in this process, for a log: also where nobody gets the
    /// exception, because the callers have a value that is due or stale, and where it is thrown to them. Not called if the factory was cancelled because its
    /// last caller had left.
    /// </summary>
    /// <remarks>
    /// It is called by the thread that the factory failed in, after those who wait know of it; several threads may call it at once. It should be quick: a
    /// caller of <c>GetOrAdd</c> waits for it. What it throws is ignored. <see cref="CacheStatistics.FailedFlights"/> counts failures in any case.
    /// </remarks>
    public Action<CacheFactoryFailure>? OnFactoryFailed { get; init; }
}
