using System.Globalization;
using System.Runtime.InteropServices;
using ShmAlloc.Memory;

namespace ShmAlloc;

/// <summary>Puts a failure into a sentence that says what to do.</summary>
internal static class FailureText
{
    internal static ShmException ToException(in Failure failure, string path) =>
        new(failure.Reason, string.Create(CultureInfo.InvariantCulture, $"Heap '{path}': {Sentence(failure)}"));

    private static string Sentence(in Failure failure)
    {
        ulong found = failure.Found;
        ulong expected = failure.Expected;
        FormattableString sentence = failure.Reason switch
        {
            ShmFailure.SystemCall => $"{failure.Call} failed: {Marshal.GetPInvokeErrorMessage(failure.Error)} (error {failure.Error}).{Advice(failure)}",
            ShmFailure.NoPath => $"no usable path: pass one of at most 4000 bytes, or set the environment variable SHM_FILE.",
            ShmFailure.NotFound => $"there is no such file or directory.",
            ShmFailure.AlreadyExists => $"there is a file of that name already; attach it, or use Open, which does either.",
            ShmFailure.NotARegularFile => $"it is a symbolic link, a directory or a device; a heap is a regular file, and links are not followed.",
            ShmFailure.ForeignOwner => $"it belongs to user {found}, and we are user {expected}; set AllowForeignOwner if that user is trusted.",
            ShmFailure.ModeTooOpen => $"its mode {Octal(found)} lets others write; expected at most {Octal(expected)}: chmod it, or pass that FileMode.",
            ShmFailure.LinkCount => $"it has {found} names (hard links) and must have exactly 1.",
            ShmFailure.NotAHeap => $"it is not a heap of this library (too short, or another magic number); nothing was changed.",
            ShmFailure.UnknownLayout => $"it has layout version {found} or unknown features; this library knows version {expected}.",
            ShmFailure.DamagedHeader => $"its header is damaged: the checksum or the geometry is wrong.",
            ShmFailure.Truncated => $"it has {found} bytes and should have {expected}: it was truncated.",
            ShmFailure.OptionsContradict => $"{failure.Option} was given as {expected}, and the file has {found}; leave the option out or use another file.",
            ShmFailure.InvalidOption => $"{failure.Option} = {expected} is out of range{Range(failure.Option)}.",
            ShmFailure.FileSystemFull => $"the file system has no room for {expected} bytes; ask for less, or enlarge it (containers: --shm-size).",
            ShmFailure.CannotPreallocate => $"the file system cannot preallocate (fallocate); use tmpfs (/dev/shm), ext4, xfs or btrfs.",
            ShmFailure.AccessDenied => $"permission denied for the file or its directory.",
            ShmFailure.SparseReadOnly => $"only {found} of {expected} bytes have storage, and a read-only attachment cannot add it: attach for writing once.",
            ShmFailure.UnsupportedPlatform => $"this platform is not supported; Linux is.",
            _ => $"unknown failure.",
        };
        return sentence.ToString(CultureInfo.InvariantCulture);
    }

    private static string Advice(in Failure failure) => failure.Call switch
    {
        SystemCall.Mmap => " The maximum size is mapped at once: is there a limit on address space (ulimit -v)?",
        SystemCall.Linkat => " Creating needs /proc, and a file system with hard links.",
        _ => "",
    };

    private static string Range(OptionName option) => option switch
    {
        OptionName.UnitBytes => ": a power of two from 16 to 4096",
        OptionName.BlockBytes => ": a power of two of 32 to 4096 units",
        OptionName.SizeBytes => ": it is at least 1, at most MaximumSizeBytes, and at most 2^40 units",
        OptionName.MaximumSizeBytes => ": at least 1 byte, and at most 2^40 units",
        OptionName.MaxParticipants => ": 1 to 65535",
        _ => "",
    };

    private static string Octal(ulong mode) => "0" + Convert.ToString((long)mode, 8);
}
