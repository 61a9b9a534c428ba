namespace ShmAlloc;

/// <summary>Sentences for <see cref="ShmStatus"/>.</summary>
public static class ShmStatusText
{
    /// <summary>What a status means and what to do about it.</summary>
    /// <param name="status">The status.</param>
    /// <returns>One English sentence.</returns>
    public static string Describe(this ShmStatus status) => status switch
    {
        ShmStatus.Ok => "Done.",
        ShmStatus.OutOfMemory => "The heap is full and has reached its maximum size: free something, or create it with a larger MaximumSizeBytes.",
        ShmStatus.TooLarge => "The request exceeds the largest allocation or the size of the heap: see LargestAllocationBytes and MaximumSizeBytes.",
        ShmStatus.InvalidSize => "The size or count is negative, or their product overflows.",
        ShmStatus.InvalidOffset => "The offset is not the start of an allocation of this heap; nothing was changed.",
        ShmStatus.AlreadyFree => "What the offset names is free already, or not published yet; nothing was changed.",
        ShmStatus.Contended => "A participant stands still, or has died and cannot be recovered now, in the middle of what this needs: "
            + "try again, or find out who was stopped.",
        ShmStatus.TooManyReservations => "All reservation cells of this attachment are in use: publish or abandon some first.",
        ShmStatus.NoParticipantSlot => "All participant slots are taken: detach somebody, or create the heap with a larger MaxParticipants.",
        ShmStatus.ReadOnly => "The heap is attached read-only.",
        ShmStatus.Closed => "The heap object was disposed.",
        ShmStatus.StaleReservation => "The reservation was published or abandoned already, or belongs to another attachment.",
        ShmStatus.FileSystemFull => "The heap is full and its file cannot grow: the file system is full (containers: raise --shm-size) or over a quota, "
            + "or the file would be larger than this process may make one (RLIMIT_FSIZE, ulimit -f).",
        ShmStatus.NoDescriptor => "The heap is full, and no descriptor is left to enlarge its file with: close files, or raise RLIMIT_NOFILE (ulimit -n).",
        ShmStatus.FileDenied => "The heap is full, and this user may not open its file to enlarge it: chown or chmod it and its directory before setuid, "
            + "or let another process call Grow; or its file system is mounted read-only by now.",
        ShmStatus.FileNotCurrent => "The heap is full, and its file cannot be found to enlarge it: it was deleted, moved or replaced, "
            + "or this process called chroot. See ShmHeap.IsFileCurrent.",
        ShmStatus.SystemFailure => "The heap is full, and the system failed to enlarge its file: an error of the disk or the file server (see the kernel's "
            + "log), a kernel without memory, a file system that cannot preallocate, or a filter of system calls (seccomp) that refuses fallocate.",
        _ => "Unknown status.",
    };
}
