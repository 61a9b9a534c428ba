using System.Runtime.InteropServices;

namespace ShmAlloc.Memory.Linux;

/// <summary>The system calls that a heap needs, as the C library offers them, and nothing else.</summary>
internal static unsafe class Libc
{
    internal const int ReadOnly = 0;
    internal const int ReadWrite = 2;
    internal const int CreateNew = 0x40 | 0x80;
    internal const int NonBlocking = 0x800;
    internal const int NoFollow = 0x20000;
    internal const int CloseOnExec = 0x80000;
    internal const int TemporaryFile = 0x410000;

    internal const int ProtectRead = 1;
    internal const int ProtectWrite = 2;
    internal const int MapShared = 1;
    internal const int MapPrivate = 2;
    internal const int MapFixed = 0x10;
    internal const int MapAnonymous = 0x20;
    internal const int MapNoReserve = 0x4000;
    internal const int DontFork = 10;

    private const int DuplicateCloseOnExec = 1030;
    private const int FirstFreeDescriptor = 3;

    internal const int CurrentDirectory = -100;
    internal const int FollowSymbolicLink = 0x400;

    internal const uint DoNotReplace = 1;

    internal const int NoEntry = 2;
    internal const int Interrupted = 4;
    internal const int AccessRefused = 13;
    internal const int Exists = 17;
    internal const int IsADirectory = 21;
    internal const int Invalid = 22;
    internal const int NoSpace = 28;
    internal const int NotPermitted = 1;
    internal const int NoDevice = 6;
    internal const int TooManyLinks = 40;
    internal const int NotImplemented = 38;
    internal const int NotSupported = 95;
    internal const int QuotaExceeded = 122;

    internal static void* MapFailed => (void*)-1;

    /// <summary>Error number of the last call of this thread; to be read right after it.</summary>
    internal static int Error
    {
        get => *ErrorLocation();
        set => *ErrorLocation() = value;
    }

    /// <summary>
    /// Opens a file, above the standard streams: where the host has closed one of those, whoever still writes to it must not write into a heap.
    /// </summary>
    internal static int Open(byte* path, int flags, uint mode)
    {
        int descriptor = OpenLowest(path, flags, mode);
        if (descriptor is < 0 or >= FirstFreeDescriptor)
        {
            return descriptor;
        }

        int higher = Control(descriptor, DuplicateCloseOnExec, FirstFreeDescriptor);
        int error = Error;
        Close(descriptor);
        Error = error;
        return higher;
    }

    [DllImport("libc", EntryPoint = "open"), SuppressGCTransition]
    private static extern int OpenLowest(byte* path, int flags, uint mode);

    [DllImport("libc", EntryPoint = "fcntl"), SuppressGCTransition]
    private static extern int Control(int descriptor, int command, int argument);

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

    [DllImport("libc", EntryPoint = "geteuid"), SuppressGCTransition]
    internal static extern uint EffectiveUser();

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

    [DllImport("libc", EntryPoint = "memcpy"), SuppressGCTransition]
    internal static extern void* Copy(void* to, void* from, nuint count);

    [DllImport("libc", EntryPoint = "memcmp"), SuppressGCTransition]
    internal static extern int Compare(void* first, void* second, nuint count);

    [DllImport("libc", EntryPoint = "memset"), SuppressGCTransition]
    internal static extern void* Fill(void* memory, int value, nuint count);

    /// <summary>Gives a range of a file its storage or, with another mode, takes it away.</summary>
    /// <returns>0, or the error number.</returns>
    internal static int Allocate(int descriptor, int mode, long offset, long length)
    {
        if (Host.IsForeign)
        {
            return AllocateHere(descriptor, mode, offset, length) == 0 ? 0 : Error;
        }

        return AllocateAside(descriptor, mode, offset, length) == 0 ? 0 : Marshal.GetLastPInvokeError();
    }

    /// <summary>Takes long for large ranges, so this one lets the garbage collector go on meanwhile.</summary>
    [DllImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    private static extern int AllocateAside(int descriptor, int mode, long offset, long length);

    /// <summary>Where there is no garbage collector.</summary>
    [DllImport("libc", EntryPoint = "fallocate"), SuppressGCTransition]
    private static extern int AllocateHere(int descriptor, int mode, long offset, long length);

    [DllImport("libc", EntryPoint = "ftruncate"), SuppressGCTransition]
    internal static extern int Truncate(int descriptor, long length);

    [DllImport("libc", EntryPoint = "fstatfs"), SuppressGCTransition]
    internal static extern int StatusOfFileSystem(int descriptor, FileSystem* status);

    [DllImport("libc", EntryPoint = "getrlimit"), SuppressGCTransition]
    internal static extern int Limit(int resource, ulong* softAndHard);

    [DllImport("libc", EntryPoint = "ioctl"), SuppressGCTransition]
    internal static extern int InputOutput(int descriptor, nuint request, void* argument);

    [DllImport("libc", EntryPoint = "uname"), SuppressGCTransition]
    internal static extern int NameOfSystem(KernelVersion* name);

    [DllImport("libc", EntryPoint = "sched_yield"), SuppressGCTransition]
    internal static extern int Yield();

    [DllImport("libc", EntryPoint = "__errno_location"), SuppressGCTransition]
    private static extern int* ErrorLocation();

    /// <summary>Milliseconds since the machine was started, time in which it slept included.</summary>
    internal static long BootMilliseconds()
    {
        long* time = stackalloc long[2];
        return ClockGetTime(BootTime, time) == 0 ? (time[0] * 1000) + (time[1] / 1_000_000) : 0;
    }

    /// <summary>
    /// Milliseconds since some start (0: it is not known), sleep not included, as of the last tick of the kernel: up to <see cref="LongestTick"/> ago.
    /// Quick: no counter of the processor is read, for which it would wait until all that came before is done.
    /// </summary>
    internal static long TickMilliseconds()
    {
        long* time = stackalloc long[2];
        return ClockGetTime(MonotonicCoarse, time) == 0 ? (time[0] * 1000) + (time[1] / 1_000_000) : 0;
    }

    /// <summary>Milliseconds between two ticks of a kernel that is configured for the fewest, and one for rounding.</summary>
    internal const int LongestTick = 11;

    /// <summary>Milliseconds since 1970, as somebody has set the clock.</summary>
    internal static long WallMilliseconds()
    {
        long* time = stackalloc long[2];
        return ClockGetTime(RealTime, time) == 0 ? (time[0] * 1000) + (time[1] / 1_000_000) : 0;
    }

    private const int RealTime = 0;
    private const int MonotonicCoarse = 6;
    private const int BootTime = 7;

    [DllImport("libc", EntryPoint = "clock_gettime"), SuppressGCTransition]
    private static extern int ClockGetTime(int clock, long* time);
}
