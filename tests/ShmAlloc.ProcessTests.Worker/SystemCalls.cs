using System.Runtime.InteropServices;

namespace ShmAlloc.ProcessTests.Worker;

/// <summary>What a worker asks the kernel for, so that it can behave like the rudest of hosts.</summary>
internal static unsafe class SystemCalls
{
    internal const int UnsupportedOperation = 95;

    private const int SetNoNewPrivileges = 38;
    private const int SetSystemCallFilter = 22;
    private const int FilterMode = 2;

    [DllImport("libc", EntryPoint = "close")]
    internal static extern int Close(int descriptor);

    [DllImport("libc", EntryPoint = "mount", SetLastError = true, CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    internal static extern int Mount(string source, string target, string type, nuint flags, string data);

    [DllImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    internal static extern int Allocate(int descriptor, int mode, long offset, long length);

    [DllImport("libc", EntryPoint = "setuid", SetLastError = true)]
    internal static extern int SetUser(uint user);

    [DllImport("libc", EntryPoint = "chroot", SetLastError = true, CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    internal static extern int ChangeRoot(string path);

    /// <summary>Sets what is enforced; what it may be raised to stays.</summary>
    internal static int SetLimit(int resource, ulong soft)
    {
        var limits = stackalloc ulong[2];
        if (GetLimit(resource, limits) != 0)
        {
            return -1;
        }

        limits[0] = soft;
        return SetLimit(resource, limits);
    }

    [DllImport("libc", EntryPoint = "getrlimit", SetLastError = true)]
    private static extern int GetLimit(int resource, ulong* softAndHard);

    [DllImport("libc", EntryPoint = "setrlimit", SetLastError = true)]
    private static extern int SetLimit(int resource, ulong* softAndHard);

    /// <summary>
    /// A copy of this process that sleeps until somebody kills it. The copy has one thread and no working runtime, so neither call
    /// may make a transition.
    /// </summary>
    internal static int ForkSleeper()
    {
        // Resolved before, since the child cannot load anything.
        Alarm(0);
        var child = Fork();
        while (child == 0)
        {
            Pause();
        }

        return child;
    }

    /// <summary>Kills a child that <see cref="ForkSleeper"/> made, and waits until it is gone.</summary>
    internal static bool EndChild(int child)
    {
        const int kill = 9;
        return Kill(child, kill) == 0 && WaitForChild(child, null, 0) == child;
    }

    /// <summary>From now on, this thread's system call fails with an error when the masked bits of an argument are all set.</summary>
    /// <param name="number">The system call.</param>
    /// <param name="argument">Which argument is looked at: 0 to 5.</param>
    /// <param name="mask">Bits of its low half; 0: every call fails.</param>
    /// <param name="error">The error number.</param>
    internal static void Refuse(uint number, uint argument, uint mask, uint error)
    {
        const ushort loadWord = 0x20;
        const ushort and = 0x54;
        const ushort jumpIfEqual = 0x15;
        const ushort answer = 0x06;
        var program = stackalloc FilterStep[]
        {
            new(loadWord, 0, 0, 0),
            new(jumpIfEqual, 0, 4, number),
            new(loadWord, 0, 0, 16 + (8 * argument)),
            new(and, 0, 0, mask),
            new(jumpIfEqual, 0, 1, mask),
            new(answer, 0, 0, 0x0005_0000 | error),
            new(answer, 0, 0, 0x7FFF_0000),
        };
        var filter = new Filter { Length = 7, Steps = program };
        if (Control(SetNoNewPrivileges, 1, null) != 0 || Control(SetSystemCallFilter, FilterMode, &filter) != 0)
        {
            throw new InvalidOperationException($"No system call filter: error {Marshal.GetLastPInvokeError()}.");
        }
    }

    [DllImport("libc", EntryPoint = "prctl", SetLastError = true)]
    private static extern int Control(int operation, nuint value, Filter* filter, nuint third = 0, nuint fourth = 0);

    [DllImport("libc", EntryPoint = "fork"), SuppressGCTransition]
    private static extern int Fork();

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int processId, int signal);

    [DllImport("libc", EntryPoint = "waitpid")]
    private static extern int WaitForChild(int processId, int* status, int options);

    [DllImport("libc", EntryPoint = "pause"), SuppressGCTransition]
    private static extern int Pause();

    [DllImport("libc", EntryPoint = "alarm"), SuppressGCTransition]
    private static extern uint Alarm(uint seconds);

    /// <summary>One instruction of a filter: <c>struct sock_filter</c>.</summary>
    private readonly struct FilterStep(ushort code, byte ifTrue, byte ifFalse, uint operand)
    {
        private readonly ushort _code = code;
        private readonly byte _ifTrue = ifTrue;
        private readonly byte _ifFalse = ifFalse;
        private readonly uint _operand = operand;
    }

    /// <summary><c>struct sock_fprog</c>.</summary>
    private struct Filter
    {
        internal ushort Length;
        internal FilterStep* Steps;
    }
}
