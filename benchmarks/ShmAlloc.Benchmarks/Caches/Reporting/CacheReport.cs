using ShmAlloc.Benchmarks.Caches.Alone;
using ShmAlloc.Benchmarks.Caches.Measuring;
using ShmAlloc.Benchmarks.Measuring;
using ShmAlloc.Benchmarks.Reporting;

namespace ShmAlloc.Benchmarks.Caches.Reporting;

/// <summary>What a run has found out so far, and the same for programs.</summary>
internal sealed class CacheReport
{
    internal required IReadOnlyList<string> Machine { get; init; }

    internal List<string> Loads { get; } = [];

    internal List<string> Skipped { get; } = [];

    /// <summary>The servers that were started.</summary>
    internal List<int> Servers { get; } = [];

    internal List<CacheResult> Results { get; } = [];

    /// <summary>Calls that only this cache has.</summary>
    internal List<AloneResult> Alone { get; } = [];

    internal void Write(string path) => JsonReport.Write(path, new
    {
        Process = Environment.ProcessId,
        Machine,
        Loads,
        Skipped,
        Servers,
        Results = Results.Select(result => new
        {
            result.Group,
            result.Variant,
            Subject = result.Name,
            Operation = result.Workload.Operation.Name,
            result.Workload.Distribution,
            result.Workload.Data.Keys,
            result.Workload.Data.ValueBytes,
            result.Workload.Threads,
            result.Workload.Processes,
            MedianWallNanoseconds = result.Median(Clock.Wall),
            MedianCpuNanoseconds = result.Median(Clock.Cpu),
            result.MedianAllocatedBytes,
            WallNanoseconds = result.Rounds.Select(round => round.WallNanoseconds),
            CpuNanoseconds = result.Rounds.Select(round => round.CpuNanoseconds),
            result.Failures,
        }),
        Alone = Alone.Select(result => new
        {
            result.Group,
            result.Variant,
            MedianWallNanoseconds = result.Median(Clock.Wall),
            WallNanoseconds = result.Rounds.Select(round => round.WallNanoseconds),
            result.Failures,
        }),
    });
}
