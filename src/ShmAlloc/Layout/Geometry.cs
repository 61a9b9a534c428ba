using System.Numerics;

namespace ShmAlloc.Layout;

/// <summary>
/// Everything that follows from the parameters a heap was created with: sizes, and where each region lies in the file.
/// Computed by creator and attacher alike and compared with the header, so a header cannot make anyone look elsewhere.
/// </summary>
/// <remarks>
/// <code>
/// +--------------------------+ 0
/// | header                   |  one page
/// +--------------------------+ SlotsAt
/// | slots                    |  1088 bytes each
/// +--------------------------+ SummariesAt
/// | hint summaries           |  16 planes; one bit for 64 blocks in each
/// +--------------------------+ BlockWordsAt
/// | block words              |  8 bytes for each block      (*)
/// +--------------------------+ HintsAt
/// | hint groups              |  128 bytes for 64 blocks     (*)
/// +--------------------------+ BitmapsAt
/// | bitmap words             |  8 bytes for 32 units        (*)
/// +--------------------------+ UserBaseAt = offset 0
/// | null page, read-only     |
/// +--------------------------+ offset 4096
/// | blocks                   |                              (*)
/// +--------------------------+ FileBytes
///   (*) sized for the maximum; preallocated for the committed blocks only
/// </code>
/// </remarks>
internal struct Geometry
{
    internal const ulong Page = 4096;
    internal const int MinUnitShift = 4;
    internal const int MaxUnitShift = 12;
    internal const int MaxUnitsPerBlockShift = 12;
    internal const int MaxWordsPerBlock = 1 << (MaxUnitsPerBlockShift - BitmapWord.UnitsShift);
    internal const int MaxSlots = 65535;

    /// <summary>Words of one hint group: a plane each, for 64 blocks.</summary>
    internal const int Planes = 16;

    /// <summary>The plane of blocks that are thought to be free.</summary>
    internal const int FreePlane = 13;

    /// <summary>Natural alignment is kept up to this many bytes.</summary>
    internal const ulong MaxAlignment = Page;

    /// <summary>The summary of a plane has cache lines of its own: that of the free blocks is read at every free, and others change all the time.</summary>
    private const ulong WordsInLine = 8;

    private const ulong MaxUnits = CellWord.MaxUnit;

    internal int UnitShift;

    /// <summary>Bytes of a unit − 1.</summary>
    internal uint UnitMask;
    internal int BlockShift;
    internal uint Slots;

    /// <summary>Cells of a slot that are used, and how many of them are for operations.</summary>
    internal int Cells;
    internal int OperationCells;
    internal ulong LargestAllocation;
    internal ulong MaximumBlocks;

    internal int UnitsPerBlockShift;
    internal uint UnitsPerBlock;
    internal uint WordsPerBlock;
    internal ulong SummaryWords;
    internal ulong SlotsAt;
    internal ulong SummariesAt;
    internal ulong BlockWordsAt;
    internal ulong HintsAt;
    internal ulong BitmapsAt;
    internal ulong UserBaseAt;

    /// <summary>Works out the layout. False if a parameter is out of its range; nothing overflows.</summary>
    internal static bool TryCreate(int unitShift, int blockShift, uint slots, ulong largest, ulong maximumBlocks, out Geometry geometry)
    {
        geometry = default;
        int unitsPerBlockShift = blockShift - unitShift;
        if (unitShift is < MinUnitShift or > MaxUnitShift
            || unitsPerBlockShift is < BitmapWord.UnitsShift or > MaxUnitsPerBlockShift
            || slots is 0 or > MaxSlots
            || maximumBlocks is 0 or > BlockWord.MaxBlocks
            || maximumBlocks > MaxUnits >> unitsPerBlockShift)
        {
            return false;
        }

        geometry.UnitShift = unitShift;
        geometry.UnitMask = (1u << unitShift) - 1;
        geometry.BlockShift = blockShift;
        geometry.Slots = slots;
        geometry.Cells = SlotLayout.Cells;
        geometry.OperationCells = SlotLayout.OperationCells;
        geometry.LargestAllocation = largest;
        geometry.MaximumBlocks = maximumBlocks;
        geometry.UnitsPerBlockShift = unitsPerBlockShift;
        geometry.UnitsPerBlock = 1u << unitsPerBlockShift;
        geometry.WordsPerBlock = geometry.UnitsPerBlock >> BitmapWord.UnitsShift;
        ulong groups = Groups(maximumBlocks);
        geometry.SummaryWords = ((groups + 63) / 64 + WordsInLine - 1) & ~(WordsInLine - 1);

        geometry.SlotsAt = Page;
        geometry.SummariesAt = PageUp(geometry.SlotsAt + ((ulong)slots * SlotLayout.Size));
        geometry.BlockWordsAt = PageUp(geometry.SummariesAt + (geometry.SummaryWords * Planes * sizeof(ulong)));
        geometry.HintsAt = PageUp(geometry.BlockWordsAt + (maximumBlocks * sizeof(ulong)));
        geometry.BitmapsAt = PageUp(geometry.HintsAt + (groups * Planes * sizeof(ulong)));
        geometry.UserBaseAt = PageUp(geometry.BitmapsAt + (maximumBlocks * geometry.WordsPerBlock * sizeof(ulong)));
        return true;
    }

    /// <summary>Length of the file with so many blocks committed.</summary>
    internal readonly ulong FileBytes(ulong blocks) => UserBaseAt + Page + (blocks << BlockShift);

    /// <summary>Bytes that are preallocated with so many blocks committed; the rest of the file is holes.</summary>
    internal readonly ulong BackedBytes(ulong blocks) =>
        BlockWordsAt + (blocks * sizeof(ulong)) + (Groups(blocks) * Planes * sizeof(ulong))
        + (blocks * WordsPerBlock * sizeof(ulong)) + Page + (blocks << BlockShift);

    internal readonly ulong BlockBytes => 1UL << BlockShift;

    /// <summary>Blocks that so many bytes need.</summary>
    internal readonly ulong BlocksFor(ulong bytes) => (bytes >> BlockShift) + ((bytes & (BlockBytes - 1)) == 0 ? 0UL : 1UL);

    /// <summary>Hint groups for so many blocks.</summary>
    internal static ulong Groups(ulong blocks) => (blocks + 63) / 64;

    /// <summary>Smallest k with 2^k ≥ <paramref name="value"/>, which is not 0.</summary>
    internal static int CeilingLog2(ulong value) => value <= 1 ? 0 : 64 - BitOperations.LeadingZeroCount(value - 1);

    private static ulong PageUp(ulong value) => (value + Page - 1) & ~(Page - 1);
}
