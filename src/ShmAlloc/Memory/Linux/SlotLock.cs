using System.Runtime.CompilerServices;
using ShmAlloc.Layout;
using ShmAlloc.Participants;

namespace ShmAlloc.Memory.Linux;

/// <summary>
/// The lock that says a participant lives. It belongs to an open file description of its own, which only a mapping keeps open: no descriptor
/// that the host could close,
/// and no copy in a child after <c>fork</c>. The kernel drops it when the process ends or calls <c>exec</c>, whatever its children do.
/// </summary>
internal static unsafe class SlotLock
{
    internal static bool TryHold(Attachment* heap, int slot)
    {
        int descriptor = Reopen(heap);
        if (descriptor < 0)
        {
            return false;
        }

        heap->LockPage = FileLock.TryLock(descriptor, slot) ? Keep(descriptor) : null;
        Libc.Close(descriptor);
        return heap->LockPage != null;
    }

    /// <summary>A mapping that keeps an open file description, and the locks that belong to it, until it is unmapped; no forked child has it.</summary>
    /// <returns>Null if there is no room for one.</returns>
    internal static void* Keep(int descriptor)
    {
        void* page = Libc.Map(null, (nuint)Geometry.Page, Libc.ProtectRead, Libc.MapShared, descriptor, 0);
        if (page == Libc.MapFailed)
        {
            return null;
        }

        if (Libc.Advise(page, (nuint)Geometry.Page, Libc.DontFork) == 0)
        {
            return page;
        }

        Libc.Unmap(page, (nuint)Geometry.Page);
        return null;
    }

    internal static void Release(Attachment* heap)
    {
        if (heap->LockPage != null)
        {
            Libc.Unmap(heap->LockPage, (nuint)Geometry.Page);
            heap->LockPage = null;
        }
    }

    /// <summary>A new open file description of the heap's file: through our own descriptor, or by its path if the host closed that one.</summary>
    /// <returns>A descriptor, or −1. It is certain to be of the same file.</returns>
    internal static int Reopen(Attachment* heap) => Reopen(heap, out _);

    /// <summary>The same, and what the system call said: <see cref="ErrorNumber.Stale"/> if the path names another file.</summary>
    internal static int Reopen(Attachment* heap, out int error)
    {
        error = 0;
        int flags = (heap->ReadOnly ? Libc.ReadOnly : Libc.ReadWrite) | Libc.CloseOnExec | Libc.NonBlocking;
        int descriptor = -1;
        int known = Volatile.Read(ref heap->Descriptor);
        if (IsSameFile(heap, known))
        {
            byte* path = stackalloc byte[DescriptorPath.MaxBytes];
            DescriptorPath.Write(path, known);
            descriptor = KeepIfSame(heap, Libc.Open(path, flags, 0));
        }

        if (descriptor >= 0)
        {
            heap->FileError = 0;
            return descriptor;
        }

        int byPath = Libc.Open(heap->Path, flags | Libc.NoFollow, 0);
        error = byPath < 0 ? Libc.Error : ErrorNumber.Stale;
        heap->FileError = byPath < 0 ? error : 0;
        return KeepIfSame(heap, byPath);
    }

    /// <summary>Length of the heap's file, asked in the same call that says which file it is.</summary>
    internal static bool TryReadLength(Attachment* heap, bool reopens, out ulong length)
    {
        bool isKnown = TryReadStatus(heap, Volatile.Read(ref heap->Descriptor), out FileStatus status);
        if (!isKnown && reopens)
        {
            int descriptor = Reopen(heap);
            isKnown = TryReadStatus(heap, descriptor, out status);
            if (descriptor >= 0)
            {
                Libc.Close(descriptor);
            }
        }

        length = status.Size;
        return isKnown;
    }

    /// <summary>
    /// Only what has been opened is checked for good: a number that was right a moment ago may have been closed, by the host or by a thread
    /// that detaches, and given to another file.
    /// </summary>
    private static int KeepIfSame(Attachment* heap, int descriptor)
    {
        if (descriptor >= 0 && !IsSameFile(heap, descriptor))
        {
            Libc.Close(descriptor);
            return -1;
        }

        return descriptor;
    }

    /// <summary>
    /// Whether the path still names the heap's file; false also if that cannot be seen from here, and if this participant's slot is not its own any more: a
    /// process that copies another heap over the file changes that.
    /// </summary>
    internal static bool IsFileCurrent(Attachment* heap) =>
        FileStatus.TryReadAt(heap->Path, out FileStatus status) && status.Inode == heap->Inode && status.Device == heap->Device && IsSlotOurs(heap);

    private static bool IsSlotOurs(Attachment* heap)
    {
        SlotWord word = heap->Slot < 0 ? default : Recovery<Hardware>.ReadSlot(heap, heap->Slot);
        return heap->Slot < 0 || (word.IsActive && word.Epoch == heap->Epoch);
    }

    internal static bool IsSameFile(Attachment* heap, int descriptor) => TryReadStatus(heap, descriptor, out _);

    private static bool TryReadStatus(Attachment* heap, int descriptor, out FileStatus status)
    {
        Unsafe.SkipInit(out status);
        return descriptor >= 0 && FileStatus.TryRead(descriptor, out status)
            && status.Inode == heap->Inode && status.Device == heap->Device;
    }
}
