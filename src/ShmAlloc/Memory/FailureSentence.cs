namespace ShmAlloc.Memory;

/// <summary>
/// What to do about a reason for which a heap was not opened: the same sentence for .NET and C, in UTF-8, ended by a zero that is not counted. Where a system
/// call is to blame, <see cref="CauseSentence"/> knows more.
/// </summary>
internal static class FailureSentence
{
    internal static ReadOnlySpan<byte> Of(ShmFailure reason) => reason switch
    {
        ShmFailure.SystemCall => "a system call failed"u8,
        ShmFailure.NoPath => "no usable path: pass one of at most 4000 bytes, or set the environment variable SHM_FILE"u8,
        ShmFailure.NotFound => "there is no such file or directory"u8,
        ShmFailure.AlreadyExists => "there is a file of that name already; attach it, or open it, which does either"u8,
        ShmFailure.NotARegularFile => "it is a symbolic link, a directory or a device; a heap is a regular file, and links are not followed"u8,
        ShmFailure.ForeignOwner => "it belongs to another user; set AllowForeignOwner (C: SHM_FOREIGN_OWNER) if that user is trusted"u8,
        ShmFailure.ModeTooOpen => "its mode lets others write; chmod it, or say that mode (FileMode; C: SHM_FILE_MODE or shm_options.mode)"u8,
        ShmFailure.LinkCount => "it has several names (hard links), or none any more, and must have exactly one; delete the others"u8,
        ShmFailure.NotAHeap => "it is not a heap of this library: too short, or another magic number; nothing was changed. Choose another path, or "u8
            + "delete it if nobody needs it"u8,
        ShmFailure.UnknownLayout => "its layout is of another version of this library and is not converted. Use one version in all processes and delete "u8
            + "the file when none of the old ones runs, or give each version a path of its own"u8,
        ShmFailure.DamagedHeader => "its header is damaged (the checksum or the geometry is wrong): something else wrote to the file, or it was copied "u8
            + "in part. Nothing in it can be trusted; end the processes that use it, and delete it or put back a sound copy"u8,
        ShmFailure.Truncated => "it is shorter than its header says: something cut it short, or it was copied in part. What was beyond is gone; end the "u8
            + "processes that use it, and delete it or put back a sound copy"u8,
        ShmFailure.OptionsContradict => "it was made with another value of an option; leave the option out, or use another file"u8,
        ShmFailure.InvalidOption => "an option, or a setting in the environment, is out of range or not a number"u8,
        ShmFailure.FileSystemFull => "the file system has no room for it: bytes, files (inodes), a quota, or the size that a file may have"u8,
        ShmFailure.CannotPreallocate => "the file system cannot preallocate (fallocate); use tmpfs (/dev/shm), ext4 or xfs"u8,
        ShmFailure.AccessDenied => "permission denied for the file or its directory"u8,
        ShmFailure.SparseReadOnly => "parts of it have no storage, and a read-only attachment cannot add it: attach it for writing once"u8,
        ShmFailure.UnsupportedPlatform => "this platform is not supported; 64-bit Linux is"u8,
        ShmFailure.CopyOnWrite => "the file system writes what changes to a new place (copy on write), so it cannot promise room for it"u8,
        ShmFailure.CopyOfLiveHeap => "it is a copy of a heap's file that was made while the heap was in use, or after its processes were killed: "u8
            + "parts of it may be from different moments. Copy it again while no process has the heap attached (if all were killed: attach and leave "u8
            + "it once before); "u8
            + "if nobody was attached, AllowCopy (C: SHM_ALLOW_COPY) accepts it"u8,
        ShmFailure.AllSlotsTaken => "all its participant slots are taken, and the options ask for one: end a process that has it attached, or create it "u8
            + "anew with a larger MaxParticipants"u8,
        _ => "unknown failure"u8,
    };
}
