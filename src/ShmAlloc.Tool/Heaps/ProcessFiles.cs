using System.Globalization;

namespace ShmAlloc.Tool.Heaps;

/// <summary>Reads what the kernel tells in files, which may be gone, or not for us to read, at any moment.</summary>
internal static class ProcessFiles
{
    internal static string? TryRead(string path) => TryRead(path, out _);

    /// <summary>The same, and whether it is there and not for us to read.</summary>
    internal static string? TryRead(string path, out bool isDenied)
    {
        isDenied = false;
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            isDenied = gone is UnauthorizedAccessException;
            return null;
        }
    }

    internal static string[] Lines(string path) => TryRead(path)?.Split('\n', StringSplitOptions.RemoveEmptyEntries) ?? [];

    /// <summary>The numbers of all processes that can be seen.</summary>
    internal static IEnumerable<int> All(string processes)
    {
        try
        {
            return [.. Directory.EnumerateDirectories(processes).Select(Path.GetFileName)
                .Select(name => int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int pid) ? pid : 0)
                .Where(pid => pid > 0).Order()];
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>The value behind a name that a colon follows, in a file such as /proc/PID/status.</summary>
    internal static string? Value(string path, string name)
    {
        string? line = Lines(path).FirstOrDefault(line => line.StartsWith(name + ":", StringComparison.Ordinal));
        return line?[(name.Length + 1)..].Trim();
    }
}
