using ShmAlloc.Benchmarks.Measuring;

namespace ShmAlloc.Benchmarks.Reporting;

/// <summary>The picture of the allocators.</summary>
internal static class AllocatorPicture
{
    private static readonly SvgChart Chart = new(
        "One malloc and one free",
        (4, 4000),
        [
            (Subject.Ours.Name, "#1b6ca8"), (Subject.OursFromC.Name, "#69b3e7"), (Subject.Glibc.Name, "#9a9a9a"), (Subject.Mimalloc.Name, "#e0a526"),
            (Subject.Jemalloc.Name, "#b86b25"), (Subject.Boost.Name, "#b03a48"), (Subject.Naive.Name, "#7a4f8f"),
        ]);

    /// <summary>Draws what this library takes part in.</summary>
    internal static void Write(string path, IReadOnlyList<Result> results, Clock clock)
    {
        HashSet<(string, string)> ours = [.. results.Where(result => result.Subject == Subject.Ours).Select(result => (result.Group, result.Variant))];
        Chart.Write(path, results.Where(result => IsShown(result) && ours.Contains((result.Group, result.Variant))), clock);
    }

    private static bool IsShown(Result result) =>
        !result.Workload.IsSlow && result.Workload.HeapBytes == 64 * Workload.MiB && (result.Workload.Threads == 1 || result.Workload.Pattern == "handover");
}
