namespace ShmAlloc.Memory;

/// <summary>What to do about a cause: the same sentence for .NET and C, in UTF-8, ended by a zero that is not counted.</summary>
internal static class CauseSentence
{
    internal static ReadOnlySpan<byte> Of(Cause cause) => cause switch
    {
        Cause.NoRoom => "the file system has no room for it; ask for less, free something there, or enlarge it (containers: --shm-size)"u8,
        Cause.Quota => "the user, group or project is over its quota on that file system; ask for less, or raise the quota"u8,
        Cause.NoInode => "the file system has no room for one more file: its inodes are used up (df -i); delete files there, or mount it with more "u8
            + "(tmpfs: nr_inodes)"u8,
        Cause.FileTooLarge => "the file would be larger than a file may be: the limit of this process (RLIMIT_FSIZE, ulimit -f), or of the file system; "u8
            + "raise it, or ask for less"u8,
        Cause.NoDirectory => "there is no such directory; make it first (after chroot: paths begin at the new root)"u8,
        Cause.DirectoryDenied => "permission denied: this user may not create files in the directory; change its mode or owner, or create the heap "u8
            + "before setuid"u8,
        Cause.FileDenied => "permission denied: this user may not open the file, or may not search a directory above it; chown or chmod them (before "u8
            + "setuid)"u8,
        Cause.NotADirectory => "a part of the path in front of the name is a file and no directory"u8,
        Cause.LinkLoop => "the directories of the path go round in a circle of symbolic links"u8,
        Cause.NameTooLong => "the file system allows no name or path of that length; choose a shorter name (usually at most 255 bytes)"u8,
        Cause.ReadOnlyFileSystem => "the file system is mounted read-only; attach read-only, or choose another place"u8,
        Cause.NoDescriptor => "this process has no descriptor left; close files, or raise its limit (RLIMIT_NOFILE, ulimit -n)"u8,
        Cause.NoDescriptorInSystem => "the system has no descriptor left (fs.file-max); close files anywhere, or raise it"u8,
        Cause.NoMemory => "the kernel has no memory left for it"u8,
        Cause.NoAddressSpace => "there is no room to map the heap at its maximum size: a limit on address space (RLIMIT_AS, ulimit -v) or on the number "u8
            + "of mappings (vm.max_map_count)"u8,
        Cause.CannotMap => "files of this file system cannot be mapped by several processes; use tmpfs (/dev/shm), ext4 or xfs"u8,
        Cause.NoProc => "the file could not be given its name: creating needs /proc, and the directory must still be there"u8,
        Cause.NoHardLink => "the file could not be given its name: creating needs a file system with hard links, or one that renames without replacing"u8,
        Cause.CannotPreallocate => "the file system cannot preallocate (fallocate); use tmpfs (/dev/shm), ext4 or xfs"u8,
        Cause.Interrupted => "signals interrupted it again and again; try again, or block them meanwhile"u8,
        Cause.CallRefused => "the kernel, or a filter of system calls (seccomp), refuses a call that is needed: statx, fallocate, getrandom, fcntl and "u8
            + "mmap have to be allowed"u8,
        Cause.FileGone => "the file was deleted or replaced, on this machine or on a file server, while it was opened; try again"u8,
        Cause.InputOutput => "the disk or the file server failed to do it; see the kernel's log"u8,
        Cause.FileBusy => "the file is a program that is being executed"u8,
        Cause.CopiesOnWrite => "the file system writes what changes to a new place (copy on write), so it cannot promise room for memory that is "u8
            + "written again: on a full disk a store would end the process. Use tmpfs (/dev/shm), ext4 or xfs"u8,
        Cause.FileCopiesOnWrite => "the file is written to a new place whenever it changes (copy on write), so on a full disk a store would end the process; "u8
            + "on btrfs a heap's file must have the attribute C from the beginning, as new heaps get it: for a copy, "u8
            + "'touch new; chattr +C new; chmod 600 new; cat copy > new'"u8,
        Cause.KernelCopiesOnWrite => "before Linux 6.17 btrfs has no room for memory that is written again while the disk is full, also without "u8
            + "copy on write: a store would end the process. Use tmpfs (/dev/shm), ext4 or xfs, or a later kernel"u8,
        Cause.SharedStorage => "it shares its storage with a copy (cp --reflink) or a snapshot, so that each page is moved when it is written next, "u8
            + "and on a full disk a store would end the process. Delete the copy or the snapshot, or copy the heap with "u8
            + "'cp --reflink=never' while nobody uses it"u8,
        Cause.UnknownFileSystem => "the file system does not say what it is (fstatfs fails; a filter of system calls, seccomp, may refuse it), so it may be "u8
            + "one that writes what changes to a new place, where on a full disk a store would end the process. Allow fstatfs"u8,
        Cause.FileBeingFilled => "the file is a sparse copy, and another process is giving it its storage; try again when that has attached"u8,
        _ => "the system call failed"u8,
    };
}
