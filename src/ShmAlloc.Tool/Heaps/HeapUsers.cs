using System.Globalization;
using System.Text;
using ShmAlloc.Inspection;

namespace ShmAlloc.Tool.Heaps;

/// <summary>A process that has a heap's file mapped.</summary>
/// <param name="ProcessId">Its number as we see it.</param>
/// <param name="InnerIds">Its numbers in all pid namespaces that it is in, ours first.</param>
/// <param name="Command">What it runs.</param>
/// <param name="State">The letter of its state: R, S, D, T, Z.</param>
/// <param name="Container">Of the container that it is in; empty if none can be seen.</param>
/// <param name="Writers">Attachments that may write.</param>
/// <param name="Locks">Locks of slots that it has.</param>
/// <param name="Readers">Attachments that only read.</param>
internal sealed record HeapUser(
    int ProcessId, IReadOnlyList<long> InnerIds, string Command, char State, string Container, int Writers, int Locks, int Readers);

/// <summary>Finds the processes that have a heap's file mapped: by device and inode, because the path of a creator's mapping is another one.</summary>
internal static class HeapUsers
{
    private const long LockBytes = 4096;

    /// <summary>Finds them.</summary>
    /// <param name="file">What was found out about the file.</param>
    /// <param name="processes">Where the kernel tells of processes.</param>
    /// <param name="hidden">How many processes did not let us see what they have mapped.</param>
    internal static IReadOnlyList<HeapUser> Find(ShmFileReport file, string processes, out int hidden)
    {
        string device = string.Create(CultureInfo.InvariantCulture, $"{(uint)file.Device:x2}:{file.Device >> 32:x2}");
        string inode = file.Inode.ToString(CultureInfo.InvariantCulture);
        List<HeapUser> users = [];
        hidden = 0;
        foreach (int pid in ProcessFiles.All(processes))
        {
            string directory = Path.Combine(processes, pid.ToString(CultureInfo.InvariantCulture));
            string? maps = ProcessFiles.TryRead(Path.Combine(directory, "maps"), out bool isDenied);
            hidden += isDenied ? 1 : 0;
            if (maps != null && TryRead(maps, device, inode, out int writers, out int locks, out int readers))
            {
                users.Add(Describe(pid, directory, writers, locks, readers));
            }
        }

        return users;
    }

    /// <summary>Counts the mappings of a file in the text of /proc/PID/maps.</summary>
    private static bool TryRead(string maps, string device, string inode, out int writers, out int locks, out int readers)
    {
        (writers, locks, readers) = (0, 0, 0);
        foreach (ReadOnlySpan<char> line in maps.AsSpan().EnumerateLines())
        {
            // FROM-TO PERMISSIONS OFFSET DEVICE INODE PATH
            if (!line.Contains(inode, StringComparison.Ordinal))
            {
                continue;
            }

            string[] words = line.ToString().Split(' ', 6, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length < 5 || words[3] != device || words[4] != inode || words[2].AsSpan().ContainsAnyExcept('0'))
            {
                continue;
            }

            string[] range = words[0].Split('-');
            bool isWritable = words[1].Contains('w', StringComparison.Ordinal);
            bool isLock = !isWritable && range.Length == 2 && Address(range[1]) - Address(range[0]) == LockBytes;
            writers += isWritable ? 1 : 0;
            locks += isLock ? 1 : 0;
            readers += !isWritable && !isLock ? 1 : 0;
        }

        return writers + locks + readers > 0;
    }

    private static long Address(string text) => long.TryParse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out long value) ? value : 0;

    private static HeapUser Describe(int pid, string directory, int writers, int locks, int readers)
    {
        string status = Path.Combine(directory, "status");
        string inner = ProcessFiles.Value(status, "NSpid") ?? pid.ToString(CultureInfo.InvariantCulture);
        string state = ProcessFiles.Value(status, "State") ?? "?";
        return new HeapUser(
            pid,
            [.. inner.Split('\t', ' ').Select(text => long.TryParse(text, CultureInfo.InvariantCulture, out long number) ? number : 0)],
            CommandOf(directory, status),
            state[0],
            ContainerOf(directory),
            writers,
            locks,
            readers);
    }

    /// <summary>The program, and its first argument if that says more: of "/usr/bin/dotnet /app/Web.dll --urls x", "dotnet Web.dll".</summary>
    private static string CommandOf(string directory, string status)
    {
        string[] words = ProcessFiles.TryRead(Path.Combine(directory, "cmdline"))?.Split('\0', StringSplitOptions.RemoveEmptyEntries) ?? [];
        if (words.Length == 0)
        {
            return ProcessFiles.Value(status, "Name") ?? "?";
        }

        string? first = words.Skip(1).FirstOrDefault(word => word.EndsWith(".dll", StringComparison.Ordinal))
            ?? words.Skip(1).FirstOrDefault(word => !word.StartsWith('-'));
        StringBuilder command = new(Path.GetFileName(words[0]));
        return first == null ? command.ToString() : command.Append(' ').Append(Path.GetFileName(first.TrimEnd('/'))).ToString();
    }

    /// <summary>The first letters of the longest hexadecimal name in the path of its control group.</summary>
    private static string ContainerOf(string directory)
    {
        const int fewest = 32;
        const int shown = 8;
        string best = "";
        foreach (string word in (ProcessFiles.TryRead(Path.Combine(directory, "cgroup")) ?? "").Split('/', '-', '.', ':', '\n'))
        {
            string name = word.Replace("_", "", StringComparison.Ordinal);
            best = name.Length >= fewest && name.Length > best.Length && name.All(char.IsAsciiHexDigit) ? name : best;
        }

        return best.Length == 0 ? "" : best[..shown];
    }
}
