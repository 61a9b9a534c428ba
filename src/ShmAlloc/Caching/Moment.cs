using ShmAlloc.Layout;

namespace ShmAlloc.Caching;

/// <summary>
/// What is of use while room is made. A time, and by whose clock: that of the heap, or one that a cache was given for tests. Deadlines of one clock say nothing
/// by another.
/// </summary>
/// <param name="Milliseconds">Of that clock.</param>
/// <param name="Clock">0: the heap's; else that of cache <paramref name="Clock"/> − 1.</param>
internal readonly record struct Moment(ulong Milliseconds, uint Clock)
{
    /// <summary>By the clock of an item that is made at this time.</summary>
    internal Moment(ulong milliseconds, ItemShape made)
        : this(milliseconds, ClockOf(made))
    {
    }

    /// <summary>Where an item lies that stays, although it might go: plus 1; 0: none.</summary>
    internal ulong Spared { get; init; }

    /// <summary>Whether an item is known to have expired.</summary>
    internal bool IsPast(ulong deadline, ItemShape shape) => deadline != 0 && deadline <= Milliseconds && ClockOf(shape) == Clock;

    private static uint ClockOf(ItemShape shape) => shape.Is(ItemShape.OwnClock) ? shape.Cache + 1 : 0;
}
