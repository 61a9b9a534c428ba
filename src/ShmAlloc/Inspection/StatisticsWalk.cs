using ShmAlloc.Allocation;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Inspection;

/// <summary>Makes an object of what a walk counted.</summary>
internal static unsafe class StatisticsWalk<TMachine>
    where TMachine : struct, IMachine
{
    internal static ShmStatistics Take(Attachment* heap)
    {
        HeapCounts counts;
        CountingWalk<TMachine>.Count(heap, &counts);
        ref readonly Geometry geometry = ref heap->Geometry;
        long[] freeRuns = new long[geometry.UnitsPerBlockShift + 1];
        for (int order = 0; order < freeRuns.Length; order++)
        {
            freeRuns[order] = counts.FreeRuns[order];
        }

        return new ShmStatistics
        {
            CapacityBytes = (long)(geometry.MaximumBlocks << geometry.BlockShift),
            CommittedBytes = (long)(counts.Blocks << geometry.BlockShift),
            UsedBytes = counts.UsedBytes(geometry),
            PrivateBytes = counts.PrivateBytes(geometry),
            FreeBytes = counts.FreeBytes(geometry),
            GivenBackBytes = counts.GivenBackBytes(geometry),
            CanGiveBack = TrimBlocks<TMachine>.IsPossible(heap),
            ManagementBytes = counts.ManagementBytes(geometry),
            Allocations = counts.Allocations,
            FreeRunsByOrder = freeRuns,
            LargestFreeBytes = counts.LargestFreeBytes(geometry),
            Blocks = new ShmBlockCounts(
                counts.States[(int)BlockState.Free],
                counts.States[(int)BlockState.Open],
                counts.States[(int)BlockState.Owned],
                counts.States[(int)BlockState.Busy],
                counts.InRuns,
                counts.InTransition,
                counts.GivenBack),
            Participants = counts.Participants,
            MaxParticipants = (int)geometry.Slots,
            UnitBytes = 1 << geometry.UnitShift,
        };
    }
}
