using System.Runtime.InteropServices;

namespace ShmAlloc.Memory.Linux;

/// <summary>Sleeping at a word of shared memory until somebody, in whatever process, wakes who sleeps there. A read-only mapping is enough to sleep.</summary>
/// <remarks>Source: Franke, Russell, Kirkwood, "Fuss, Futexes and Furwocks: Fast Userlevel Locking in Linux" (2002).</remarks>
internal static unsafe class Futex
{
    internal const int WaitOperation = 0;
    internal const int WakeOperation = 1;

    private static nint Call => KernelConstants.Futex(RuntimeInformation.ProcessArchitecture);

    /// <summary>Returns when it was woken, when the time is over, when a signal came, and at once if the word has another value.</summary>
    internal static void Wait(uint* address, uint value, uint mostMilliseconds)
    {
        long* time = stackalloc long[2];
        time[0] = mostMilliseconds / 1000;
        time[1] = mostMilliseconds % 1000 * 1_000_000L;
        Libc.SystemCall(Call, address, WaitOperation, (nint)value, time);
    }

    internal static void WakeAll(uint* address) => Libc.SystemCall(Call, address, WakeOperation, int.MaxValue, null);
}
