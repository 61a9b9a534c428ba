using ShmAlloc.Layout;

namespace ShmAlloc.Caching;

/// <summary>
/// What is of use while room is made. A time, and by whose clock: that of the heap, or one that a cache was given for tests. Deadlines of one clock say nothing
/// by another. And one item that stays, although it might go.
/// </summary>
/// <remarks>Two words, so that it goes from call to call in registers: these calls are the deepest.</remarks>
internal readonly struct Moment
{
    private const int SparedAt = 8;

    private readonly ulong _milliseconds;

    /// <summary>In the lowest byte the clock: 0: the heap's; else that of the cache before it. Above it the unit that is spared, plus 1; 0: none.</summary>
    private readonly ulong _clockAndSpared;

    /// <param name="milliseconds">Of the clock.</param>
    /// <param name="clock">0: the heap's; else that of cache <paramref name="clock"/> − 1.</param>
    internal Moment(ulong milliseconds, uint clock) => (_milliseconds, _clockAndSpared) = (milliseconds, clock);

    /// <summary>By the clock of an item that is made at this time.</summary>
    internal Moment(ulong milliseconds, ItemShape made)
        : this(milliseconds, ClockOf(made))
    {
    }

    private Moment(ulong milliseconds, ulong clockAndSpared) => (_milliseconds, _clockAndSpared) = (milliseconds, clockAndSpared);

    /// <summary>The same, in which an item stays that lies at a unit.</summary>
    internal Moment Sparing(ulong unit) => new(_milliseconds, (_clockAndSpared & byte.MaxValue) | ((unit + 1) << SparedAt));

    /// <summary>Whether what lies at a unit stays in any case.</summary>
    internal bool Spares(ulong unit) => unit + 1 == _clockAndSpared >> SparedAt;

    /// <summary>Whether an item is known to have expired.</summary>
    internal bool IsPast(ulong deadline, ItemShape shape) =>
        deadline != 0 && deadline <= _milliseconds && ClockOf(shape) == (byte)_clockAndSpared;

    private static uint ClockOf(ItemShape shape) => shape.Is(ItemShape.OwnClock) ? shape.Cache + 1 : 0;
}
