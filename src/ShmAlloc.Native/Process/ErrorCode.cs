namespace ShmAlloc.Native.Process;

/// <summary>One number for statuses, failures to open, and what only this library can say: <c>enum shm_error</c> of the header.</summary>
internal static class ErrorCode
{
    /// <summary>There is no heap: neither was the path variable set at load, nor has shm_init succeeded.</summary>
    internal const int NoHeap = 200;

    internal const int NotSound = 201;

    /// <summary>Another thread is mapping the heap at a fixed address just now, and did not finish for long.</summary>
    internal const int Initialising = 202;

    private const int FirstFailure = 100;

    internal static int Of(ShmFailure reason) => reason == ShmFailure.None ? 0 : FirstFailure + (int)reason;

    /// <summary>What errno says for a code, as the C library would.</summary>
    internal static int ToErrno(int code) => code switch
    {
        (int)ShmStatus.OutOfMemory or (int)ShmStatus.TooLarge or (int)ShmStatus.InvalidSize or (int)ShmStatus.FileSystemFull => NoMemory,
        (int)ShmStatus.Contended or (int)ShmStatus.TooManyReservations or (int)ShmStatus.NoParticipantSlot or Initialising => Again,
        (int)ShmStatus.ReadOnly => ReadOnlyFileSystem,
        NoHeap or (int)ShmStatus.Closed or FirstFailure + (int)ShmFailure.NotFound or FirstFailure + (int)ShmFailure.NoPath => NoEntry,
        FirstFailure + (int)ShmFailure.AlreadyExists => Exists,
        FirstFailure + (int)ShmFailure.AccessDenied or FirstFailure + (int)ShmFailure.ForeignOwner
            or FirstFailure + (int)ShmFailure.ModeTooOpen => AccessRefused,
        FirstFailure + (int)ShmFailure.FileSystemFull or FirstFailure + (int)ShmFailure.SparseReadOnly => NoSpace,
        FirstFailure + (int)ShmFailure.CannotPreallocate or FirstFailure + (int)ShmFailure.UnsupportedPlatform => NotSupported,
        _ => Invalid,
    };

    private const int NoEntry = 2;
    private const int Again = 11;
    private const int NoMemory = 12;
    private const int AccessRefused = 13;
    private const int Exists = 17;
    private const int Invalid = 22;
    private const int NoSpace = 28;
    private const int ReadOnlyFileSystem = 30;
    private const int NotSupported = 95;
}
