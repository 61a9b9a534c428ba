using System.Reflection;
using System.Runtime.InteropServices;

namespace ShmAlloc.Native.Tests;

/// <summary>Where things are.</summary>
internal static class Locations
{
    /// <summary>The directory of the solution, found above the directory of the tests.</summary>
    internal static string Root { get; } = FindRoot();

    internal static string Header => Path.Combine(Root, "src/ShmAlloc.Native/include/shm_alloc.h");

    internal static string Programs => Path.Combine(Root, "tests/ShmAlloc.Native.Tests/Programs");

    internal static string Samples => Path.Combine(Root, "samples");

    /// <summary>The directory that <c>./test</c> publishes the native library to.</summary>
    internal static string LibraryDirectory => Path.Combine(Root, "artifacts/native");

    internal static string Library
    {
        get
        {
            var path = Path.Combine(LibraryDirectory, "libshm_alloc.so");
            return File.Exists(path) ? path : throw new FileNotFoundException("The native library is not there: run the tests with ./test.", path);
        }
    }

    /// <summary>The library, and its variants for newer processors, which the loader prefers where it can.</summary>
    internal static IEnumerable<string> Libraries =>
        Directory.Exists(LibraryDirectory) ? Directory.EnumerateFiles(LibraryDirectory, "libshm_alloc.so", SearchOption.AllDirectories) : [];

    internal static string WorkerAssembly => PathOf("WorkerPath");

    internal static string SampleAssembly => PathOf("SamplePath");

    /// <summary>The <c>dotnet</c> of the installation that runs this process: three levels above its shared framework.</summary>
    internal static string RuntimeHost => Path.GetFullPath("../../../dotnet", RuntimeEnvironment.GetRuntimeDirectory());

    /// <summary>The project file records the places of other programs, relative to the tests (target RecordProgramPaths).</summary>
    private static string PathOf(string name) => Path.GetFullPath(
        typeof(Locations).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == name).Value!,
        AppContext.BaseDirectory);

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
