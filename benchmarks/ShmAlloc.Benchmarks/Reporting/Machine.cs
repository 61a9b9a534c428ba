using System.Globalization;
using System.Runtime.InteropServices;
using ShmAlloc.Benchmarks.Measuring;

namespace ShmAlloc.Benchmarks.Reporting;

/// <summary>What the figures were measured on.</summary>
internal static class Machine
{
    internal static IReadOnlyList<string> Describe(IEnumerable<Presence> subjects) =>
    [
        $"{Field("/proc/cpuinfo", "model name")}, {Environment.ProcessorCount} processors, {MemoryGiB} GiB of memory; nothing is pinned to a processor but where a table says so",
        $"{RuntimeInformation.OSDescription}; {RuntimeInformation.FrameworkDescription}, {RuntimeInformation.ProcessArchitecture}",
        .. subjects.Select(presence => presence.ToString()),
    ];

    /// <summary>How many threads wanted to run lately: more than there are processors means noise.</summary>
    internal static string Load =>
        string.Create(CultureInfo.InvariantCulture, $"load average {File.ReadAllText("/proc/loadavg").Split(' ')[0]} on {Environment.ProcessorCount} processors");

    private static long MemoryGiB =>
        (long)Math.Round(double.Parse(Field("/proc/meminfo", "MemTotal").Split(' ')[0], CultureInfo.InvariantCulture) / (1 << 20));

    private static string Field(string file, string name) =>
        File.ReadLines(file).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? "unknown";
}
