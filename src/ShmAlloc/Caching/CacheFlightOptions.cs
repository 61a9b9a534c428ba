namespace ShmAlloc.Caching;

/// <summary>What those do who want a value that somebody else is working out, or that cannot be had now.</summary>
public readonly record struct CacheFlightOptions
{
    /// <summary>The default limit of a wait: 30 seconds.</summary>
    public static readonly TimeSpan DefaultWaitLimit = TimeSpan.FromSeconds(30);

    /// <summary>The default of <see cref="RetryAfter"/>: 1 second.</summary>
    public static readonly TimeSpan DefaultRetryAfter = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How long they wait for one that works, in time that the machine is awake; then one of them takes over. <see langword="null"/>: 30 seconds.
    /// <see cref="Timeout.InfiniteTimeSpan"/>: as long as it lives. Zero: they do not wait, and a factory that asks for
    /// its own key works the value out within itself, but only once. Other negative times are refused.
    /// </summary>
    public TimeSpan? WaitLimit { get; init; }

    /// <summary>
    /// Whether they take a value that has expired, where there is one whose <see cref="CacheEntryOptions.StaleFor"/> is not over, instead of waiting, and
    /// when the factory fails.
    /// </summary>
    public bool AllowStale { get; init; }

    /// <summary>
    /// How long those who have a stale value, or one that is due, do not try again after the factory has failed. <see langword="null"/>: 1 second. Zero or
    /// more.
    /// </summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>
    /// Whether <c>GetOrAdd</c>, too, works out the next value when the one that there is is due (see <see cref="CacheEntryOptions.RefreshAfter"/>): before it
    /// returns. <c>GetOrAddAsync</c> does so in the background in any case.
    /// </summary>
    public bool RefreshesInline { get; init; }

    internal TimeSpan Limit => WaitLimit ?? DefaultWaitLimit;

    internal TimeSpan Pause => RetryAfter ?? DefaultRetryAfter;

    internal void ThrowIfInvalid()
    {
        if (Limit < TimeSpan.Zero && Limit != Timeout.InfiniteTimeSpan)
        {
            throw new ArgumentOutOfRangeException(
                nameof(WaitLimit), Limit, $"Zero or more, or {nameof(Timeout)}.{nameof(Timeout.InfiniteTimeSpan)} for as long as it takes.");
        }

        if (Pause < TimeSpan.Zero)
        {
            throw new ArgumentOutOfRangeException(nameof(RetryAfter), Pause, "Zero or more.");
        }
    }
}
