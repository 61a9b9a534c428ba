using System.Runtime.InteropServices;

namespace ShmAlloc.Simulation.Machine;

/// <summary>Only one simulated thread runs at a time; on one processor handing over from one to the next is fastest.</summary>
internal static unsafe partial class OneProcessor
{
    /// <summary>Keeps this thread, with all that it starts from now on, on one processor.</summary>
    /// <param name="number">Which one: simulators at once, with different numbers, share the processors rather than one of them.</param>
    internal static bool Pin(int number)
    {
        ulong* mask = stackalloc ulong[16];
        new Span<ulong>(mask, 16).Clear();
        int processor = number % Environment.ProcessorCount;
        mask[processor / 64] = 1UL << (processor % 64);
        return SetAffinity(0, 16 * sizeof(ulong), mask) == 0;
    }

    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    private static partial int SetAffinity(int thread, nuint size, void* mask);
}
