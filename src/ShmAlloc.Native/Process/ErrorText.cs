namespace ShmAlloc.Native.Process;

/// <summary>Sentences for the codes of <c>enum shm_error</c>. They lie in the read-only part of the library.</summary>
internal static unsafe class ErrorText
{
    /// <returns>A sentence in English, ended by a zero as all such literals are.</returns>
    internal static byte* Of(int code) => code < 100 ? Literal(OfStatus((ShmStatus)code))
        : code < ErrorCode.NoHeap ? Literal(OfFailure((ShmFailure)(code - 100)))
        : Literal(OfOwn(code));

    private static byte* Literal(ReadOnlySpan<byte> text)
    {
        fixed (byte* at = text)
        {
            return at;
        }
    }

    private static ReadOnlySpan<byte> OfStatus(ShmStatus status) => status switch
    {
        ShmStatus.Ok => "no error"u8,
        ShmStatus.OutOfMemory => "the heap is full and has reached its maximum size"u8,
        ShmStatus.TooLarge => "the request is larger than the largest allocation of the heap, or than the heap"u8,
        ShmStatus.InvalidSize => "count times size overflows"u8,
        ShmStatus.InvalidOffset => "not the start of an allocation of this heap; nothing was changed"u8,
        ShmStatus.AlreadyFree => "free already, or not published yet; nothing was changed"u8,
        ShmStatus.Contended => "others kept changing the same words; try again"u8,
        ShmStatus.TooManyReservations => "all reservations of this process are in use: publish or abandon some"u8,
        ShmStatus.NoParticipantSlot => "all participant slots of the heap are taken, or its file is not under its path any more"u8,
        ShmStatus.ReadOnly => "the heap is attached read-only"u8,
        ShmStatus.Closed => "the heap was left with shm_deinit meanwhile"u8,
        ShmStatus.StaleReservation => "the reservation was published or abandoned already, or belongs to another process"u8,
        ShmStatus.FileSystemFull => "the heap is full and its file cannot grow: the file system is full, or over a quota"u8,
        _ => "unknown error"u8,
    };

    private static ReadOnlySpan<byte> OfFailure(ShmFailure failure) => failure switch
    {
        ShmFailure.SystemCall => "a system call failed while the heap was opened; errno says how"u8,
        ShmFailure.NoPath => "no usable path: pass one of at most 4000 bytes, or set the environment variable SHM_FILE"u8,
        ShmFailure.NotFound => "there is no such file or directory"u8,
        ShmFailure.AlreadyExists => "there is a file of that name already"u8,
        ShmFailure.NotARegularFile => "the path is a symbolic link, a directory or a device; a heap is a regular file"u8,
        ShmFailure.ForeignOwner => "the file belongs to another user; SHM_FOREIGN_OWNER allows that"u8,
        ShmFailure.ModeTooOpen => "the mode of the file lets others write; chmod it, or say that mode (SHM_FILE_MODE, or shm_options.mode)"u8,
        ShmFailure.LinkCount => "the file has several names (hard links), or none any more"u8,
        ShmFailure.NotAHeap => "the file is not a heap of this library; nothing was changed"u8,
        ShmFailure.UnknownLayout => "the heap has a layout version or features that this library does not know"u8,
        ShmFailure.DamagedHeader => "the header of the heap is damaged"u8,
        ShmFailure.Truncated => "the file is shorter than it should be: it was truncated"u8,
        ShmFailure.OptionsContradict => "the heap exists, and was made with other sizes than the options or the environment say"u8,
        ShmFailure.InvalidOption => "an option, or a setting in the environment, is out of range or not a number"u8,
        ShmFailure.FileSystemFull => "the file system has no room for the heap; ask for less, or enlarge it (containers: --shm-size)"u8,
        ShmFailure.CannotPreallocate => "the file system cannot preallocate; use tmpfs (/dev/shm), ext4, xfs or btrfs"u8,
        ShmFailure.AccessDenied => "permission denied for the file or its directory"u8,
        ShmFailure.SparseReadOnly => "parts of the file have no storage, and a read-only attachment cannot add it"u8,
        ShmFailure.UnsupportedPlatform => "this platform is not supported"u8,
        _ => "unknown error"u8,
    };

    private static ReadOnlySpan<byte> OfOwn(int code) => code switch
    {
        ErrorCode.NoHeap => "there is no heap: set SHM_FILE before the program starts, or call shm_init"u8,
        ErrorCode.NotSound => "the heap is damaged"u8,
        ErrorCode.Missing => "the cache has no value for the key, or it has expired"u8,
        ErrorCode.EntryExists => "the cache has a value for the key"u8,
        ErrorCode.Changed => "somebody has changed the value"u8,
        ErrorCode.BufferTooSmall => "the value is longer than the buffer"u8,
        ErrorCode.WrongKind => "the value is no number of 8 bytes"u8,
        ErrorCode.Damaged => "the checksum of the value is wrong: somebody wrote over it"u8,
        ErrorCode.NoCache => "no cache has this number: call shm_cache_open; or the key is NULL"u8,
        ErrorCode.TooManyCaches => "the heap has 16 caches, and none of this name"u8,
        ErrorCode.AddressInUse => "the fixed address is in use, and not just reserved with PROT_NONE; or the room is too small; or calls may still run there"u8,
        ErrorCode.Initialising => "another thread is opening the heap at a fixed address just now"u8,
        _ => "unknown error"u8,
    };
}
