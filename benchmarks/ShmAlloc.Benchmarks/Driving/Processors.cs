using System.Numerics;
using System.Runtime.InteropServices;

namespace ShmAlloc.Benchmarks.Driving;

/// <summary>The processors that threads run on.</summary>
internal static unsafe partial class Processors
{
    /// <summary>Words of the kernel's set of processors: 1024 of them.</summary>
    private const int Words = 16;

    /// <summary>Binds the thread that calls to one of the processors that it may use: of several, that of a number, counted round.</summary>
    internal static void Bind(int number)
    {
        ulong* allowed = stackalloc ulong[Words];
        new Span<ulong>(allowed, Words).Clear();
        if (GetAffinity(0, Words * sizeof(ulong), allowed) <= 0)
        {
            return;
        }

        int count = 0;
        for (int word = 0; word < Words; word++)
        {
            count += BitOperations.PopCount(allowed[word]);
        }

        int left = number % count;
        ulong* one = stackalloc ulong[Words];
        new Span<ulong>(one, Words).Clear();
        for (int processor = 0; processor < Words * 64; processor++)
        {
            if ((allowed[processor / 64] >> (processor % 64) & 1) != 0 && left-- == 0)
            {
                one[processor / 64] = 1UL << (processor % 64);
            }
        }

        _ = SetAffinity(0, Words * sizeof(ulong), one);
    }

    [LibraryImport("libc", EntryPoint = "sched_getaffinity")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int GetAffinity(int thread, nuint bytes, ulong* processors);

    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetAffinity(int thread, nuint bytes, ulong* processors);
}
