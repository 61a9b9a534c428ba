using System.Runtime.CompilerServices;
using ShmAlloc.Allocation;
using ShmAlloc.Memory;
using ShmAlloc.Memory.Linux;
using ShmAlloc.Native.Process;
using ShmAlloc.Participants;

namespace ShmAlloc.Native.Exports;

/// <summary>The long ways of allocation: they may find the heap after a fork and make system calls, so they look after <c>errno</c>.</summary>
internal static unsafe class Slow
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static ulong Malloc(ulong sizeBytes, out Attachment* heap)
    {
        int error = Libc.Error;
        heap = ProcessHeap.Find();
        if (heap == null)
        {
            LastError.FailNoHeap();
            return 0;
        }

        ulong offset = Heap<Hardware>.Malloc(heap, sizeBytes, out ShmStatus status);
        return Done(heap, offset, status, error);
    }

    /// <summary>The core's own: it keeps the mapping until the memory is zero, whoever leaves the heap meanwhile.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static ulong Calloc(ulong count, ulong sizeBytes, out Attachment* heap)
    {
        int error = Libc.Error;
        heap = ProcessHeap.Find();
        if (heap == null)
        {
            LastError.FailNoHeap();
            return 0;
        }

        ulong offset = Heap<Hardware>.Calloc(heap, count, sizeBytes, out ShmStatus status);
        return Done(heap, offset, status, error);
    }

    /// <returns>What became of it. <c>errno</c> stays as it was, as <c>free</c> of the C library has it.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static int Free(ulong offset)
    {
        if (offset == 0)
        {
            return (int)ShmStatus.Ok;
        }

        int error = Libc.Error;
        int code = Free(ProcessHeap.Find(), offset);
        Libc.Error = error;
        return code;
    }

    /// <returns>The same, of a heap that was found already.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static int Free(Attachment* heap, ulong offset)
    {
        int error = Libc.Error;
        int code = heap == null ? LastError.WhyNoHeap : (int)Heap<Hardware>.Free(heap, offset);
        Libc.Error = error;
        if (code != 0)
        {
            LastError.Note(code);
        }

        return ErrorCode.WithoutCause(code);
    }

    /// <summary>Success leaves <c>errno</c> as it was; failure says why.</summary>
    private static ulong Done(Attachment* heap, ulong offset, ShmStatus status, int error)
    {
        Libc.Error = error;
        if (offset == 0)
        {
            LastError.Fail(ErrorCode.Of(heap, status));
        }

        return offset;
    }
}
