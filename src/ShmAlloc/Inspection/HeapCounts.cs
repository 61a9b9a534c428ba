using ShmAlloc.Layout;

namespace ShmAlloc.Inspection;

/// <summary>What a walk over a heap counted.</summary>
internal unsafe struct HeapCounts
{
    internal const int StateKinds = 16;

    /// <summary>Orders of free runs inside a block: 2^0 to 2^12 units.</summary>
    internal const int Orders = Geometry.MaxUnitsPerBlockShift + 1;

    internal fixed long FreeRuns[Orders];
    internal fixed long States[StateKinds];
    internal ulong Blocks;
    internal int Participants;
    internal long UsedUnits;
    internal long PrivateUnits;
    internal long FreeUnits;
    internal long Allocations;
    private long _largestFreeUnits;
    private long _largestFreeBlocks;
    private long _freeBlocks;

    internal readonly long InRuns => States[(int)BlockState.Run];

    internal readonly long InTransition =>
        States[(int)BlockState.Claiming] + States[(int)BlockState.Retired] + States[(int)BlockState.Freeing]
        + States[(int)BlockState.Baring];

    internal readonly long UsedBytes(in Geometry geometry) => (UsedUnits << geometry.UnitShift) + (InRuns << geometry.BlockShift);

    internal readonly long PrivateBytes(in Geometry geometry) => (PrivateUnits << geometry.UnitShift) + (InTransition << geometry.BlockShift);

    internal readonly long FreeBytes(in Geometry geometry) =>
        (FreeUnits << geometry.UnitShift) + (States[(int)BlockState.Free] << geometry.BlockShift) + GivenBackBytes(geometry);

    /// <summary>Blocks without storage.</summary>
    internal readonly long GivenBack => States[(int)BlockState.Bare];

    internal readonly long GivenBackBytes(in Geometry geometry) => GivenBack << geometry.BlockShift;

    internal readonly long ManagementBytes(in Geometry geometry) =>
        (long)(geometry.BackedBytes(Blocks) - (Blocks << geometry.BlockShift) - Geometry.Page);

    internal readonly long LargestFreeBytes(in Geometry geometry) =>
        Math.Max(_largestFreeUnits << geometry.UnitShift, _largestFreeBlocks << geometry.BlockShift);

    internal void Add(in BlockFigures figures)
    {
        UsedUnits += figures.Used;
        PrivateUnits += figures.Private;
        FreeUnits += figures.Free;
        Allocations += figures.Allocations;
        _largestFreeUnits = Math.Max(_largestFreeUnits, figures.LargestFree);
    }

    internal void CountFreeBlock(bool isFree)
    {
        if (isFree)
        {
            _freeBlocks++;
        }
        else
        {
            EndFreeBlocks();
        }
    }

    internal void EndFreeBlocks()
    {
        _largestFreeBlocks = Math.Max(_largestFreeBlocks, _freeBlocks);
        _freeBlocks = 0;
    }
}
