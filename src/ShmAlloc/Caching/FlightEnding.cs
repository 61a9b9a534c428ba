using ShmAlloc.Layout;

namespace ShmAlloc.Caching;

/// <summary>What others find in the work word after a flight that has stored nothing, in whatever language.</summary>
internal static class FlightEnding
{
    /// <summary>
    /// So long each process works for itself after a value could not be stored. A time on a placeholder that lies further ahead is a clock set back.
    /// </summary>
    internal const ulong PassMilliseconds = 1000;

    /// <summary>For how many milliseconds others leave it, after a value was worked out that could not be stored.</summary>
    /// <param name="passes">Whether the next one cannot be stored either: it is too large, say, or expires too soon.</param>
    /// <param name="isPlaceholder">Whether there is nothing else.</param>
    /// <param name="pause">What the flight was begun with.</param>
    internal static ulong RestAfterValue(bool passes, bool isPlaceholder, ulong pause) => !passes ? 0 : isPlaceholder ? PassMilliseconds : pause;

    /// <summary>For how many milliseconds others leave it, after a flight that was given up.</summary>
    internal static ulong RestAfterEnd(bool hasFailed, bool isPlaceholder, ulong pause) => hasFailed && !isPlaceholder ? pause : 0;

    /// <summary>The word of that.</summary>
    /// <param name="rest">Milliseconds.</param>
    /// <param name="hasFailed">Whether who takes a stale value need not try meanwhile.</param>
    /// <param name="now">By the clock of the cache.</param>
    internal static WorkWord WordOf(ulong rest, bool hasFailed, ulong now)
    {
        ulong until = rest == 0 ? 0 : now + Math.Min(rest, uint.MaxValue);
        return hasFailed && until != 0 ? WorkWord.PauseUntil(until) : WorkWord.NotBefore(until);
    }
}
