namespace ShmAlloc;

/// <summary>
/// What became of an operation. The fast paths report failure this way rather than by an exception;
/// <see cref="ShmStatusText.Describe"/> gives the sentence for each value.
/// </summary>
public enum ShmStatus
{
    /// <summary>It was done.</summary>
    Ok = 0,

    /// <summary>No room: a full search found none, and the heap has reached its maximum size.</summary>
    OutOfMemory = 1,

    /// <summary>The request is larger than the heap's largest allocation or than the whole heap.</summary>
    TooLarge = 2,

    /// <summary>A size or count is negative, or count × size overflows.</summary>
    InvalidSize = 3,

    /// <summary>The offset is not the start of an allocation: out of range, misaligned, or inside one. Nothing changed.</summary>
    InvalidOffset = 4,

    /// <summary>What the offset names is free already (or not published yet). Nothing changed.</summary>
    AlreadyFree = 5,

    /// <summary>
    /// No room but for what a process that stands still is in the middle of: it is stopped, or dead and cannot be recovered now, or this call was made by a
    /// signal handler that interrupted another one. A thread that is only preempted is waited for. Trying again later is right.
    /// </summary>
    Contended = 6,

    /// <summary>All cells for reservations of this attachment are in use: publish or abandon some.</summary>
    TooManyReservations = 7,

    /// <summary>All participant slots of the heap are taken; create it with a larger <see cref="ShmHeapOptions.MaxParticipants"/>.</summary>
    NoParticipantSlot = 8,

    /// <summary>The heap is attached read-only.</summary>
    ReadOnly = 9,

    /// <summary>The heap object was disposed.</summary>
    Closed = 10,

    /// <summary>A reservation that this attachment does not hold: used twice, or from another attachment.</summary>
    StaleReservation = 11,

    /// <summary>
    /// There is no room in the heap, and the file could not be enlarged: its file system is full or over a quota, or the file would be larger
    /// than a file may be (<c>RLIMIT_FSIZE</c>).
    /// </summary>
    FileSystemFull = 12,

    /// <summary>There is no room in the heap, and the process or the system has no descriptor left with which the file could be enlarged.</summary>
    NoDescriptor = 13,

    /// <summary>There is no room in the heap, and this process may not open the file any more: after <c>setuid</c>, or a change of its mode or owner.</summary>
    /// <remarks>Also where the file system was mounted read-only meanwhile.</remarks>
    FileDenied = 14,

    /// <summary>
    /// There is no room in the heap, and its file cannot be found to enlarge it: it was deleted, moved or replaced, or this process has
    /// another root.
    /// </summary>
    FileNotCurrent = 15,

    /// <summary>
    /// There is no room in the heap, and the system failed to enlarge the file, for none of the reasons above: an error of the disk or the file server, a
    /// kernel without memory, a file system that cannot preallocate, or a filter of system calls (seccomp).
    /// </summary>
    SystemFailure = 16,
}
