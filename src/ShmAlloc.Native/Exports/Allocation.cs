using System.Runtime;
using ShmAlloc.Allocation;
using ShmAlloc.Memory;
using ShmAlloc.Memory.Linux;
using ShmAlloc.Native.Process;
using ShmAlloc.Participants;

namespace ShmAlloc.Native.Exports;

/// <summary>Malloc, calloc and free by offset. The short way inline; whatever asks the system for something is in <see cref="Slow"/>.</summary>
internal static unsafe class Allocation
{
    [RuntimeExport("shm_malloc")]
    internal static ulong Malloc(ulong sizeBytes)
    {
        Attachment* heap = ProcessHeap.Current;
        ulong offset = heap != null ? ShortWay<Hardware>.Malloc(heap, sizeBytes) : 0;
        return offset != 0 ? offset : Slow.Malloc(sizeBytes, out _);
    }

    [RuntimeExport("shm_calloc")]
    internal static ulong Calloc(ulong count, ulong sizeBytes) => Slow.Calloc(count, sizeBytes, out _);

    [RuntimeExport("shm_free")]
    internal static void Free(ulong offset)
    {
        Attachment* heap = ProcessHeap.Current;
        if (heap == null || !ShortWay<Hardware>.Free(heap, offset))
        {
            Slow.Free(offset);
        }
    }

    /// <summary>The same, for who wants to know at once what became of it.</summary>
    [RuntimeExport("shm_try_free")]
    internal static int TryFree(ulong offset)
    {
        Attachment* heap = ProcessHeap.Current;
        return heap != null && ShortWay<Hardware>.Free(heap, offset) ? (int)ShmStatus.Ok : Slow.Free(offset);
    }

    [RuntimeExport("shm_usable_size")]
    internal static ulong UsableSize(ulong offset) => UsableSize(ProcessHeap.Find(), offset);

    internal static ulong UsableSize(Attachment* heap, ulong offset)
    {
        if (heap == null)
        {
            LastError.FailNoHeap();
            return 0;
        }

        int error = Libc.Error;
        ulong size = Heap<Hardware>.UsableSize(heap, offset);
        Libc.Error = error;
        if (size == 0)
        {
            LastError.Fail((int)ShmStatus.InvalidOffset);
        }

        return size;
    }
}
