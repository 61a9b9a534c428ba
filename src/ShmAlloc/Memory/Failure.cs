namespace ShmAlloc.Memory;

/// <summary>Why a heap could not be created or attached, without a string, so that any caller can put it into words.</summary>
internal struct Failure
{
    internal ShmFailure Reason;

    /// <summary>The system call that failed, if one did.</summary>
    internal SystemCall Call;

    /// <summary>Its error number.</summary>
    internal int Error;

    /// <summary>What that means here, if it is known.</summary>
    internal Cause Cause;

    /// <summary>The option that contradicts the file or is out of range.</summary>
    internal OptionName Option;

    internal ulong Found;

    internal ulong Expected;

    internal readonly bool IsNone => Reason == ShmFailure.None;

    internal static Failure Of(ShmFailure reason, ulong found = 0, ulong expected = 0) =>
        new() { Reason = reason, Found = found, Expected = expected };

    internal static Failure OfCall(SystemCall call, int error) => Linux.CallFailure.Of(call, error);

    /// <summary>The same, with the bytes that there are and those that are needed.</summary>
    internal static Failure OfCall(SystemCall call, int error, ulong found, ulong expected)
    {
        Failure failure = Linux.CallFailure.Of(call, error);
        failure.Found = found;
        failure.Expected = expected;
        return failure;
    }

    internal static Failure OfOption(OptionName option, ulong found, ulong expected) =>
        new() { Reason = ShmFailure.OptionsContradict, Option = option, Found = found, Expected = expected };
}

/// <summary>System calls that creating and attaching make.</summary>
internal enum SystemCall
{
    None,
    Open,

    /// <summary>Opening a new file.</summary>
    Create,
    Statx,
    Read,
    Fallocate,
    Mmap,
    Mprotect,
    Fchmod,
    Linkat,
    Getrandom,
}

/// <summary>Options that are kept in the file.</summary>
internal enum OptionName
{
    None,
    UnitBytes,
    LargestAllocationBytes,
    BlockBytes,
    SizeBytes,
    MaximumSizeBytes,
    MaxParticipants,
}
