using ShmAlloc.Memory;

namespace ShmAlloc.Native.Process;

/// <summary>Sentences for the codes of <c>enum shm_error</c>. They lie in the read-only part of the library.</summary>
internal static unsafe class ErrorText
{
    /// <summary>What is known of a failure besides its code, if anything is; otherwise what is known of the code.</summary>
    internal static byte* OfNoted(int noted) =>
        ErrorCode.CauseOf(noted) != Cause.None ? Literal(CauseSentence.Of(ErrorCode.CauseOf(noted)))
        : ErrorCode.DetailOf(noted) == Detail.None ? Of(ErrorCode.WithoutCause(noted))
        : Literal(ErrorCode.IsContradiction(noted) ? DetailText.OfContradiction(ErrorCode.DetailOf(noted)) : DetailText.OfInvalid(ErrorCode.DetailOf(noted)));

    /// <returns>A sentence in English, ended by a zero as all such literals are.</returns>
    internal static byte* Of(int code) => code < 100 ? Literal(OfStatus((ShmStatus)code))
        : code < ErrorCode.NoHeap ? Literal(FailureSentence.Of((ShmFailure)(code - 100)))
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
        ShmStatus.Contended => "a process stands still, or has died and cannot be recovered now, in the middle of what this needs: try again"u8,
        ShmStatus.TooManyReservations => "all reservations of this process are in use: publish or abandon some"u8,
        ShmStatus.NoParticipantSlot => "no participant slot: all are taken, or the file cannot be opened (moved, no permission any more, no descriptor)"u8,
        ShmStatus.ReadOnly => "the heap is attached read-only"u8,
        ShmStatus.Closed => "the heap was left with shm_deinit meanwhile"u8,
        ShmStatus.StaleReservation => "the reservation was published or abandoned already, or belongs to another process"u8,
        ShmStatus.FileSystemFull => "the heap is full and its file cannot grow: the file system is full or over a quota, or RLIMIT_FSIZE (ulimit -f) "u8
            + "forbids it"u8,
        ShmStatus.NoDescriptor => "the heap is full, and no descriptor is left to enlarge its file with: close files, or raise RLIMIT_NOFILE (ulimit -n)"u8,
        ShmStatus.FileDenied => "the heap is full, and this user may not open its file to enlarge it: chown or chmod it and its directory before setuid; "u8
            + "or its file system is mounted read-only by now"u8,
        ShmStatus.FileNotCurrent => "the heap is full, and its file cannot be found to enlarge it: it was deleted, moved or replaced, or after chroot"u8,
        ShmStatus.SystemFailure => "the heap is full, and the system failed to enlarge its file: an error of the disk or the file server, no memory in the "u8
            + "kernel, a file system that cannot preallocate, or a filter of system calls that refuses fallocate"u8,
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
        ErrorCode.Foreign => "the tag or the mark is another cache's, or the mark another process's: capture or get it anew"u8,
        ErrorCode.StaleFlight => "the flight has ended, or another process began it"u8,
        ErrorCode.Expired => "expires_at has passed"u8,
        ErrorCode.TooManyCaches => "the heap has 16 caches, and none of this name"u8,
        ErrorCode.AddressInUse => "the fixed address is in use, and not just reserved with PROT_NONE; or the room is too small; or calls may still run there"u8,
        ErrorCode.Initialising => "another thread is opening the heap at a fixed address just now"u8,
        _ => "unknown error"u8,
    };
}
