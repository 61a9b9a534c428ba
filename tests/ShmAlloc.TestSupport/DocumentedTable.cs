namespace ShmAlloc.TestSupport;

/// <summary>A table of a page in <c>docs/</c>, which tests compare with what they see: its rows by the text of their first cell.</summary>
public static class DocumentedTable
{
    /// <summary>Reads the first table below a heading.</summary>
    /// <param name="page">Name of the page, for instance <c>limits.md</c>.</param>
    /// <param name="heading">The whole line of the heading.</param>
    /// <returns>The cells behind the first of each row, without backquotes; the row of titles is among them.</returns>
    public static IReadOnlyDictionary<string, string[]> Read(string page, string heading)
    {
        var lines = File.ReadAllLines(Path.Combine(FindRoot(), "docs", page))
            .SkipWhile(line => line != heading)
            .SkipWhile(line => !line.StartsWith('|'))
            .TakeWhile(line => line.StartsWith('|'));
        return lines
            .Where(line => !line.StartsWith("|---", StringComparison.Ordinal))
            .Select(line => line.Trim('|').Split('|').Select(cell => cell.Replace("`", "", StringComparison.Ordinal).Trim()).ToArray())
            .ToDictionary(cells => cells[0], cells => cells[1..], StringComparer.Ordinal);
    }

    private static string FindRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "ShmAlloc.slnx")))
        {
            directory = directory.Parent ?? throw new DirectoryNotFoundException($"ShmAlloc.slnx is in no directory above {AppContext.BaseDirectory}");
        }

        return directory.FullName;
    }
}
