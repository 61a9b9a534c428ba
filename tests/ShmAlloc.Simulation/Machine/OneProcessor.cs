using System.Runtime.InteropServices;

namespace ShmAlloc.Simulation.Machine;

/// <summary>Only one simulated thread runs at a time; on one processor handing over from one to the next is fastest.</summary>
internal static unsafe partial class OneProcessor
{
    /// <summary>Keeps this process, with all threads that it starts from now on, on the processor it runs on.</summary>
    internal static bool Pin()
    {
        ulong* mask = stackalloc ulong[16];
        new Span<ulong>(mask, 16).Clear();
        int processor = Thread.GetCurrentProcessorId();
        mask[processor / 64] = 1UL << (processor % 64);
        return SetAffinity(0, 16 * sizeof(ulong), mask) == 0;
    }

    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    private static partial int SetAffinity(int thread, nuint size, void* mask);
}
