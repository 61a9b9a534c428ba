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

        void* page = Libc.MapFailed;
        if (FileLock.TryLock(descriptor, slot))
        {
            page = Libc.Map(null, (nuint)Geometry.Page, Libc.ProtectRead, Libc.MapShared, descriptor, 0);
            if (page != Libc.MapFailed && Libc.Advise(page, (nuint)Geometry.Page, Libc.DontFork) != 0)
            {
                Libc.Unmap(page, (nuint)Geometry.Page);
                page = Libc.MapFailed;
            }
        }

        Libc.Close(descriptor);
        heap->LockPage = page == Libc.MapFailed ? null : page;
        return heap->LockPage != null;
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
    internal static int Reopen(Attachment* heap)
    {
        int flags = (heap->ReadOnly ? Libc.ReadOnly : Libc.ReadWrite) | Libc.CloseOnExec;
        if (IsSameFile(heap, heap->Descriptor))
        {
            byte* path = stackalloc byte[DescriptorPath.MaxBytes];
            DescriptorPath.Write(path, heap->Descriptor);
            int descriptor = Libc.Open(path, flags, 0);
            if (descriptor >= 0)
            {
                return descriptor;
            }
        }

        int byPath = Libc.Open(heap->Path, flags | Libc.NoFollow | Libc.NonBlocking, 0);
        if (byPath >= 0 && !IsSameFile(heap, byPath))
        {
            Libc.Close(byPath);
            return -1;
        }

        return byPath;
    }

    /// <summary>A descriptor of the heap's file for a short time: our own, if the host has not closed it.</summary>
    internal static int Borrow(Attachment* heap, out bool mustClose)
    {
        mustClose = !IsSameFile(heap, heap->Descriptor);
        return mustClose ? Reopen(heap) : heap->Descriptor;
    }

    private static bool IsSameFile(Attachment* heap, int descriptor) =>
        descriptor >= 0 && FileStatus.TryRead(descriptor, out FileStatus status)
        && status.Inode == heap->Inode && status.Device == heap->Device;
}
