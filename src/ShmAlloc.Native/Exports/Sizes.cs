using System.Runtime;
using ShmAlloc.Layout;
using ShmAlloc.Native.Process;
using ShmAlloc.Participants;

namespace ShmAlloc.Native.Exports;

/// <summary>Limits: of the heap of this process, or, before there is one, of the heap that the settings would make.</summary>
internal static unsafe class Sizes
{
    [RuntimeExport("get_shm_max_allocatable_size")]
    internal static ulong Largest()
    {
        Attachment* heap = ProcessHeap.Find();
        if (heap != null)
        {
            return heap->LargestRequest;
        }

        if (!Plan(out Geometry geometry))
        {
            return 0;
        }

        ulong whole = geometry.MaximumBlocks << geometry.BlockShift;
        return geometry.LargestAllocation == 0 ? whole : Math.Min(whole, geometry.LargestAllocation);
    }

    [RuntimeExport("get_shm_min_allocatable_size")]
    internal static ulong Smallest()
    {
        Attachment* heap = ProcessHeap.Find();
        return heap != null ? 1UL << heap->Geometry.UnitShift : Plan(out Geometry geometry) ? 1UL << geometry.UnitShift : 0;
    }

    /// <summary>Nothing lies in front of an allocation: the bitmap says where it ends.</summary>
    [RuntimeExport("get_sizeof_block_header")]
    internal static ulong Header() => 0;

    [RuntimeExport("get_mapping_size_needed_by_shm")]
    internal static ulong Mapping()
    {
        Attachment* heap = ProcessHeap.Find();
        return heap != null ? heap->MappingBytes : Plan(out Geometry geometry) ? geometry.FileBytes(geometry.MaximumBlocks) : 0;
    }

    private static bool Plan(out Geometry geometry)
    {
        geometry = default;
        int code = Settings.TryRead(out _, out HeapSpecification wanted);
        code = code != 0 ? code : ErrorCode.Of(wanted.TryPlan(out geometry, out _).Reason);
        if (code != 0)
        {
            LastError.Fail(code);
        }

        return code == 0;
    }
}
