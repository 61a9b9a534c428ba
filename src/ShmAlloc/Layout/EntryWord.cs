using System.Globalization;

namespace ShmAlloc.Layout;

/// <summary>One entry of a cache's index: says where an item lies.</summary>
/// <remarks>
/// <code>
///  63          52 51          40 39                              0
/// +--------------+--------------+---------------------------------+
/// |  tag of hash |   version    |  first unit of the item, plus 1 |
/// +--------------+--------------+---------------------------------+
/// </code>
/// Empty if the unit is 0; the version stays. Every change counts the version up, so that an entry that reads the same twice was the same in between, but
/// for 4096 changes that end at the same unit with the same version: readers therefore compare the item's stamp as well, and whoever changes an entry
/// holds the item, which keeps the unit from being reused. (An item that its maker links, takes out and links again keeps its stamp: there 4096 changes of
/// one entry, between two steps of one set, would be taken for none.)
/// </remarks>
internal readonly struct EntryWord(ulong bits)
{
    private const int VersionAt = 40;
    internal const int TagAt = 52;
    private const ulong UnitMask = (1UL << VersionAt) - 1;
    private const ulong VersionMask = (1UL << (TagAt - VersionAt)) - 1;

    /// <summary>Units that an entry can name.</summary>
    internal const ulong MaxUnits = UnitMask - 1;

    internal ulong Bits { get; } = bits;

    internal bool IsEmpty => (Bits & UnitMask) == 0;

    internal ulong Unit => (Bits & UnitMask) - 1;

    internal uint Tag => (uint)(Bits >> TagAt);

    private ulong NextVersion => ((Bits >> VersionAt) + 1 & VersionMask) << VersionAt;

    internal EntryWord Emptied => new(NextVersion);

    internal EntryWord Naming(ulong unit, uint tag) => new(((ulong)tag << TagAt) | NextVersion | (unit + 1));

    /// <summary>The part of a hash that an entry repeats.</summary>
    internal static uint TagOf(ulong hash) => (uint)(hash >> TagAt);

    public override string ToString() =>
        IsEmpty ? "empty" : string.Create(CultureInfo.InvariantCulture, $"unit {Unit}, tag {Tag:x3}, version {Bits >> VersionAt & VersionMask}");
}
