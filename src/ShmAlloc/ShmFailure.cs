namespace ShmAlloc;

/// <summary>Why a heap could not be created or attached.</summary>
public enum ShmFailure
{
    /// <summary>No failure.</summary>
    None = 0,

    /// <summary>A system call failed; the message names it and its error.</summary>
    SystemCall = 1,

    /// <summary>No path was given and <c>SHM_FILE</c> is not set, or the path is empty or too long.</summary>
    NoPath = 2,

    /// <summary>There is no file at the path.</summary>
    NotFound = 3,

    /// <summary>There is a file at the path already.</summary>
    AlreadyExists = 4,

    /// <summary>The path names a symbolic link, a directory, a device or another thing that is not a regular file.</summary>
    NotARegularFile = 5,

    /// <summary>The file belongs to another user.</summary>
    ForeignOwner = 6,

    /// <summary>Users may write the file who were not expected to.</summary>
    ModeTooOpen = 7,

    /// <summary>The file has several names (hard links), or none any more.</summary>
    LinkCount = 8,

    /// <summary>The file is not a heap: too short, or another magic number.</summary>
    NotAHeap = 9,

    /// <summary>The heap has a layout version or features that this library does not know.</summary>
    UnknownLayout = 10,

    /// <summary>The header's checksum or geometry is wrong.</summary>
    DamagedHeader = 11,

    /// <summary>The file is shorter than its header says: it was truncated.</summary>
    Truncated = 12,

    /// <summary>The options given contradict the file.</summary>
    OptionsContradict = 13,

    /// <summary>An option is out of its range.</summary>
    InvalidOption = 14,

    /// <summary>The file system has no room for the heap.</summary>
    FileSystemFull = 15,

    /// <summary>The file system cannot preallocate (<c>fallocate</c>), which this library insists on.</summary>
    CannotPreallocate = 16,

    /// <summary>Permission denied.</summary>
    AccessDenied = 17,

    /// <summary>Parts of the file are sparse, and it is attached read-only, so that they cannot be preallocated.</summary>
    SparseReadOnly = 18,

    /// <summary>The platform is not supported.</summary>
    UnsupportedPlatform = 19,

    /// <summary>
    /// The file system writes what changes to a new place, or the file shares its storage with a copy of it: so preallocation promises nothing.
    /// </summary>
    CopyOnWrite = 20,

    /// <summary>The file is a copy of a heap's file, made while the heap was in use.</summary>
    CopyOfLiveHeap = 21,

    /// <summary>All participant slots are taken, and the options ask for one.</summary>
    AllSlotsTaken = 22,
}
