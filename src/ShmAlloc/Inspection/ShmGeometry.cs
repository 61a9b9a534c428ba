using ShmAlloc.Layout;

namespace ShmAlloc.Inspection;

/// <summary>The sizes that a heap was made with, and where its regions lie in the file. All but <see cref="CommittedBlocks"/> never changes.</summary>
/// <param name="UnitBytes">Bytes of a unit.</param>
/// <param name="BlockBytes">Bytes of a block.</param>
/// <param name="InitialBlocks">Blocks that it was made with: they keep their storage.</param>
/// <param name="CommittedBlocks">Blocks that there are now.</param>
/// <param name="MaximumBlocks">Blocks that it can grow to.</param>
/// <param name="LargestAllocationBytes">Larger requests are refused; 0: there is no such limit.</param>
/// <param name="Slots">Participant slots.</param>
/// <param name="Cells">Cells of a slot.</param>
/// <param name="OperationCells">How many of these, the first ones, are kept for operations.</param>
/// <param name="SlotsAt">Where the slots begin, in bytes from the beginning of the file, like all that follow.</param>
/// <param name="SummariesAt">Where the summaries of the hints begin.</param>
/// <param name="BlockWordsAt">Where the block words begin.</param>
/// <param name="HintsAt">Where the hints begin.</param>
/// <param name="BitmapsAt">Where the bitmap words begin.</param>
/// <param name="UserBaseAt">Where offset 0 is, the null page.</param>
public sealed record ShmGeometry(
    int UnitBytes,
    int BlockBytes,
    long InitialBlocks,
    long CommittedBlocks,
    long MaximumBlocks,
    long LargestAllocationBytes,
    int Slots,
    int Cells,
    int OperationCells,
    long SlotsAt,
    long SummariesAt,
    long BlockWordsAt,
    long HintsAt,
    long BitmapsAt,
    long UserBaseAt)
{
    /// <summary>Units of a block.</summary>
    public int UnitsPerBlock => BlockBytes / UnitBytes;

    /// <summary>Bytes that the file has at least.</summary>
    public long FileBytes => FirstBlockAt + (CommittedBlocks * BlockBytes);

    /// <summary>Where the first block begins, in bytes from the beginning of the file.</summary>
    public long FirstBlockAt => UserBaseAt + (long)Geometry.Page;

    /// <summary>Bytes of all blocks that there are.</summary>
    public long CommittedBytes => CommittedBlocks * BlockBytes;

    /// <summary>Bytes of all blocks that it can grow to.</summary>
    public long MaximumBytes => MaximumBlocks * BlockBytes;

    /// <summary>The block in which an offset lies.</summary>
    /// <param name="offset">An offset that is not null.</param>
    /// <returns>Its number; it may be beyond the last one.</returns>
    public long BlockOf(ShmOffset offset) => (long)((offset.Value - Geometry.Page) / (ulong)BlockBytes);

    /// <summary>Where a block begins.</summary>
    /// <param name="block">Its number.</param>
    /// <returns>The offset of its first byte.</returns>
    public ShmOffset OffsetOf(long block) => new(Geometry.Page + ((ulong)block * (ulong)BlockBytes));

    internal static ShmGeometry Of(in Geometry geometry, ulong initialBlocks, ulong committedBlocks) => new(
        1 << geometry.UnitShift,
        1 << geometry.BlockShift,
        (long)initialBlocks,
        (long)committedBlocks,
        (long)geometry.MaximumBlocks,
        (long)geometry.LargestAllocation,
        (int)geometry.Slots,
        geometry.Cells,
        geometry.OperationCells,
        (long)geometry.SlotsAt,
        (long)geometry.SummariesAt,
        (long)geometry.BlockWordsAt,
        (long)geometry.HintsAt,
        (long)geometry.BitmapsAt,
        (long)geometry.UserBaseAt);
}
