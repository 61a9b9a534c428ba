using System.Numerics;
using ShmAlloc.Memory;

namespace ShmAlloc.Layout;

/// <summary>What somebody who creates or attaches a heap asks for; 0 means "not said".</summary>
internal unsafe struct HeapSpecification
{
    internal const ulong DefaultUnitBytes = 32;
    internal const ulong DefaultSizeBytes = 16UL << 20;
    internal const ulong DefaultMaximumBytes = 1UL << 30;
    internal const ulong FewestBytesByDefault = 1UL << 20;
    internal const ulong DefaultBlockBytes = 64UL << 10;
    internal const uint DefaultParticipants = 64;
    internal const ulong DefaultTrimAfter = 10_000;

    /// <summary>In smaller heaps a block is half as large: of the one that is being filled, half is empty.</summary>
    private const ulong FewestBytesOfDefaultBlocks = 8UL << 20;

    /// <summary>Small heaps get smaller blocks still, so that they have at least this many.</summary>
    private const ulong FewestBlocks = 64;

    internal ulong UnitBytes;
    internal ulong LargestAllocationBytes;

    /// <summary>It was said that allocations have no limit.</summary>
    internal bool IsUnlimited;

    internal ulong BlockBytes;
    internal ulong SizeBytes;
    internal ulong MaximumSizeBytes;
    internal ulong Participants;
    internal uint Mode;
    internal bool AllowForeignOwner;
    internal bool ReadOnly;

    /// <summary>Milliseconds after which free blocks are given back by themselves; 0: never.</summary>
    internal ulong TrimAfter;

    /// <summary>Accept a copy of a heap's file although slots were taken in it.</summary>
    internal bool AllowCopy;

    /// <summary>What a heap grows to if that was not said, also beyond the initial size; 0: 1 GiB, or the initial size if that was said.</summary>
    internal ulong DefaultMaximum;

    /// <summary>How large the file system is, of which defaults leave half; 0: that is not known.</summary>
    internal ulong FileSystemBytes;

    /// <summary>Works out the geometry of a heap to be created, or which option is out of its range.</summary>
    internal readonly Failure TryPlan(out Geometry geometry, out ulong initialBlocks)
    {
        geometry = default;
        initialBlocks = 0;
        ulong unit = UnitBytes == 0 ? DefaultUnitBytes : UnitBytes;
        if (!BitOperations.IsPow2(unit) || unit is < 1 << Geometry.MinUnitShift or > 1 << Geometry.MaxUnitShift)
        {
            return Invalid(OptionName.UnitBytes, unit);
        }

        ulong maximum = MaximumSizeBytes != 0 ? MaximumSizeBytes
            : SizeBytes != 0 && DefaultMaximum == 0 ? SizeBytes
            : Math.Max(SizeBytes, ChooseMaximum());
        ulong size = SizeBytes != 0 ? SizeBytes : Math.Min(DefaultSizeBytes, maximum);
        if (size > maximum)
        {
            return Invalid(OptionName.SizeBytes, size);
        }

        ulong block = BlockBytes == 0 ? ChooseBlock(unit, maximum) : BlockBytes;
        if (!BitOperations.IsPow2(block) || block < unit * BitmapWord.Units || block > unit << Geometry.MaxUnitsPerBlockShift)
        {
            return Invalid(OptionName.BlockBytes, block);
        }

        ulong participants = Participants == 0 ? DefaultParticipants : Participants;
        if (participants > Geometry.MaxSlots)
        {
            return Invalid(OptionName.MaxParticipants, participants);
        }

        int blockShift = BitOperations.Log2(block);
        ulong maximumBlocks = CeilingShift(maximum, blockShift);
        initialBlocks = CeilingShift(size, blockShift);
        bool fits = Geometry.TryCreate(
            BitOperations.Log2(unit), blockShift, (uint)participants, LargestAllocationBytes, maximumBlocks, out geometry);
        return fits ? default : Invalid(MaximumSizeBytes == 0 && SizeBytes != 0 ? OptionName.SizeBytes : OptionName.MaximumSizeBytes, maximum);
    }

    /// <summary>Compares what was said with a heap that exists.</summary>
    internal readonly Failure Contradiction(in Geometry geometry, ulong initialBlocks)
    {
        Failure failure = Compare(OptionName.UnitBytes, UnitBytes, 1UL << geometry.UnitShift);
        failure = failure.IsNone ? Compare(OptionName.BlockBytes, BlockBytes, geometry.BlockBytes) : failure;
        failure = failure.IsNone ? Compare(OptionName.LargestAllocationBytes, LargestAllocationBytes, geometry.LargestAllocation) : failure;
        failure = failure.IsNone && IsUnlimited && geometry.LargestAllocation != 0
            ? Failure.OfOption(OptionName.LargestAllocationBytes, geometry.LargestAllocation, 0)
            : failure;
        failure = failure.IsNone ? Compare(OptionName.MaxParticipants, Participants, geometry.Slots) : failure;
        failure = failure.IsNone ? CompareSize(OptionName.SizeBytes, SizeBytes, initialBlocks, geometry) : failure;
        return failure.IsNone ? CompareSize(OptionName.MaximumSizeBytes, MaximumSizeBytes, geometry.MaximumBlocks, geometry) : failure;
    }

    private static Failure Compare(OptionName option, ulong expected, ulong found) =>
        expected == 0 || expected == found ? default : Failure.OfOption(option, found, expected);

    private static Failure CompareSize(OptionName option, ulong expected, ulong foundBlocks, in Geometry geometry) =>
        expected == 0 || geometry.BlocksFor(expected) == foundBlocks
            ? default
            : Failure.OfOption(option, foundBlocks << geometry.BlockShift, expected);

    private static Failure Invalid(OptionName option, ulong value) =>
        new() { Reason = ShmFailure.InvalidOption, Option = option, Expected = value };

    private readonly ulong ChooseMaximum()
    {
        ulong maximum = DefaultMaximum == 0 ? DefaultMaximumBytes : DefaultMaximum;
        return FileSystemBytes == 0 ? maximum : Math.Min(Math.Max(FileSystemBytes / 2, FewestBytesByDefault), maximum);
    }

    private static ulong ChooseBlock(ulong unit, ulong maximum)
    {
        ulong block = maximum >= FewestBytesOfDefaultBlocks ? DefaultBlockBytes : DefaultBlockBytes / 2;
        while (block > Geometry.Page && block * FewestBlocks > maximum)
        {
            block /= 2;
        }

        return Math.Max(block, unit * BitmapWord.Units);
    }

    private static ulong CeilingShift(ulong value, int shift) => (value >> shift) + ((value & ((1UL << shift) - 1)) == 0 ? 0UL : 1UL);
}
