using ShmAlloc.Inspection;

namespace ShmAlloc.Tool.Heaps;

/// <summary>Finds files that begin as heaps do.</summary>
internal static class HeapSearch
{
    /// <summary>Below /dev/shm there are no deep trees, and no links are followed.</summary>
    private static readonly EnumerationOptions Below = new()
    {
        RecurseSubdirectories = true,
        IgnoreInaccessible = true,
        AttributesToSkip = FileAttributes.ReparsePoint | FileAttributes.Device,
        MaxRecursionDepth = 8,
    };

    /// <summary>The heaps below some directories, each file once.</summary>
    /// <param name="directories">Where to look.</param>
    /// <param name="denied">How many files may not be read.</param>
    internal static IReadOnlyList<(string Path, ShmFileReport Report)> Find(IEnumerable<string> directories, out int denied)
    {
        List<(string Path, ShmFileReport Report)> found = [];
        HashSet<(ulong Device, ulong Inode)> seen = [];
        denied = 0;
        foreach (string path in directories.SelectMany(Candidates))
        {
            ShmFileReport report = ShmFile.Examine(path);
            denied += report.Verdict == ShmFailure.AccessDenied ? 1 : 0;
            if (report.Layout != null && seen.Add((report.Device, report.Inode)))
            {
                found.Add((path, report));
            }
        }

        return found;
    }

    internal static IEnumerable<string> Candidates(string directory)
    {
        try
        {
            return [.. Directory.EnumerateFiles(directory, "*", Below).Order(StringComparer.Ordinal)];
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>The directories for shared memory of all mount namespaces that can be seen: those of containers.</summary>
    internal static IEnumerable<string> OfAllContainers(string own, string processes)
    {
        HashSet<string> seen = [NamespaceOf(Path.Combine(processes, "self"))];
        yield return own;
        foreach (int pid in ProcessFiles.All(processes))
        {
            string process = Path.Combine(processes, pid.ToString(System.Globalization.CultureInfo.InvariantCulture));
            if (NamespaceOf(process) is { Length: > 0 } name && seen.Add(name))
            {
                yield return Path.Combine(process, "root") + own;
            }
        }
    }

    private static string NamespaceOf(string process)
    {
        try
        {
            return new FileInfo(Path.Combine(process, "ns/mnt")).LinkTarget ?? "";
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
