using ShmAlloc.Layout;

namespace ShmAlloc.Caching;

/// <summary>What cannot be said of one value at once.</summary>
internal enum LifeFault
{
    None,

    /// <summary>What slides is neither given out when it is stale, nor worked out ahead.</summary>
    SlidesAndIsWorked,

    /// <summary>It never expires, so it never is stale.</summary>
    IsStaleWithoutExpiry,

    /// <summary>It has expired when the next one would be worked out ahead.</summary>
    RefreshesTooLate,
}

/// <summary>How long an item lives, in milliseconds from now on, in whatever language it was said. A field that is 0 was not said.</summary>
internal struct ItemLife
{
    /// <summary>Three thousand years are as good as for ever, and nothing overflows.</summary>
    internal const ulong Longest = 100_000_000_000_000;

    /// <summary>After what time it expires.</summary>
    internal ulong Lifetime;

    /// <summary>The same, of a point in time; the earlier one counts.</summary>
    internal ulong Left;

    /// <summary>After what time without use it expires.</summary>
    internal ulong Window;

    /// <summary>How long after it has expired it may be given out.</summary>
    internal ulong StaleFor;

    /// <summary>After what time the next value is worked out ahead.</summary>
    internal ulong RefreshAfter;

    /// <summary>Whether what is said contradicts itself.</summary>
    internal static LifeFault FaultOf(bool slides, bool canBeStale, bool isRefreshed, bool isTooLate, bool expires) =>
        slides && (canBeStale || isRefreshed) ? LifeFault.SlidesAndIsWorked
        : canBeStale && !expires ? LifeFault.IsStaleWithoutExpiry
        : isRefreshed && isTooLate ? LifeFault.RefreshesTooLate
        : LifeFault.None;

    internal readonly LifeFault Fault =>
        FaultOf(Window != 0, StaleFor != 0, RefreshAfter != 0, Lifetime != 0 && RefreshAfter >= Lifetime, (Lifetime | Left) != 0);

    /// <summary>Says so to an item that is made now.</summary>
    internal readonly void Apply(ref ItemOptions item, ulong now)
    {
        item.Deadline = After(now, Lifetime);
        if (Left != 0)
        {
            ulong deadline = After(now, Left);
            item.Deadline = item.Deadline == 0 ? deadline : Math.Min(deadline, item.Deadline);
        }

        if (Window != 0)
        {
            item.Flags |= ItemShape.Sliding;
            item.Window = Math.Min(Window, Longest);
            item.LastDeadline = item.Deadline;
            item.Deadline = item.LastDeadline == 0 ? now + item.Window : Math.Min(now + item.Window, item.LastDeadline);
        }
        else if (StaleFor != 0 || RefreshAfter != 0)
        {
            item.StaleFor = Math.Min(StaleFor, Longest);
            item.Flags |= ItemShape.Worked;
            item.Work = (RefreshAfter == 0 ? WorkWord.WhenExpired : WorkWord.NotBefore(After(now, RefreshAfter))).Bits;
        }
    }

    /// <summary>A time after another one; 0 if none was said.</summary>
    internal static ulong After(ulong now, ulong milliseconds) => milliseconds == 0 ? 0 : now + Math.Min(milliseconds, Longest);
}
