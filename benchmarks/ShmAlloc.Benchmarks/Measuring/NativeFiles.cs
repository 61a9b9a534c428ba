namespace ShmAlloc.Benchmarks.Measuring;

/// <summary>Where the script <c>bench</c> puts what is not .NET.</summary>
internal static class NativeFiles
{
    private const string LibraryName = "libshm_alloc.so";

    /// <summary>The native driver.</summary>
    internal static string Driver { get; } = Path.Combine(Artifacts(), "peers", "driver");

    /// <summary>The library with the C ABI, if it has been built: the newest there is.</summary>
    internal static string? Library { get; } = new DirectoryInfo(Artifacts())
        .EnumerateFiles(LibraryName, SearchOption.AllDirectories)
        .OrderByDescending(file => file.LastWriteTimeUtc)
        .FirstOrDefault()?.FullName;

    /// <summary>The directory artifacts, above the program.</summary>
    private static string Artifacts()
    {
        DirectoryInfo? directory = new(AppContext.BaseDirectory);
        while (directory is not null && directory.Name != "artifacts")
        {
            directory = directory.Parent;
        }

        return directory?.FullName ?? throw new BenchmarkException("The program must lie below artifacts/, where ./bench builds it.");
    }
}
