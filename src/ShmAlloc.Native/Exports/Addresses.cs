using System.Runtime;
using ShmAlloc.Native.Process;
using ShmAlloc.Participants;

namespace ShmAlloc.Native.Exports;

/// <summary>The same three on addresses of this process.</summary>
internal static unsafe class Addresses
{
    [RuntimeExport("ptr_malloc")]
    internal static byte* Malloc(ulong sizeBytes) => AddressOf(Allocation.Malloc(sizeBytes));

    [RuntimeExport("ptr_calloc")]
    internal static byte* Calloc(ulong count, ulong sizeBytes) => AddressOf(Allocation.Calloc(count, sizeBytes));

    [RuntimeExport("ptr_free")]
    internal static void Free(byte* address)
    {
        Attachment* heap = ProcessHeap.Current;
        if (heap != null && address != null)
        {
            Allocation.Free(OffsetOf(heap, address));
        }
        else if (address != null)
        {
            heap = ProcessHeap.Find();
            if (heap == null)
            {
                LastError.NoteNoHeap();
            }
            else
            {
                Allocation.Free(OffsetOf(heap, address));
            }
        }
    }

    [RuntimeExport("ptr_usable_size")]
    internal static ulong UsableSize(byte* address)
    {
        Attachment* heap = ProcessHeap.Find();
        return Allocation.UsableSize(heap == null || address == null ? 0 : OffsetOf(heap, address));
    }

    /// <summary>Offset 0 in this process.</summary>
    [RuntimeExport("get_shm_user_base")]
    internal static byte* UserBase()
    {
        Attachment* heap = ProcessHeap.Current;
        heap = heap != null ? heap : ProcessHeap.Find();
        return heap == null ? null : heap->UserBase;
    }

    private static byte* AddressOf(ulong offset)
    {
        Attachment* heap = ProcessHeap.Current;
        return offset == 0 || heap == null ? null : heap->UserBase + offset;
    }

    /// <summary>An address in front of the heap becomes a huge offset; the base itself, the null page, one that no allocation has.</summary>
    private static ulong OffsetOf(Attachment* heap, byte* address)
    {
        ulong offset = (ulong)(address - heap->UserBase);
        return offset == 0 ? ulong.MaxValue : offset;
    }
}
