using Microsoft.Extensions.Caching.Distributed;
using ShmAlloc.Caching;

namespace ShmAlloc.Extensions.Caching.Distributed;

/// <summary>When an entry expires, in the words of one contract and of the other.</summary>
internal static class Expiry
{
    /// <summary>Of a relative and an absolute one the earlier counts; a sliding one is renewed by reads up to that.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It has expired already.</exception>
    internal static CacheEntryOptions Of(DistributedCacheEntryOptions options, DateTimeOffset now)
    {
        if (options.AbsoluteExpiration is { } absolute && absolute <= now)
        {
            throw OutOfRange(nameof(DistributedCacheEntryOptions.AbsoluteExpiration), absolute, "The absolute expiration value must be in the future.");
        }

        return new CacheEntryOptions
        {
            AbsoluteExpiration = options.AbsoluteExpiration,
            Lifetime = AtLeastOne(options.AbsoluteExpirationRelativeToNow),
            SlidingExpiration = options.SlidingExpiration is { } window ? Widened(window) : null,
        };
    }

    /// <summary>It names the option, as the setters of the others do.</summary>
    private static ArgumentOutOfRangeException OutOfRange(string name, object value, string message) => new(name, value, message);

    /// <summary>Time counts in milliseconds: what lives shorter than one lives one.</summary>
    internal static TimeSpan? AtLeastOne(TimeSpan? time) => time < TimeSpan.FromMilliseconds(1) ? TimeSpan.FromMilliseconds(1) : time;

    /// <summary>
    /// A read renews a window only when that moves it by more than an eighth, so that most reads write nothing. So that nothing expires early all the same,
    /// seven eighths of what is stored are what was asked for.
    /// </summary>
    private static TimeSpan Widened(TimeSpan window) => window.Ticks > TimeSpan.MaxValue.Ticks / 8
        ? window
        : TimeSpan.FromMilliseconds(Math.Ceiling(window.TotalMilliseconds * 8 / 7) + 1);
}
