namespace ShmAlloc.Extensions.Caching.Diagnostics;

/// <summary>What <c>shmalloc.cache.flights</c> calls the ways to get a value that was not there.</summary>
internal static class FlightOutcome
{
    /// <summary>The caller ran its factory at once, for all.</summary>
    internal const string Led = "led";

    /// <summary>The caller got what somebody else worked out meanwhile, in whatever process.</summary>
    internal const string Waited = "waited";

    /// <summary>Somebody else's value was there when the caller had just missed it.</summary>
    internal const string Landed = "landed elsewhere";

    /// <summary>The one for whom the caller waited took longer than the limit, and the caller ran its own factory.</summary>
    internal const string Timeout = "timeout";

    /// <summary>The one for whom the caller waited died, was cancelled, or came to no value that counts, and the caller ran its own factory.</summary>
    internal const string TakenOver = "taken over";

    /// <summary>The caller ran its factory, for its process at most, because it cannot share: no shared memory, no participant slot, too many tags.</summary>
    internal const string Impossible = "impossible";

    /// <summary>The caller ran its factory for its process only, because its flags or its expiration say so, or it cannot read what the key has.</summary>
    internal const string Alone = "alone";
}
