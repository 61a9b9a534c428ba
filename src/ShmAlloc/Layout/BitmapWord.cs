using System.Numerics;
using System.Runtime.CompilerServices;

namespace ShmAlloc.Layout;

/// <summary>The whole truth about 32 consecutive units.</summary>
/// <remarks>
/// <code>
///  63                             32 31                              0
/// +---------------------------------+---------------------------------+
/// |  plane B: a last unit           |  plane A: body or published     |
/// +---------------------------------+---------------------------------+
///    unit 31                 unit 0    unit 31                 unit 0
///
///    A B   the unit is
///    0 0   free
///    1 0   body of an allocation (not its last unit)
///    1 1   last unit of a published allocation
///    0 1   last unit of a private allocation: being built, or garbage
/// </code>
/// CLOSED (unit 0 body, all others free) is a pattern that no open word can have, since a body is never followed by a free unit in its word.
/// In the file a word is stored exclusive-or CLOSED, so that a zero-filled file is closed.
/// Bitmap words change by compare-and-swap only.
/// </remarks>
internal readonly struct BitmapWord(ulong logical) : IEquatable<BitmapWord>
{
    /// <summary>Units that one word describes.</summary>
    internal const int Units = 32;

    internal const int UnitsShift = 5;

    private const ulong ClosedPattern = 1;

    private readonly ulong _logical = logical;

    internal static BitmapWord Closed => new(ClosedPattern);

    internal static BitmapWord Empty => default;

    internal static BitmapWord FromStored(ulong stored) => new(stored ^ ClosedPattern);

    internal ulong Stored => _logical ^ ClosedPattern;

    internal bool IsClosed => _logical == ClosedPattern;

    internal bool IsEmpty => _logical == 0;

    /// <summary>Units in use. Meaningless if closed, like all that follow.</summary>
    internal uint Used => PlaneA | PlaneB;

    /// <summary>Free units; none in a closed word.</summary>
    internal uint Free => IsClosed ? 0 : ~Used;

    internal uint Ends => PlaneB;

    internal uint Bodies => PlaneA & ~PlaneB;

    internal uint PublishedEnds => PlaneA & PlaneB;

    internal uint PrivateEnds => PlaneB & ~PlaneA;

    /// <summary>Whether each of <paramref name="units"/> is a body or the last unit of a published allocation.</summary>
    internal bool AreBodiesOrPublished(uint units) => (units & ~PlaneA) == 0;

    private uint PlaneA => (uint)_logical;

    private uint PlaneB => (uint)(_logical >> 32);

    /// <summary>Units <paramref name="first"/> to <paramref name="first"/> + <paramref name="count"/> − 1 of a word; count is 1 to 32.</summary>
    internal static uint Mask(int first, int count) => (uint.MaxValue >> (Units - count)) << first;

    /// <summary>
    /// A published allocation in both planes, for <see cref="HasRoomFor"/> and <see cref="With"/>: <paramref name="units"/> (1 to 32) units
    /// from <paramref name="first"/> on, all in one word.
    /// </summary>
    internal static ulong Published(int first, uint units)
    {
        ulong afterLast = 1UL << (int)units;
        return ((afterLast - 1) | (afterLast << (Units - 1))) << first;
    }

    /// <summary>Whether all units of <paramref name="allocation"/> are free.</summary>
    internal bool HasRoomFor(ulong allocation) => !IsClosed && ((uint)allocation & Used) == 0;

    /// <summary>Claims what <see cref="Published"/> gave.</summary>
    internal BitmapWord With(ulong allocation) => new(_logical | allocation);

    /// <summary>Claims <paramref name="units"/>, with <paramref name="end"/> (one of them, or 0) a private last unit.</summary>
    internal BitmapWord WithPrivate(uint units, uint end) => new(_logical | (units & ~end) | ((ulong)end << 32));

    /// <summary>Private → published.</summary>
    internal BitmapWord Publish(uint end) => new(_logical | end);

    /// <summary>Published → private: the logical free.</summary>
    internal BitmapWord Withdraw(uint end) => new(_logical & ~(ulong)end);

    /// <summary>Makes units free.</summary>
    internal BitmapWord Without(uint units) => new(_logical & ~(units | ((ulong)units << 32)));

    /// <summary>A body that a free unit of the same word follows: impossible in an open word.</summary>
    internal bool IsMalformed => !IsClosed && (Bodies & ~(Used >> 1) & 0x7FFF_FFFF) != 0;

    public bool Equals(BitmapWord other) => _logical == other._logical;

    public override bool Equals(object? obj) => obj is BitmapWord other && Equals(other);

    public override int GetHashCode() => _logical.GetHashCode();

    public static bool operator ==(BitmapWord left, BitmapWord right) => left._logical == right._logical;

    public static bool operator !=(BitmapWord left, BitmapWord right) => left._logical != right._logical;

    /// <summary>Each unit as a letter, unit 0 first: <c>.</c> free, <c>-</c> body, <c>P</c> published end, <c>p</c> private end.</summary>
    public override string ToString()
    {
        if (IsClosed)
        {
            return "CLOSED";
        }

        Span<char> letters = stackalloc char[Units];
        for (int unit = 0; unit < Units; unit++)
        {
            bool a = (PlaneA >> unit & 1) != 0;
            bool b = (PlaneB >> unit & 1) != 0;
            letters[unit] = (a, b) switch { (false, false) => '.', (true, false) => '-', (true, true) => 'P', _ => 'p' };
        }

        return new string(letters);
    }

    /// <summary>First units of runs of <paramref name="count"/> (1 to 32) set bits.</summary>
    internal static uint Starts(uint free, int count)
    {
        uint starts = free;
        for (int have = 1; have < count;)
        {
            int step = Math.Min(have, count - have);
            starts &= starts >> step;
            have += step;
        }

        return starts;
    }

    /// <summary>Length of the run of set bits around bit <paramref name="position"/>, which is set.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int RunAround(uint bits, int position)
    {
        int above = BitOperations.TrailingZeroCount(~(bits >> position));
        int below = position == 0 ? 0 : BitOperations.LeadingZeroCount(~(bits << (Units - position)));
        return Math.Min(above, Units - position) + below;
    }
}
