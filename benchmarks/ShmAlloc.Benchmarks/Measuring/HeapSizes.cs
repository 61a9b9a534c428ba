using System.Globalization;
using static ShmAlloc.Benchmarks.Measuring.Workload;

namespace ShmAlloc.Benchmarks.Measuring;

/// <summary>Whether this machine has room for the largest heap: all of a heap is preallocated, so memory must be there.</summary>
internal sealed class HeapSizes
{
    internal const long Huge = 16 * GiB;

    /// <summary>What must stay free beside it: the other heaps of its group, and something for everybody else.</summary>
    private const long Reserve = 5 * GiB;

    private const string Home = "/dev/shm";

    /// <param name="isThorough">Whether to spend the time that it takes to fill 16 GiB with zeros.</param>
    internal HeapSizes(bool isThorough)
    {
        bool fits = Math.Min(AvailableMemory(), new DriveInfo(Home).AvailableFreeSpace) >= Huge + Reserve;
        if (!fits || !isThorough)
        {
            CommittedOfHuge = 64 * MiB;
            Note = $"{(fits ? "In a quick run" : "16 GiB do not fit in the memory that is available now, so")} the heap of 16 GiB has 64 MiB committed: the geometry "
                + "of the large heap without its memory.";
        }
    }

    /// <summary>How much of it is preallocated, if not all.</summary>
    internal long? CommittedOfHuge { get; }

    internal string? Note { get; }

    internal static long AvailableMemory()
    {
        string line = File.ReadLines("/proc/meminfo").First(text => text.StartsWith("MemAvailable:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }
}
