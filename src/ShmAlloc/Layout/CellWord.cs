using System.Globalization;

namespace ShmAlloc.Layout;

/// <summary>Names the place that one thread of a participant is working on, and thereby keeps it from being reused.</summary>
/// <remarks>
/// <code>
///  63                                        24 23              4 3    0
/// +--------------------------------------------+-----------------+------+
/// |        first unit                          | length in units | kind |
/// +--------------------------------------------+-----------------+------+
/// </code>
/// Lengths lie within a block (at most 4096 units). Zero is free. Setting a cell is an announcement (a full fence); clearing it is a release.
/// </remarks>
internal readonly struct CellWord(ulong bits)
{
    private const int LengthAt = 4;
    private const int UnitAt = 24;

    /// <summary>The largest unit number that a cell can name.</summary>
    internal const ulong MaxUnit = (1UL << (64 - UnitAt)) - 1;

    internal const ulong MaxLength = (1UL << (UnitAt - LengthAt)) - 1;

    internal CellWord(CellKind kind, ulong unit, ulong lengthUnits)
        : this((ulong)kind | lengthUnits << LengthAt | unit << UnitAt)
    {
    }

    internal ulong Bits { get; } = bits;

    internal CellKind Kind => (CellKind)(Bits & 15);

    internal ulong Unit => Bits >> UnitAt;

    internal ulong LengthUnits => Bits >> LengthAt & MaxLength;

    internal bool IsNone => Bits == 0;

    public override string ToString() =>
        IsNone ? "none" : string.Create(CultureInfo.InvariantCulture, $"{Kind}(unit {Unit}, length {LengthUnits})");
}
