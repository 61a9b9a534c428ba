namespace ShmAlloc.Caching;

/// <summary>What those do who want a value that somebody else is working out.</summary>
public readonly record struct CacheFlightOptions
{
    /// <summary>The default limit of a wait: 30 seconds.</summary>
    public static readonly TimeSpan DefaultWaitLimit = TimeSpan.FromSeconds(30);

    /// <summary>How long they wait; then they work the value out themselves. <see langword="null"/>: 30 seconds.</summary>
    public TimeSpan? WaitLimit { get; init; }

    /// <summary>Whether they take the value that has expired, where there is one, instead of waiting.</summary>
    public bool AllowStale { get; init; }
}
