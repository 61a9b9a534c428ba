using System.Globalization;

namespace ShmAlloc.Benchmarks;

/// <summary>Measures this library beside the C library's malloc: interleaved rounds in one run, medians, and ratios of medians.</summary>
internal static class AllocatorBenchmark
{
    private static readonly Workload[] Workloads =
    [
        .. from threads in (int[])[1, 2]
           from sizes in ((int Smallest, int Largest)[])[(32, 32), (100, 100), (1000, 1000), (4000, 4000), (1, 128), (1, 1000), (1, 4096)]
           select new Workload(sizes.Smallest, sizes.Largest, threads),
    ];

    internal static void Run(int rounds, int pairs, string path)
    {
        File.Delete(path);
        using ShmHeap heap = ShmHeap.Create(path, new ShmHeapOptions { SizeBytes = 64 << 20, MaximumSizeBytes = 256 << 20 });
        SharedHeap.Heap = heap;
        try
        {
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{rounds} rounds of {pairs:N0} pairs, interleaved; ns for one malloc + free: median (least .. most)"));
            Console.WriteLine($"| {"workload",-26} | {SharedHeap.Name,-24} | {CLibrary.Name,-28} | ratio |");
            Console.WriteLine($"|{new string('-', 28)}|{new string('-', 26)}|{new string('-', 30)}|-------|");
            foreach (Workload workload in Workloads)
            {
                Measure(workload, rounds, pairs);
            }

            ShmVerification verification = heap.Verify();
            Console.WriteLine(verification.IsSound ? "The heap is sound." : string.Join('\n', verification.Violations));
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static void Measure(Workload workload, int rounds, int pairs)
    {
        // The first round lets the compiler finish its work, and is not counted.
        double[] ours = new double[rounds];
        double[] theirs = new double[rounds];
        workload.Run<SharedHeap>(pairs);
        workload.Run<CLibrary>(pairs);
        for (int round = 0; round < rounds; round++)
        {
            ours[round] = workload.Run<SharedHeap>(pairs);
            theirs[round] = workload.Run<CLibrary>(pairs);
        }

        Array.Sort(ours);
        Array.Sort(theirs);
        double ratio = ours[rounds / 2] / theirs[rounds / 2];
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"| {workload.Name,-26} | {Text(ours),-24} | {Text(theirs),-28} | {ratio,5:F2} |"));
    }

    private static string Text(double[] sorted) => string.Create(
        CultureInfo.InvariantCulture, $"{sorted[sorted.Length / 2]:F1} ({sorted[0]:F1} .. {sorted[^1]:F1})");
}
