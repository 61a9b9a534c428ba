namespace ShmAlloc.Tests.Tidy;

/// <summary>The text files of the repository that people write: everything but what is built, downloaded or git's own.</summary>
internal static class RepositoryFiles
{
    private static readonly HashSet<string> ForeignDirectories =
        [".git", "artifacts", "bin", "obj", "node_modules", "BenchmarkDotNet.Artifacts", "TestResults", ".vs", ".vscode", ".idea"];

    private static readonly HashSet<string> BinaryExtensions = [".png", ".jpg", ".gif", ".ico", ".dll", ".so", ".a", ".o", ".zip", ".gz", ".nupkg", ".snk"];

    /// <summary>The directory of the solution, found above the directory of the tests.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>All text files, as paths relative to the root, in a fixed order.</summary>
    public static IReadOnlyList<string> All { get; } =
        [.. Walk(Root).Select(path => Path.GetRelativePath(Root, path)).Order(StringComparer.Ordinal)];

    /// <summary>The C# files of the product.</summary>
    public static IEnumerable<string> Sources => Below("src").Where(path => Path.GetExtension(path) == ".cs");

    /// <summary>The files of a directory and of all below it.</summary>
    /// <param name="directory">Relative to the root.</param>
    public static IEnumerable<string> Below(string directory) => All.Where(path => path.StartsWith(directory + "/", StringComparison.Ordinal));

    /// <summary>The lines of a file.</summary>
    /// <param name="path">Relative to the root.</param>
    public static string[] Lines(string path) => File.ReadAllLines(Path.Combine(Root, path));

    private static string FindRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "ShmAlloc.slnx")))
        {
            directory = directory.Parent ?? throw new DirectoryNotFoundException($"ShmAlloc.slnx is in no directory above {AppContext.BaseDirectory}");
        }

        return directory.FullName;
    }

    private static IEnumerable<string> Walk(string directory)
    {
        var files = Directory.EnumerateFiles(directory).Where(path => !BinaryExtensions.Contains(Path.GetExtension(path)));
        var below = Directory.EnumerateDirectories(directory).Where(path => !ForeignDirectories.Contains(Path.GetFileName(path))).SelectMany(Walk);
        return files.Concat(below);
    }
}
