using System.Runtime.InteropServices;

namespace ShmAlloc.Memory.Linux;

/// <summary>The system calls that a heap needs, as the C library offers them, and nothing else.</summary>
/// <remarks>
/// A call that may take long (it waits for a disk, for the kernel's lock on this process's mappings, or gives back gigabytes) is declared twice: in a .NET
/// program it lets the garbage collector go on meanwhile, in the native library there is no runtime that it could tell. See Libc.LongCalls.cs. What is
/// declared here is short.
/// </remarks>
internal static unsafe partial class Libc
{
    internal const int ReadOnly = 0;
    internal const int ReadWrite = 2;
    internal const int CreateNew = 0x40 | 0x80;
    internal const int NonBlocking = 0x800;
    internal const int CloseOnExec = 0x80000;

    internal const int ProtectRead = 1;
    internal const int ProtectWrite = 2;
    internal const int MapShared = 1;
    internal const int MapPrivate = 2;
    internal const int MapFixed = 0x10;
    internal const int MapAnonymous = 0x20;
    internal const int MapNoReserve = 0x4000;
    internal const int MapFixedNoReplace = 0x100000;
    internal const int DoNotNeed = 4;
    internal const int DontFork = 10;
    internal const int PopulateRead = 22;
    internal const int WipeOnFork = 18;

    private const int DuplicateCloseOnExec = 1030;
    private const int FirstFreeDescriptor = 3;

    internal const int CurrentDirectory = -100;
    internal const int FollowSymbolicLink = 0x400;

    internal const uint DoNotReplace = 1;

    internal const int SeekData = 3;
    internal const int SeekHole = 4;

    internal const int NoEntry = 2;
    internal const int Interrupted = 4;
    internal const int AccessRefused = 13;
    internal const int BadAddress = 14;
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

    // Constants to the compilers, which know the architecture.
    internal static int NoFollow => KernelConstants.OpenNoFollow(RuntimeInformation.ProcessArchitecture);

    internal static int TemporaryFile => KernelConstants.OpenTemporaryFile(RuntimeInformation.ProcessArchitecture);

    internal static void* MapFailed => (void*)-1;

    /// <summary>Error number of the last call of this thread that failed; to be read right after it.</summary>
    internal static int Error
    {
        get => Host.IsForeign ? *ErrorLocation() : Marshal.GetLastPInvokeError();
        set
        {
            if (Host.IsForeign)
            {
                *ErrorLocation() = value;
            }
            else
            {
                Marshal.SetLastPInvokeError(value);
            }
        }
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

    [DllImport("libc", EntryPoint = "geteuid"), SuppressGCTransition]
    internal static extern uint EffectiveUser();

    /// <summary>Bytes of the kernel's pages, in which it maps and protects: 4 KiB on x86-64, and 4, 16 or 64 KiB on arm64.</summary>
    internal static ulong PageBytes => AuxiliaryValue(PageSizeEntry);

    /// <summary>
    /// Whether the program runs with more rights than who started it (setuid, setgid, file capabilities): then it must not obey its environment.
    /// </summary>
    internal static bool IsPrivileged => AuxiliaryValue(SecureEntry) != 0;

    private const ulong PageSizeEntry = 6;
    private const ulong SecureEntry = 23;

    [DllImport("libc", EntryPoint = "getauxval"), SuppressGCTransition]
    private static extern ulong AuxiliaryValue(ulong entry);

    [DllImport("libc", EntryPoint = "memcpy"), SuppressGCTransition]
    internal static extern void* Copy(void* to, void* from, nuint count);

    [DllImport("libc", EntryPoint = "memcmp"), SuppressGCTransition]
    internal static extern int Compare(void* first, void* second, nuint count);

    [DllImport("libc", EntryPoint = "memset"), SuppressGCTransition]
    internal static extern void* Fill(void* memory, int value, nuint count);

    /// <summary>Gives a range of a file its storage or, with another mode, takes it away.</summary>
    /// <returns>0, or the error number.</returns>
    internal static int Allocate(int descriptor, int mode, long offset, long length) =>
        AllocateRange(descriptor, mode, offset, length) == 0 ? 0 : Error;

    /// <summary>Waits for so many microseconds, below a second. Signals do not end it before, unless there are very many.</summary>
    /// <remarks>
    /// Patience counts turns, and a turn that each signal ends is none: under a profiling timer of 50 microseconds, which interrupts the longest sleep of
    /// a turn twenty times, it would last a twentieth of what it should.
    /// </remarks>
    internal static void Sleep(uint microseconds)
    {
        const int maxInterruptions = 40;
        long* time = stackalloc long[2];
        time[0] = 0;
        time[1] = microseconds * 1000L;
        for (int interruptions = 0; SleepFor(time, time) != 0 && Error == Interrupted && interruptions < maxInterruptions; interruptions++)
        {
            // What is left of it was written where the next turn reads.
        }
    }

    [DllImport("libc", EntryPoint = "getrlimit"), SuppressGCTransition]
    internal static extern int Limit(int resource, ulong* softAndHard);

    [DllImport("libc", EntryPoint = "uname"), SuppressGCTransition]
    internal static extern int NameOfSystem(KernelVersion* name);

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
