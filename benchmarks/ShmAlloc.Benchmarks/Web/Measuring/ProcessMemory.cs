using System.Globalization;

namespace ShmAlloc.Benchmarks.Web.Measuring;

/// <summary>What the kernel counts for a process.</summary>
internal static class ProcessMemory
{
    /// <summary>Bytes that are the process's own, and its share of what it has in common with others; without memory that is a file's on a tmpfs.</summary>
    internal static double Own(int process) => Pss(process, "Pss:") - Pss(process, "Pss_Shmem:");

    private static double Pss(int process, string field)
    {
        string line = File.ReadLines($"/proc/{process}/smaps_rollup").First(line => line.StartsWith(field, StringComparison.Ordinal));
        return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }
}
