using System.Globalization;
using static ShmAlloc.Benchmarks.Measuring.Workload;

namespace ShmAlloc.Benchmarks.Measuring;

/// <summary>Which large heaps this machine has room for: all of a heap is preallocated, so memory must be there.</summary>
internal sealed class HeapSizes
{
    internal const long Huge = 16 * GiB;

    /// <summary>What must stay free beside a heap, for everybody else.</summary>
    private const long Reserve = 3 * GiB;

    private const string Home = "/dev/shm";

    internal IReadOnlyList<long> Large { get; } = [GiB, Huge];

    internal string? Note { get; } = FitsHuge
        ? null
        : "16 GiB do not fit in the memory that is available now, so that heap has 64 MiB committed and may grow to 16 GiB: the geometry of the large "
            + "heap without its memory.";

    private static bool FitsHuge { get; } =
        Math.Min(AvailableMemory(), new DriveInfo(Home).AvailableFreeSpace) > Huge + GiB + Reserve;

    /// <summary>The same workload, with as much committed as there is memory for.</summary>
    internal static Workload Fit(Workload workload) =>
        workload.HeapBytes >= Huge && !FitsHuge ? workload with { CommittedBytes = 64 * MiB } : workload;

    private static long AvailableMemory()
    {
        string line = File.ReadLines("/proc/meminfo").First(text => text.StartsWith("MemAvailable:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }
}
