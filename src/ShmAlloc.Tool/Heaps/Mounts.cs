namespace ShmAlloc.Tool.Heaps;

/// <summary>What is mounted where.</summary>
internal static class Mounts
{
    /// <summary>The type of the file system in which a path lies: "tmpfs"; "?" if that cannot be seen.</summary>
    internal static string TypeOf(string path, string processes) => Find(path, processes)?.Type ?? "?";

    /// <summary>The mount in which a path lies.</summary>
    internal static (string Point, string Type, string Options)? Find(string path, string processes)
    {
        string full = Path.GetFullPath(path);
        (string Point, string Type, string Options)? found = null;
        foreach (string line in ProcessFiles.Lines(Path.Combine(processes, "self/mounts")))
        {
            string[] words = line.Split(' ');
            if (words.Length < 4)
            {
                continue;
            }

            string point = words[1].Replace("\\040", " ", StringComparison.Ordinal);
            bool isIn = point == "/" || full == point || full.StartsWith(point + "/", StringComparison.Ordinal);
            if (isIn && (found == null || point.Length >= found.Value.Point.Length))
            {
                found = (point, words[2], words[3]);
            }
        }

        return found;
    }
}
