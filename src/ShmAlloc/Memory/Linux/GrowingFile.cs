using ShmAlloc.Participants;

namespace ShmAlloc.Memory.Linux;

/// <summary>
/// How the file of a heap gets longer, and what a failure has taken is given back. Any number of growers share a lock of the kernel; the one who
/// gives back owns it, so that nobody else is between getting storage and raising the committed size. The lock goes with the process that has it.
/// </summary>
/// <remarks>
/// Each has a descriptor of its own: the heap's may be closed by a thread that detaches, and its number be another file's, while this goes on; and
/// so threads of one process are told apart as processes are.
/// </remarks>
internal static unsafe class GrowingFile
{
    internal static ShmStatus Begin(Attachment* heap, out int descriptor)
    {
        descriptor = SlotLock.Reopen(heap, out int error);
        if (descriptor < 0)
        {
            return CallFailure.StatusOf(error);
        }

        if (FileLock.TryShareGrowth(descriptor))
        {
            return ShmStatus.Ok;
        }

        Libc.Close(descriptor);
        return ShmStatus.Contended;
    }

    internal static ShmStatus TryCommit(Attachment* heap, int descriptor, ulong from, ulong to, out bool isBegun) =>
        Preallocation.Commit(descriptor, heap->Geometry, from, to, out isBegun) is var error and not 0
            ? CallFailure.StatusOf(SystemCall.Fallocate, error)
            : ShmStatus.Ok;

    /// <summary>First we are no grower any more: of several that fail at once, the last one gives back what all have taken.</summary>
    internal static bool TryBeginGivingBack(int descriptor)
    {
        FileLock.LeaveGrowth(descriptor);
        return FileLock.TryOwnGrowth(descriptor);
    }

    internal static void End(int descriptor)
    {
        FileLock.LeaveGrowth(descriptor);
        Libc.Close(descriptor);
    }
}
