using ShmAlloc.Layout;

namespace ShmAlloc.Caching;

/// <content>What options say of an entry's life, and which of them cannot be had.</content>
public sealed unsafe partial class SharedCache
{
    /// <summary>Before anything is worked out: an expiry that is not in the future is misuse. A hit does not pay for the clock, nor for the tags.</summary>
    private void ThrowIfInvalid(in CacheEntryOptions options, in CacheFlightOptions flight)
    {
        flight.ThrowIfInvalid();
        if (options.AbsoluteExpiration is { } moment)
        {
            ThrowIfPast(LeftUntil(moment), moment, nameof(options.AbsoluteExpiration));
        }

        ThrowIfNotPositive(options.Lifetime, nameof(options.Lifetime));
        ThrowIfNotPositive(options.SlidingExpiration, nameof(options.SlidingExpiration));
        ThrowIfNotPositive(options.StaleFor, nameof(options.StaleFor));
        ThrowIfNotPositive(options.RefreshAfter, nameof(options.RefreshAfter));
        ThrowIfContradictory(options);
    }

    /// <summary>False if the value would have expired by now: working it out took so long, which is nobody's fault.</summary>
    private bool TryTranslate(in CacheEntryOptions options, ulong now, ulong* tags, out ItemOptions item)
    {
        CacheEntryOptions rebased = options;
        TimeSpan left = options.AbsoluteExpiration is { } moment ? LeftUntil(moment) : TimeSpan.MaxValue;
        if (options.AbsoluteExpiration != null)
        {
            ThrowIfContradictory(options);
            rebased = options with
            {
                AbsoluteExpiration = null,
                Lifetime = options.Lifetime < left ? options.Lifetime : left,

                // What would be due when it has expired, by now, is as if nothing had been said of that.
                RefreshAfter = options.RefreshAfter < left ? options.RefreshAfter : null,
            };
        }

        item = left <= TimeSpan.Zero ? default : Translate(rebased, now, tags);
        return left > TimeSpan.Zero;
    }

    private ItemOptions Translate(in CacheEntryOptions options, ulong now, ulong* tags)
    {
        ItemOptions item = default;
        LifeOf(options).Apply(ref item, now);
        item.Flags |= options.Pinned ? ItemShape.Pinned : 0;
        item.Flags |= _clock != null ? ItemShape.OwnClock : 0;
        item.Tags = tags;
        if (options.Tags.Names != null)
        {
            AddTags(ref item, Capture(options.Tags).Captured!);
        }

        return item;
    }

    private ItemLife LifeOf(in CacheEntryOptions options)
    {
        ItemLife life = new()
        {
            Lifetime = Milliseconds(options.Lifetime, nameof(options.Lifetime)),
            Left = options.AbsoluteExpiration is { } moment ? MillisecondsUntil(moment) : 0,
            Window = Milliseconds(options.SlidingExpiration, nameof(options.SlidingExpiration)),
        };
        ThrowIfContradictory(options);
        life.StaleFor = Milliseconds(options.StaleFor, nameof(options.StaleFor));
        life.RefreshAfter = Milliseconds(options.RefreshAfter, nameof(options.RefreshAfter));
        return life;
    }

    /// <summary>The last of those that were captured stands for all, in a cache that has such a one.</summary>
    private void AddTags(ref ItemOptions item, ulong[] captured)
    {
        item.TagCount = captured.Length - (_table->KeepsGeneration ? 1 : 0);
        for (int index = 0; index < item.TagCount; index++)
        {
            item.Tags[index] = captured[index];
        }

        item.TagOfAll = _table->KeepsGeneration ? captured[^1] : 0;
    }

    private TimeSpan LeftUntil(DateTimeOffset moment) => moment - (_clock?.GetUtcNow() ?? DateTimeOffset.UtcNow);

    private static void ThrowIfContradictory(in CacheEntryOptions options)
    {
        bool expires = options.Lifetime != null || options.AbsoluteExpiration != null;
        bool isTooLate = options.RefreshAfter >= options.Lifetime;
        switch (ItemLife.FaultOf(options.SlidingExpiration != null, options.StaleFor != null, options.RefreshAfter != null, isTooLate, expires))
        {
            case LifeFault.SlidesAndIsWorked:
                throw new ArgumentException(
                    $"A value with {nameof(options.SlidingExpiration)} has neither {nameof(options.StaleFor)} nor {nameof(options.RefreshAfter)}.",
                    nameof(options));
            case LifeFault.IsStaleWithoutExpiry:
                throw new ArgumentException(
                    $"{nameof(options.StaleFor)} counts from the expiry: give {nameof(options.Lifetime)} or {nameof(options.AbsoluteExpiration)}, too.",
                    nameof(options));
            case LifeFault.RefreshesTooLate:
                throw new ArgumentException(
                    $"{nameof(options.RefreshAfter)} ({options.RefreshAfter}) must be less than {nameof(options.Lifetime)} ({options.Lifetime}): "
                    + $"a value that has expired is worked out anew in any case. Leave {nameof(options.RefreshAfter)} null to work out nothing ahead.",
                    nameof(options));
        }
    }

    private static void ThrowIfNotPositive(TimeSpan? time, string name)
    {
        if (time <= TimeSpan.Zero)
        {
            throw new ArgumentOutOfRangeException(name, time, $"{name} must be more than zero; leave it null for none.");
        }
    }

    private static void ThrowIfPast(TimeSpan left, DateTimeOffset moment, string name)
    {
        if (left <= TimeSpan.Zero)
        {
            throw new ArgumentOutOfRangeException(name, moment, $"{name} must lie in the future.");
        }
    }

    private static ulong Milliseconds(TimeSpan? time, string name)
    {
        ThrowIfNotPositive(time, name);
        return time is { } given ? Whole(given) : 0;
    }

    private static ulong Whole(TimeSpan time) => Math.Max(1, (ulong)Math.Min(time.TotalMilliseconds, ItemLife.Longest));

    private ulong MillisecondsUntil(DateTimeOffset moment)
    {
        TimeSpan left = LeftUntil(moment);
        ThrowIfPast(left, moment, nameof(CacheEntryOptions.AbsoluteExpiration));
        return Whole(left);
    }
}
