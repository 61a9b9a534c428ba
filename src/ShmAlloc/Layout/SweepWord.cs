using System.Globalization;

namespace ShmAlloc.Layout;

/// <summary>What the hands note about a block: a hint.</summary>
/// <remarks>
/// <code>
///  63              32 31               0
/// +------------------+------------------+
/// |   turn, plus 1   |      since       |
/// +------------------+------------------+
/// </code>
/// Turn: how many blocks had been swept before it was swept last. Since: when the oldest of its new items may have come, by the clock of Probation.
/// 0: it was never swept.
/// </remarks>
internal readonly struct SweepWord(ulong bits)
{
    private const int TurnAt = 32;

    internal SweepWord(uint turn, uint since)
        : this(((ulong)(turn + 1) << TurnAt) | since)
    {
    }

    internal ulong Bits { get; } = bits;

    internal bool IsNever => Bits >> TurnAt == 0;

    internal uint Turn => (uint)(Bits >> TurnAt) - 1;

    internal uint Since => (uint)Bits;

    public override string ToString() => IsNever ? "never" : string.Create(CultureInfo.InvariantCulture, $"turn {Turn}, since {Since}");
}
