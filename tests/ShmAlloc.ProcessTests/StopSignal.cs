using System.Runtime.InteropServices;

namespace ShmAlloc.ProcessTests;

/// <summary>Freezes a child process and lets it run again, with the numbers of Linux on x64 and arm64.</summary>
internal static unsafe class StopSignal
{
    private const int SigCont = 18;
    private const int SigStop = 19;
    private const int WaitForProcess = 1;
    private const int WaitStopped = 2;
    private const int WaitExited = 4;
    private const int WaitWithoutReaping = 0x0100_0000;
    private const int ChildStopped = 5;
    private const int InterruptedCall = 4;

    /// <summary>
    /// Stops the process and returns when its last thread has stopped. A child that dies meanwhile stays to be reaped by
    /// the runtime, so <c>waitid</c> only looks.
    /// </summary>
    /// <param name="processId">A child of this process that was not reaped yet.</param>
    /// <returns>Whether it is stopped now; otherwise it has ended.</returns>
    public static bool Stop(int processId)
    {
        if (Kill(processId, SigStop) != 0)
        {
            return false;
        }

        // siginfo_t: 128 bytes; the third of its leading integers is si_code.
        var information = stackalloc int[32];
        while (WaitId(WaitForProcess, processId, information, WaitStopped | WaitExited | WaitWithoutReaping) != 0)
        {
            if (Marshal.GetLastPInvokeError() != InterruptedCall)
            {
                return false;
            }
        }

        return information[2] == ChildStopped;
    }

    /// <summary>Lets a stopped process run again.</summary>
    /// <param name="processId">A child of this process that was not reaped yet.</param>
    /// <returns>Whether there was such a process.</returns>
    public static bool Continue(int processId) => Kill(processId, SigCont) == 0;

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static extern int Kill(int processId, int signal);

    [DllImport("libc", EntryPoint = "waitid", SetLastError = true)]
    private static extern int WaitId(int kind, int processId, int* information, int options);
}
