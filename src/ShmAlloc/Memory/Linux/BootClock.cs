using System.Globalization;

namespace ShmAlloc.Memory.Linux;

/// <summary>
/// The kernel's clock since the machine was started, as the first time namespace sees it: the same for all processes, whoever sets the wall clock.
/// </summary>
internal static class BootClock
{
    private const string BootIdPath = "/proc/sys/kernel/random/boot_id";
    private const string OffsetsPath = "/proc/self/timens_offsets";
    private const string OffsetName = "boottime";

    /// <summary>What this process's time namespace adds.</summary>
    private static readonly long NamespaceMilliseconds = ReadOffset();

    /// <summary>Names this run of the machine: 16 bits.</summary>
    internal static ulong BootTag { get; } = ReadBootTag();

    internal static long Milliseconds => Libc.BootMilliseconds() - NamespaceMilliseconds;

    private static ulong ReadBootTag()
    {
        string text = TryRead(BootIdPath);
        return Guid.TryParse(text.Trim(), out Guid id) ? BitConverter.ToUInt16(id.ToByteArray(), 0) | 1u : 1u;
    }

    private static long ReadOffset()
    {
        foreach (string line in TryRead(OffsetsPath).Split('\n'))
        {
            string[] parts = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (parts is [OffsetName, var seconds, var nanoseconds]
                && long.TryParse(seconds, CultureInfo.InvariantCulture, out long whole)
                && long.TryParse(nanoseconds, CultureInfo.InvariantCulture, out long rest))
            {
                return (whole * 1000) + (rest / 1_000_000);
            }
        }

        return 0;
    }

    private static string TryRead(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
