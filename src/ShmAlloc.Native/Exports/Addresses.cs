using System.Runtime;
using ShmAlloc.Allocation;
using ShmAlloc.Memory;
using ShmAlloc.Native.Process;
using ShmAlloc.Participants;

namespace ShmAlloc.Native.Exports;

/// <summary>
/// The same three on addresses of this process. Each looks once for the heap: another thread may leave it and open another one meanwhile, and an
/// offset in the one is no place in the other.
/// </summary>
internal static unsafe class Addresses
{
    [RuntimeExport("ptr_malloc")]
    internal static byte* Malloc(ulong sizeBytes)
    {
        Attachment* heap = ProcessHeap.Current;
        ulong offset = heap != null ? ShortWay<Hardware>.Malloc(heap, sizeBytes) : 0;
        offset = offset != 0 ? offset : Slow.Malloc(sizeBytes, out heap);
        return offset == 0 ? null : heap->UserBase + offset;
    }

    [RuntimeExport("ptr_calloc")]
    internal static byte* Calloc(ulong count, ulong sizeBytes)
    {
        ulong offset = Slow.Calloc(count, sizeBytes, out Attachment* heap);
        return offset == 0 ? null : heap->UserBase + offset;
    }

    [RuntimeExport("ptr_free")]
    internal static void Free(byte* address)
    {
        if (address == null)
        {
            return;
        }

        Attachment* heap = ProcessHeap.Current;
        heap = heap != null ? heap : ProcessHeap.Find();
        if (heap == null)
        {
            LastError.NoteNoHeap();
        }
        else if (!ShortWay<Hardware>.Free(heap, OffsetOf(heap, address)))
        {
            Slow.Free(heap, OffsetOf(heap, address));
        }
    }

    [RuntimeExport("ptr_usable_size")]
    internal static ulong UsableSize(byte* address)
    {
        Attachment* heap = ProcessHeap.Find();
        return Allocation.UsableSize(heap, heap == null || address == null ? 0 : OffsetOf(heap, address));
    }

    /// <summary>Offset 0 in this process.</summary>
    [RuntimeExport("get_shm_user_base")]
    internal static byte* UserBase()
    {
        Attachment* heap = ProcessHeap.Current;
        heap = heap != null ? heap : ProcessHeap.Find();
        return heap == null ? null : heap->UserBase;
    }

    /// <summary>An address in front of the heap becomes a huge offset; the base itself, the null page, one that no allocation has.</summary>
    private static ulong OffsetOf(Attachment* heap, byte* address)
    {
        ulong offset = (ulong)(address - heap->UserBase);
        return offset == 0 ? ulong.MaxValue : offset;
    }
}
