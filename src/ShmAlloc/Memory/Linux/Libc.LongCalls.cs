using System.Runtime.InteropServices;

namespace ShmAlloc.Memory.Linux;

/// <content>Calls that may take long, for both kinds of host; only one of the two classes below is left in a program that is trimmed.</content>
internal static unsafe partial class Libc
{
    private static int OpenLowest(byte* path, int flags, uint mode) => Host.IsForeign
        ? Foreign.OpenLowest(path, flags, mode)
        : Managed.OpenLowest(path, flags, mode);

    private static int Control(int descriptor, int command, int argument) => Host.IsForeign
        ? Foreign.Control(descriptor, command, argument)
        : Managed.Control(descriptor, command, argument);

    internal static int Close(int descriptor) => Host.IsForeign ? Foreign.Close(descriptor) : Managed.Close(descriptor);

    internal static int Unlink(byte* path) => Host.IsForeign ? Foreign.Unlink(path) : Managed.Unlink(path);

    internal static int LinkAt(int fromDirectory, byte* from, int toDirectory, byte* to, int flags) => Host.IsForeign
        ? Foreign.LinkAt(fromDirectory, from, toDirectory, to, flags)
        : Managed.LinkAt(fromDirectory, from, toDirectory, to, flags);

    internal static int RenameAt(int fromDirectory, byte* from, int toDirectory, byte* to, uint flags) => Host.IsForeign
        ? Foreign.RenameAt(fromDirectory, from, toDirectory, to, flags)
        : Managed.RenameAt(fromDirectory, from, toDirectory, to, flags);

    internal static int ChangeMode(int descriptor, uint mode) => Host.IsForeign
        ? Foreign.ChangeMode(descriptor, mode)
        : Managed.ChangeMode(descriptor, mode);

    internal static nint ReadAt(int descriptor, void* buffer, nuint count, long offset) => Host.IsForeign
        ? Foreign.ReadAt(descriptor, buffer, count, offset)
        : Managed.ReadAt(descriptor, buffer, count, offset);

    internal static int StatusOf(int directory, byte* path, int flags, uint mask, FileStatus* status) => Host.IsForeign
        ? Foreign.StatusOf(directory, path, flags, mask, status)
        : Managed.StatusOf(directory, path, flags, mask, status);

    internal static int Control(int descriptor, int command, FileLock* fileLock) => Host.IsForeign
        ? Foreign.Control(descriptor, command, fileLock)
        : Managed.Control(descriptor, command, fileLock);

    internal static void* Map(void* address, nuint length, int protection, int flags, int descriptor, long offset) => Host.IsForeign
        ? Foreign.Map(address, length, protection, flags, descriptor, offset)
        : Managed.Map(address, length, protection, flags, descriptor, offset);

    internal static int Unmap(void* address, nuint length) => Host.IsForeign ? Foreign.Unmap(address, length) : Managed.Unmap(address, length);

    internal static int Protect(void* address, nuint length, int protection) => Host.IsForeign
        ? Foreign.Protect(address, length, protection)
        : Managed.Protect(address, length, protection);

    internal static int Advise(void* address, nuint length, int advice) => Host.IsForeign
        ? Foreign.Advise(address, length, advice)
        : Managed.Advise(address, length, advice);

    internal static nint Random(void* buffer, nuint count, uint flags) => Host.IsForeign
        ? Foreign.Random(buffer, count, flags)
        : Managed.Random(buffer, count, flags);

    private static int AllocateRange(int descriptor, int mode, long offset, long length) => Host.IsForeign
        ? Foreign.AllocateRange(descriptor, mode, offset, length)
        : Managed.AllocateRange(descriptor, mode, offset, length);

    internal static int Truncate(int descriptor, long length) => Host.IsForeign
        ? Foreign.Truncate(descriptor, length)
        : Managed.Truncate(descriptor, length);

    internal static long Seek(int descriptor, long offset, int whence) => Host.IsForeign
        ? Foreign.Seek(descriptor, offset, whence)
        : Managed.Seek(descriptor, offset, whence);

    internal static int StatusOfFileSystem(int descriptor, FileSystem* status) => Host.IsForeign
        ? Foreign.StatusOfFileSystem(descriptor, status)
        : Managed.StatusOfFileSystem(descriptor, status);

    internal static int InputOutput(int descriptor, nuint request, void* argument) => Host.IsForeign
        ? Foreign.InputOutput(descriptor, request, argument)
        : Managed.InputOutput(descriptor, request, argument);

    /// <summary>Gives the processor to another thread that waits for it.</summary>
    internal static int Yield() => Host.IsForeign ? Foreign.Yield() : Managed.Yield();

    /// <summary>A system call by its number, for which the C library has no function.</summary>
    internal static nint SystemCall(nint number, void* first, nint second, nint third, void* fourth) => Host.IsForeign
        ? Foreign.SystemCall(number, first, second, third, fourth)
        : Managed.SystemCall(number, first, second, third, fourth);

    private static int SleepFor(long* time, long* rest) => Host.IsForeign ? Foreign.SleepFor(time, rest) : Managed.SleepFor(time, rest);

    /// <summary>In a .NET program: the runtime knows that this thread is away, and keeps <c>errno</c>, which its own calls would overwrite.</summary>
    private static class Managed
    {
        [DllImport("libc", EntryPoint = "open", SetLastError = true)]
        internal static extern int OpenLowest(byte* path, int flags, uint mode);

        [DllImport("libc", EntryPoint = "fcntl", SetLastError = true)]
        internal static extern int Control(int descriptor, int command, int argument);

        [DllImport("libc", EntryPoint = "close", SetLastError = true)]
        internal static extern int Close(int descriptor);

        [DllImport("libc", EntryPoint = "unlink", SetLastError = true)]
        internal static extern int Unlink(byte* path);

        [DllImport("libc", EntryPoint = "linkat", SetLastError = true)]
        internal static extern int LinkAt(int fromDirectory, byte* from, int toDirectory, byte* to, int flags);

        [DllImport("libc", EntryPoint = "renameat2", SetLastError = true)]
        internal static extern int RenameAt(int fromDirectory, byte* from, int toDirectory, byte* to, uint flags);

        [DllImport("libc", EntryPoint = "fchmod", SetLastError = true)]
        internal static extern int ChangeMode(int descriptor, uint mode);

        [DllImport("libc", EntryPoint = "pread", SetLastError = true)]
        internal static extern nint ReadAt(int descriptor, void* buffer, nuint count, long offset);

        [DllImport("libc", EntryPoint = "statx", SetLastError = true)]
        internal static extern int StatusOf(int directory, byte* path, int flags, uint mask, FileStatus* status);

        [DllImport("libc", EntryPoint = "fcntl", SetLastError = true)]
        internal static extern int Control(int descriptor, int command, FileLock* fileLock);

        [DllImport("libc", EntryPoint = "mmap", SetLastError = true)]
        internal static extern void* Map(void* address, nuint length, int protection, int flags, int descriptor, long offset);

        [DllImport("libc", EntryPoint = "munmap", SetLastError = true)]
        internal static extern int Unmap(void* address, nuint length);

        [DllImport("libc", EntryPoint = "mprotect", SetLastError = true)]
        internal static extern int Protect(void* address, nuint length, int protection);

        [DllImport("libc", EntryPoint = "madvise", SetLastError = true)]
        internal static extern int Advise(void* address, nuint length, int advice);

        [DllImport("libc", EntryPoint = "getrandom", SetLastError = true)]
        internal static extern nint Random(void* buffer, nuint count, uint flags);

        [DllImport("libc", EntryPoint = "fallocate", SetLastError = true)]
        internal static extern int AllocateRange(int descriptor, int mode, long offset, long length);

        [DllImport("libc", EntryPoint = "ftruncate", SetLastError = true)]
        internal static extern int Truncate(int descriptor, long length);

        [DllImport("libc", EntryPoint = "lseek", SetLastError = true)]
        internal static extern long Seek(int descriptor, long offset, int whence);

        [DllImport("libc", EntryPoint = "fstatfs", SetLastError = true)]
        internal static extern int StatusOfFileSystem(int descriptor, FileSystem* status);

        [DllImport("libc", EntryPoint = "ioctl", SetLastError = true)]
        internal static extern int InputOutput(int descriptor, nuint request, void* argument);

        [DllImport("libc", EntryPoint = "sched_yield", SetLastError = true)]
        internal static extern int Yield();

        [DllImport("libc", EntryPoint = "syscall", SetLastError = true)]
        internal static extern nint SystemCall(nint number, void* first, nint second, nint third, void* fourth);

        [DllImport("libc", EntryPoint = "nanosleep", SetLastError = true)]
        internal static extern int SleepFor(long* time, long* rest);
    }

    /// <summary>In the native library: plain calls, which reach no runtime.</summary>
    private static class Foreign
    {
        [DllImport("libc", EntryPoint = "open"), SuppressGCTransition]
        internal static extern int OpenLowest(byte* path, int flags, uint mode);

        [DllImport("libc", EntryPoint = "fcntl"), SuppressGCTransition]
        internal static extern int Control(int descriptor, int command, int argument);

        [DllImport("libc", EntryPoint = "close"), SuppressGCTransition]
        internal static extern int Close(int descriptor);

        [DllImport("libc", EntryPoint = "unlink"), SuppressGCTransition]
        internal static extern int Unlink(byte* path);

        [DllImport("libc", EntryPoint = "linkat"), SuppressGCTransition]
        internal static extern int LinkAt(int fromDirectory, byte* from, int toDirectory, byte* to, int flags);

        [DllImport("libc", EntryPoint = "renameat2"), SuppressGCTransition]
        internal static extern int RenameAt(int fromDirectory, byte* from, int toDirectory, byte* to, uint flags);

        [DllImport("libc", EntryPoint = "fchmod"), SuppressGCTransition]
        internal static extern int ChangeMode(int descriptor, uint mode);

        [DllImport("libc", EntryPoint = "pread"), SuppressGCTransition]
        internal static extern nint ReadAt(int descriptor, void* buffer, nuint count, long offset);

        [DllImport("libc", EntryPoint = "statx"), SuppressGCTransition]
        internal static extern int StatusOf(int directory, byte* path, int flags, uint mask, FileStatus* status);

        [DllImport("libc", EntryPoint = "fcntl"), SuppressGCTransition]
        internal static extern int Control(int descriptor, int command, FileLock* fileLock);

        [DllImport("libc", EntryPoint = "mmap"), SuppressGCTransition]
        internal static extern void* Map(void* address, nuint length, int protection, int flags, int descriptor, long offset);

        [DllImport("libc", EntryPoint = "munmap"), SuppressGCTransition]
        internal static extern int Unmap(void* address, nuint length);

        [DllImport("libc", EntryPoint = "mprotect"), SuppressGCTransition]
        internal static extern int Protect(void* address, nuint length, int protection);

        [DllImport("libc", EntryPoint = "madvise"), SuppressGCTransition]
        internal static extern int Advise(void* address, nuint length, int advice);

        [DllImport("libc", EntryPoint = "getrandom"), SuppressGCTransition]
        internal static extern nint Random(void* buffer, nuint count, uint flags);

        [DllImport("libc", EntryPoint = "fallocate"), SuppressGCTransition]
        internal static extern int AllocateRange(int descriptor, int mode, long offset, long length);

        [DllImport("libc", EntryPoint = "ftruncate"), SuppressGCTransition]
        internal static extern int Truncate(int descriptor, long length);

        [DllImport("libc", EntryPoint = "lseek"), SuppressGCTransition]
        internal static extern long Seek(int descriptor, long offset, int whence);

        [DllImport("libc", EntryPoint = "fstatfs"), SuppressGCTransition]
        internal static extern int StatusOfFileSystem(int descriptor, FileSystem* status);

        [DllImport("libc", EntryPoint = "ioctl"), SuppressGCTransition]
        internal static extern int InputOutput(int descriptor, nuint request, void* argument);

        [DllImport("libc", EntryPoint = "sched_yield"), SuppressGCTransition]
        internal static extern int Yield();

        [DllImport("libc", EntryPoint = "syscall"), SuppressGCTransition]
        internal static extern nint SystemCall(nint number, void* first, nint second, nint third, void* fourth);

        [DllImport("libc", EntryPoint = "nanosleep"), SuppressGCTransition]
        internal static extern int SleepFor(long* time, long* rest);
    }
}
