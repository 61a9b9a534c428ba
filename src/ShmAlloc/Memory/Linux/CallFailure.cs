namespace ShmAlloc.Memory.Linux;

/// <summary>The one table from a system call and its error number to what it means for a heap.</summary>
internal static class CallFailure
{
    internal static Failure Of(SystemCall call, int error)
    {
        Cause cause = CauseOf(call, error);
        return new Failure { Reason = ReasonOf(call, error, cause), Call = call, Error = error, Cause = cause };
    }

    /// <summary>What an operation of an attached heap reports when its file could not be opened again.</summary>
    internal static ShmStatus StatusOf(int error) => StatusOf(SystemCall.Open, error);

    /// <summary>What an operation of an attached heap reports when its file could not be opened again, or got no storage.</summary>
    internal static ShmStatus StatusOf(SystemCall call, int error) => CauseOf(call, error) switch
    {
        Cause.NoDescriptor or Cause.NoDescriptorInSystem => ShmStatus.NoDescriptor,
        Cause.FileDenied or Cause.ReadOnlyFileSystem => ShmStatus.FileDenied,
        Cause.NoRoom or Cause.Quota or Cause.FileTooLarge => ShmStatus.FileSystemFull,
        Cause.Interrupted => ShmStatus.Contended,
        Cause.FileGone or Cause.NotADirectory or Cause.NameTooLong => ShmStatus.FileNotCurrent,
        Cause.None when call == SystemCall.Open => StatusOfBareNumber(error),
        _ => ShmStatus.SystemFailure,
    };

    /// <summary>Where something else lies at the path by now, or nothing.</summary>
    private static ShmStatus StatusOfBareNumber(int error) => ReasonOfBareNumber(SystemCall.Open, error) switch
    {
        ShmFailure.NotFound or ShmFailure.NotARegularFile => ShmStatus.FileNotCurrent,
        _ => ShmStatus.SystemFailure,
    };

    private static Cause CauseOf(SystemCall call, int error) => error switch
    {
        Libc.NoSpace => call == SystemCall.Create ? Cause.NoInode : Cause.NoRoom,
        Libc.QuotaExceeded => Cause.Quota,
        ErrorNumber.FileTooLarge => Cause.FileTooLarge,
        Libc.NoEntry => call switch { SystemCall.Create => Cause.NoDirectory, SystemCall.Linkat => Cause.NoProc, _ => Cause.None },
        Libc.AccessRefused => IsCreation(call) ? Cause.DirectoryDenied : call == SystemCall.Open ? Cause.FileDenied : Cause.CallRefused,
        Libc.NotPermitted => call switch
        {
            SystemCall.Create => Cause.DirectoryDenied,
            SystemCall.Open => Cause.FileDenied,
            SystemCall.Linkat => Cause.NoHardLink,
            _ => Cause.CallRefused,
        },
        ErrorNumber.NotADirectory => Cause.NotADirectory,
        Libc.TooManyLinks => call == SystemCall.Create ? Cause.LinkLoop : Cause.None,
        ErrorNumber.NameTooLong => Cause.NameTooLong,
        ErrorNumber.ReadOnlyFileSystem => Cause.ReadOnlyFileSystem,
        ErrorNumber.TooManyFiles => Cause.NoDescriptor,
        ErrorNumber.TooManyFilesInSystem => Cause.NoDescriptorInSystem,
        ErrorNumber.NoMemory => call == SystemCall.Mmap ? Cause.NoAddressSpace : Cause.NoMemory,
        ErrorNumber.NoSuchDevice => call == SystemCall.Mmap ? Cause.CannotMap : Cause.None,
        Libc.NotSupported => call switch
        {
            SystemCall.Fallocate => Cause.CannotPreallocate,
            SystemCall.Linkat => Cause.NoHardLink,
            SystemCall.Mmap => Cause.CannotMap,
            _ => Cause.CallRefused,
        },
        Libc.NotImplemented => Cause.CallRefused,
        ErrorNumber.OtherDevice or ErrorNumber.TooManyLinksOfFile => Cause.NoHardLink,
        Libc.Interrupted => Cause.Interrupted,
        ErrorNumber.Stale => Cause.FileGone,
        ErrorNumber.InputOutput => Cause.InputOutput,
        ErrorNumber.TextBusy => Cause.FileBusy,
        ErrorNumber.TryAgain when call == SystemCall.Fallocate => Cause.FileBeingFilled,
        _ => Cause.None,
    };

    private static bool IsCreation(SystemCall call) => call is SystemCall.Create or SystemCall.Linkat;

    private static ShmFailure ReasonOf(SystemCall call, int error, Cause cause) => cause switch
    {
        Cause.NoRoom or Cause.Quota or Cause.NoInode or Cause.FileTooLarge => ShmFailure.FileSystemFull,
        Cause.NoDirectory or Cause.NotADirectory => ShmFailure.NotFound,
        Cause.DirectoryDenied or Cause.FileDenied or Cause.ReadOnlyFileSystem => ShmFailure.AccessDenied,
        Cause.CannotPreallocate => ShmFailure.CannotPreallocate,
        Cause.None => ReasonOfBareNumber(call, error),
        _ => ShmFailure.SystemCall,
    };

    /// <summary>Where the reason says all that there is to say.</summary>
    private static ShmFailure ReasonOfBareNumber(SystemCall call, int error) => (call, error) switch
    {
        (SystemCall.Create or SystemCall.Linkat, Libc.Exists) => ShmFailure.AlreadyExists,
        (SystemCall.Open, Libc.NoEntry) => ShmFailure.NotFound,
        (SystemCall.Open, Libc.TooManyLinks or Libc.IsADirectory or Libc.NoDevice or ErrorNumber.NoSuchDevice) => ShmFailure.NotARegularFile,
        _ => ShmFailure.SystemCall,
    };
}
