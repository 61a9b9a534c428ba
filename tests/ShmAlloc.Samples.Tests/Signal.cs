using System.Runtime.InteropServices;

namespace ShmAlloc.Samples.Tests;

/// <summary>Signals to processes that a test has started.</summary>
internal static class Signal
{
    public const int Interrupt = 2;
    public const int Terminate = 15;

    /// <returns>0 if it was sent.</returns>
    [DllImport("libc", EntryPoint = "kill")]
    public static extern int Send(int processId, int signal);
}
