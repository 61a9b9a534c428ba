using System.Globalization;
using System.Runtime.InteropServices;

namespace ShmAlloc.ProcessTests.Worker;

/// <summary>Limits that a process can be under. Each holds from the moment that its verb was answered.</summary>
internal static unsafe class LimitVerbs
{
    internal static readonly Dictionary<string, HeapCommand.Verb> All = new(StringComparer.Ordinal)
    {
        ["limit-file-size"] = (_, words) => Limit(FileSize, HeapSession.Number(words[0])),
        ["limit-address-space"] = (_, words) => Limit(AddressSpace, MappedBytes() + HeapSession.Number(words[0])),
        ["limit-descriptors"] = (_, _) => LimitDescriptors(),
        ["limit-mappings"] = (_, words) => LimitMappings(HeapSession.Count(words[0])),
        ["interrupt-every-millisecond"] = (_, _) => InterruptEveryMillisecond(),
        ["become"] = (_, words) => Answer(SetUser((uint)HeapSession.Count(words[0]))),
        ["change-root"] = (_, words) => Answer(ChangeRoot(words[0]) | ChangeDirectory("/")),
        ["unmount"] = (_, words) => Answer(Unmount(words[0], Detach)),
    };

    private const int FileSize = 1;
    private const int Descriptors = 7;
    private const int AddressSpace = 9;
    private const int Detach = 2;
    private const int AlarmSignal = 14;
    private const int RealTimer = 0;
    private const int ReadWrite = 3;
    private const int PrivateAnonymous = 0x22;

    private static string Limit(int resource, ulong value)
    {
        var limit = stackalloc[] { value, value };
        return Answer(SetLimit(resource, limit));
    }

    /// <summary>Whatever is open stays so, and nothing more can be opened.</summary>
    private static string LimitDescriptors()
    {
        var lowestFree = Duplicate(0);
        SystemCalls.Close(lowestFree);
        return Limit(Descriptors, (ulong)lowestFree);
    }

    /// <summary>Takes all mappings that the kernel lets a process have, but for some: pages that may be written beside others that may not.</summary>
    private static string LimitMappings(int spare)
    {
        // What the collector needs from here on, it has.
        GC.TryStartNoGCRegion(32 << 20);
        nuint page = (nuint)Environment.SystemPageSize;
        const int pages = 1 << 18;
        var memory = Map(null, page * pages, ReadWrite, PrivateAnonymous, -1, 0);
        var index = 1;
        while (index < pages && Protect(memory + (page * (nuint)index), page, 0) == 0)
        {
            index += 2;
        }

        // A page that is like its neighbours again gives two back.
        for (var given = 0; given < spare; given += 2)
        {
            index -= 2;
            _ = Protect(memory + (page * (nuint)index), page, ReadWrite);
        }

        return index < pages ? "limited" : "not all mappings could be taken";
    }

    /// <summary>The handler is a harmless function of the C library: code of .NET must not run in one.</summary>
    private static string InterruptEveryMillisecond()
    {
        var handler = NativeLibrary.GetExport(NativeLibrary.GetMainProgramHandle(), "getpid");
        _ = SetHandler(AlarmSignal, handler);
        var interval = stackalloc long[] { 0, 1000, 0, 1000 };
        return Answer(LetInterrupt(AlarmSignal, 1) | SetTimer(RealTimer, interval, null));
    }

    private static ulong MappedBytes() =>
        ulong.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[0], CultureInfo.InvariantCulture) * (ulong)Environment.SystemPageSize;

    private static string Answer(int result) => result == 0 ? "limited" : $"error {Marshal.GetLastPInvokeError()}";

    [DllImport("libc", EntryPoint = "setrlimit", SetLastError = true)]
    private static extern int SetLimit(int resource, ulong* limit);

    [DllImport("libc", EntryPoint = "dup")]
    private static extern int Duplicate(int descriptor);

    [DllImport("libc", EntryPoint = "mmap")]
    private static extern byte* Map(void* address, nuint length, int protection, int flags, int descriptor, nint offset);

    [DllImport("libc", EntryPoint = "mprotect")]
    private static extern int Protect(void* address, nuint length, int protection);

    [DllImport("libc", EntryPoint = "signal")]
    private static extern nint SetHandler(int signal, nint handler);

    [DllImport("libc", EntryPoint = "siginterrupt", SetLastError = true)]
    private static extern int LetInterrupt(int signal, int yes);

    [DllImport("libc", EntryPoint = "setitimer", SetLastError = true)]
    private static extern int SetTimer(int timer, long* value, long* old);

    [DllImport("libc", EntryPoint = "setuid", SetLastError = true)]
    private static extern int SetUser(uint user);

    [DllImport("libc", EntryPoint = "chroot", SetLastError = true, CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern int ChangeRoot(string directory);

    [DllImport("libc", EntryPoint = "chdir", SetLastError = true, CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern int ChangeDirectory(string directory);

    [DllImport("libc", EntryPoint = "umount2", SetLastError = true, CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern int Unmount(string directory, int flags);
}
