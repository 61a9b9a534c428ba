using System.Diagnostics;
using System.Runtime.InteropServices;

namespace ShmAlloc.Benchmarks.Driving;

/// <summary>One thread that works, with its clocks.</summary>
/// <param name="id">Number among the workers of all processes.</param>
/// <param name="count">How many there are.</param>
/// <param name="coordination">Where they meet.</param>
internal sealed partial class Worker(int id, int count, Coordination coordination)
{
    private const int ThreadCpuTime = 3;

    private long _wallStart;
    private long _cpuStart;
    private long _allocatedStart;

    /// <summary>State of the random numbers.</summary>
    internal ulong Random = Sizes.Seed(id);

    internal int Id { get; } = id;

    internal int Count { get; } = count;

    internal Coordination Coordination { get; } = coordination;

    internal ulong[] Live { get; set; } = [];

    internal long LiveCount { get; set; }

    internal long Failures { get; set; }

    internal double WallNanoseconds { get; private set; }

    internal double CpuNanoseconds { get; private set; }

    /// <summary>Managed memory that the thread allocated while its clock ran.</summary>
    internal long AllocatedBytes { get; private set; }

    internal void Reset()
    {
        AllocatedBytes = 0;
        Failures = 0;
        WallNanoseconds = 0;
        CpuNanoseconds = 0;
    }

    internal void StartClock()
    {
        _allocatedStart = GC.GetAllocatedBytesForCurrentThread();
        _cpuStart = CpuNow();
        _wallStart = Stopwatch.GetTimestamp();
    }

    internal void StopClock()
    {
        WallNanoseconds += Stopwatch.GetElapsedTime(_wallStart).TotalNanoseconds;
        CpuNanoseconds += CpuNow() - _cpuStart;
        AllocatedBytes += GC.GetAllocatedBytesForCurrentThread() - _allocatedStart;
    }

    private static long CpuNow()
    {
        _ = GetClock(ThreadCpuTime, out Time time);
        return (time.Seconds * 1_000_000_000) + time.Nanoseconds;
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int GetClock(int clock, out Time time);

    private struct Time
    {
        internal long Seconds;
        internal long Nanoseconds;
    }
}
