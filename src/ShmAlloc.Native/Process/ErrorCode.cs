using ShmAlloc.Caching;
using ShmAlloc.Memory;
using ShmAlloc.Memory.Linux;
using ShmAlloc.Participants;

namespace ShmAlloc.Native.Process;

/// <summary>One number for statuses, failures to open, and what only this library can say: <c>enum shm_error</c> of the header.</summary>
internal static unsafe class ErrorCode
{
    /// <summary>There is no heap: neither was the path variable set at load, nor has shm_init succeeded.</summary>
    internal const int NoHeap = 200;

    internal const int NotSound = 201;

    /// <summary>Another thread is mapping the heap at a fixed address just now, and did not finish for long.</summary>
    internal const int Initialising = 202;

    /// <summary>The fixed address is not free, nor is it the caller's reservation, or that is too small.</summary>
    internal const int AddressInUse = 203;

    // What only a cache can say.
    internal const int Missing = 300;
    internal const int EntryExists = 301;
    internal const int Changed = 302;
    internal const int BufferTooSmall = 303;
    internal const int WrongKind = 304;
    internal const int Damaged = 305;

    /// <summary>A number that no cache has.</summary>
    internal const int NoCache = 306;
    internal const int TooManyCaches = 307;

    /// <summary>A tag of another cache; a mark of another one, or of another process.</summary>
    internal const int Foreign = 308;

    /// <summary>A flight that has ended, or another process began, or none.</summary>
    internal const int StaleFlight = 309;

    /// <summary>A point in time that has passed.</summary>
    internal const int Expired = 310;

    private const int FirstFailure = 100;

    /// <summary>
    /// The code of a status. Where there was no slot because the file could not be opened, for want of permission, that is the reason: the process has
    /// dropped rights that it had when the heap was opened.
    /// </summary>
    internal static int Of(Attachment* heap, ShmStatus status) =>
        status == ShmStatus.NoParticipantSlot && heap->FileError is Libc.AccessRefused or Libc.NotPermitted
            ? Of(ShmFailure.AccessDenied)
            : (int)status;

    internal static int Of(CacheStatus status) => status switch
    {
        CacheStatus.Ok => 0,
        CacheStatus.Missing => Missing,
        CacheStatus.Exists => EntryExists,
        CacheStatus.Changed => Changed,
        CacheStatus.BufferTooSmall => BufferTooSmall,
        CacheStatus.WrongKind => WrongKind,
        CacheStatus.Damaged => Damaged,
        CacheStatus.TooLarge => (int)ShmStatus.TooLarge,
        CacheStatus.NoRoom => (int)ShmStatus.OutOfMemory,
        CacheStatus.TooManyLeases => (int)ShmStatus.TooManyReservations,
        CacheStatus.ReadOnly => (int)ShmStatus.ReadOnly,
        CacheStatus.Closed => (int)ShmStatus.Closed,
        CacheStatus.NoParticipantSlot => (int)ShmStatus.NoParticipantSlot,
        _ => (int)ShmStatus.Contended,
    };

    /// <summary>
    /// Codes have ten bits; above them a failure to open a heap carries its cause, and what is the fault of an option or an argument which one, for
    /// <see cref="ErrorText.OfNoted"/>.
    /// </summary>
    private const int CodeBits = 10;

    internal static int Of(in Failure failure) =>
        failure.Reason is ShmFailure.InvalidOption or ShmFailure.OptionsContradict
            ? Of(failure.Reason, DetailOf(failure.Option))
            : Of(failure.Reason) | ((int)failure.Cause << CodeBits);

    /// <summary>An argument or an option that is out of its range.</summary>
    internal static int Of(Detail detail) => Of(ShmFailure.InvalidOption, detail);

    /// <summary>The same, or one that contradicts what exists.</summary>
    internal static int Of(ShmFailure reason, Detail detail) => Of(reason) | ((int)detail << CodeBits);

    internal static Detail DetailOf(CacheOption option) => option switch
    {
        CacheOption.Capacity => Detail.Capacity,
        CacheOption.LimitBytes => Detail.LimitBytes,
        CacheOption.TagSlots => Detail.TagSlots,
        CacheOption.Checksums => Detail.Checksums,
        CacheOption.AllowsRemoveAll => Detail.AllowsRemoveAll,
        _ => Detail.None,
    };

    internal static int WithoutCause(int noted) => noted & ((1 << CodeBits) - 1);

    internal static Cause CauseOf(int noted) => HasDetail(noted) ? Cause.None : (Cause)(noted >> CodeBits);

    internal static Detail DetailOf(int noted) => HasDetail(noted) ? (Detail)(noted >> CodeBits) : Detail.None;

    internal static bool IsContradiction(int noted) => WithoutCause(noted) == Of(ShmFailure.OptionsContradict);

    private static bool HasDetail(int noted) => IsContradiction(noted) || WithoutCause(noted) == Of(ShmFailure.InvalidOption);

    private static Detail DetailOf(OptionName option) => option switch
    {
        OptionName.UnitBytes => Detail.UnitBytes,
        OptionName.LargestAllocationBytes => Detail.LargestBytes,
        OptionName.BlockBytes => Detail.BlockBytes,
        OptionName.SizeBytes => Detail.SizeBytes,
        OptionName.MaximumSizeBytes => Detail.MaximumBytes,
        OptionName.MaxParticipants => Detail.Participants,
        _ => Detail.None,
    };

    internal static int Of(ShmFailure reason) => reason == ShmFailure.None ? 0 : FirstFailure + (int)reason;

    /// <summary>What errno says for a code, as the C library would.</summary>
    internal static int ToErrno(int code) => code switch
    {
        (int)ShmStatus.OutOfMemory or (int)ShmStatus.TooLarge or (int)ShmStatus.InvalidSize or (int)ShmStatus.FileSystemFull => NoMemory,
        (int)ShmStatus.NoDescriptor or (int)ShmStatus.FileDenied or (int)ShmStatus.FileNotCurrent or (int)ShmStatus.SystemFailure => NoMemory,
        (int)ShmStatus.Contended or (int)ShmStatus.TooManyReservations or (int)ShmStatus.NoParticipantSlot or Initialising => Again,
        (int)ShmStatus.ReadOnly => ReadOnlyFileSystem,
        NoHeap or Missing or (int)ShmStatus.Closed or FirstFailure + (int)ShmFailure.NotFound or FirstFailure + (int)ShmFailure.NoPath => NoEntry,
        AddressInUse or EntryExists or FirstFailure + (int)ShmFailure.AlreadyExists => Exists,
        BufferTooSmall => Range,
        TooManyCaches => NoSpace,
        FirstFailure + (int)ShmFailure.AccessDenied or FirstFailure + (int)ShmFailure.ForeignOwner
            or FirstFailure + (int)ShmFailure.ModeTooOpen => AccessRefused,
        FirstFailure + (int)ShmFailure.FileSystemFull or FirstFailure + (int)ShmFailure.SparseReadOnly => NoSpace,
        FirstFailure + (int)ShmFailure.CannotPreallocate or FirstFailure + (int)ShmFailure.UnsupportedPlatform
            or FirstFailure + (int)ShmFailure.CopyOnWrite => NotSupported,
        _ => Invalid,
    };

    /// <summary>The error number of the system call that failed, as far as its cause tells it; 0: it does not.</summary>
    internal static int ToErrno(Cause cause) => cause switch
    {
        Cause.NoRoom or Cause.NoInode => NoSpace,
        Cause.Quota => Libc.QuotaExceeded,
        Cause.FileTooLarge => ErrorNumber.FileTooLarge,
        Cause.NoDirectory or Cause.NoProc => NoEntry,
        Cause.DirectoryDenied or Cause.FileDenied => AccessRefused,
        Cause.NotADirectory => ErrorNumber.NotADirectory,
        Cause.LinkLoop => Libc.TooManyLinks,
        Cause.NameTooLong => ErrorNumber.NameTooLong,
        Cause.ReadOnlyFileSystem => ReadOnlyFileSystem,
        Cause.NoDescriptor => ErrorNumber.TooManyFiles,
        Cause.NoDescriptorInSystem => ErrorNumber.TooManyFilesInSystem,
        Cause.NoMemory or Cause.NoAddressSpace => NoMemory,
        Cause.CannotMap => ErrorNumber.NoSuchDevice,
        Cause.NoHardLink or Cause.CallRefused => Libc.NotPermitted,
        Cause.CannotPreallocate => NotSupported,
        Cause.Interrupted => Libc.Interrupted,
        Cause.FileGone => ErrorNumber.Stale,
        Cause.InputOutput => ErrorNumber.InputOutput,
        Cause.FileBusy => ErrorNumber.TextBusy,
        Cause.FileBeingFilled => Again,
        _ => 0,
    };

    private const int NoEntry = 2;
    private const int Again = 11;
    private const int NoMemory = 12;
    private const int AccessRefused = 13;
    private const int Exists = 17;
    private const int Invalid = 22;
    private const int NoSpace = 28;
    private const int ReadOnlyFileSystem = 30;
    private const int Range = 34;
    private const int NotSupported = 95;
}
