using ShmAlloc.Layout;
using ShmAlloc.Participants;

namespace ShmAlloc.Memory.Linux;

/// <summary>
/// How the file of a heap gets longer, and what a failure has taken is given back. Any number of growers share a lock of the kernel; the one who
/// gives back owns it, so that nobody else is between getting storage and raising the committed size. The lock goes with the process that has it.
/// </summary>
/// <remarks>
/// Each has an open file description of its own for the lock, so that threads of one process are told apart as processes are. Only a mapping keeps it, as
/// that of a slot: a child that is forked meanwhile would keep a descriptor, and the lock with it, long after its parent was killed, and the heap would not
/// grow for anybody. The file is opened anew for what changes it: the heap's descriptor may be closed by a thread that detaches, and its number be
/// another file's, while this goes on.
/// </remarks>
internal static unsafe class GrowingFile
{
    /// <summary>Becomes one of those who are growing.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="growth">
    /// The address of the mapping that keeps the lock; where the process can have no more mappings, −1 − the descriptor that does; 0: there is none.
    /// </param>
    /// <returns>Ok; Contended: somebody gives back just now; or why the file cannot be opened.</returns>
    internal static ShmStatus Begin(Attachment* heap, out nint growth) => Lock(heap, isOwner: false, out growth);

    internal static ShmStatus TryCommit(Attachment* heap, ulong from, ulong to, out bool isBegun)
    {
        isBegun = false;
        int descriptor = SlotLock.Reopen(heap, out int error);
        if (descriptor < 0)
        {
            return CallFailure.StatusOf(error);
        }

        error = Preallocation.Commit(descriptor, heap->Geometry, from, to, out isBegun);
        Libc.Close(descriptor);
        return error == 0 ? ShmStatus.Ok : CallFailure.StatusOf(SystemCall.Fallocate, error);
    }

    /// <summary>First we are no grower any more: of several that fail at once, the last one gives back what all have taken.</summary>
    internal static bool TryBeginGivingBack(Attachment* heap, ref nint growth)
    {
        End(growth);
        return Lock(heap, isOwner: true, out growth) == ShmStatus.Ok;
    }

    internal static void GiveBack(Attachment* heap, ulong from)
    {
        int descriptor = SlotLock.Reopen(heap);
        if (descriptor >= 0)
        {
            Preallocation.Uncommit(descriptor, heap->Geometry, from);
            Libc.Close(descriptor);
        }
    }

    internal static void End(nint growth)
    {
        if (growth > 0)
        {
            Libc.Unmap((void*)growth, (nuint)Geometry.Page);
        }
        else if (growth < 0)
        {
            Libc.Close((int)(-1 - growth));
        }
    }

    private static ShmStatus Lock(Attachment* heap, bool isOwner, out nint growth)
    {
        growth = 0;
        int descriptor = SlotLock.Reopen(heap, out int error);
        if (descriptor < 0)
        {
            return CallFailure.StatusOf(error);
        }

        bool isLocked = isOwner ? FileLock.TryOwnGrowth(descriptor) : FileLock.TryShareGrowth(descriptor);
        growth = isLocked ? (nint)SlotLock.Keep(descriptor) : 0;
        if (isLocked && growth == 0)
        {
            growth = -1 - descriptor;
            return ShmStatus.Ok;
        }

        Libc.Close(descriptor);
        return isLocked ? ShmStatus.Ok : ShmStatus.Contended;
    }
}
