using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;

namespace ShmAlloc.ProcessTests;

/// <summary>Where the worker program was built, and how to start it.</summary>
internal static class WorkerProgram
{
    /// <summary>The worker's assembly.</summary>
    private static readonly string AssemblyPath = PathOf("WorkerPath");

    /// <summary>The assembly of the program that maps its heap at start-up.</summary>
    private static readonly string StartupAssemblyPath = PathOf("StartupPath");

    /// <summary>The assembly of the program that forks processes.</summary>
    private static readonly string ForksAssemblyPath = PathOf("ForksPath");

    /// <summary>The command line of the worker, run by the same runtime as the tests, with all three streams redirected.</summary>
    /// <param name="command">Name of the worker's command.</param>
    /// <param name="arguments">What follows it.</param>
    /// <param name="launcher">A program that starts the worker, with its arguments; none by default.</param>
    public static ProcessStartInfo CommandLine(string command, IEnumerable<string> arguments, params string[] launcher) =>
        Redirected([.. launcher, RuntimeHost(), "exec", Existing(AssemblyPath), command, .. arguments]);

    /// <summary>The command line of the program that maps its heap at start-up.</summary>
    /// <param name="heapPath">What it finds in <c>SHM_FILE</c>; nothing if <see langword="null"/>.</param>
    public static ProcessStartInfo StartupCommandLine(string? heapPath)
    {
        var commandLine = Redirected([RuntimeHost(), "exec", Existing(StartupAssemblyPath)]);
        commandLine.Environment[ShmHeap.PathVariable] = heapPath;
        return commandLine;
    }

    /// <summary>The same program, copied into a directory and given to root with the setuid bit, started by nobody.</summary>
    /// <param name="heapPath">The value of <c>SHM_FILE</c>.</param>
    /// <param name="directory">An empty one, into which anybody may look.</param>
    public static ProcessStartInfo PrivilegedStartupCommandLine(string heapPath, string directory)
    {
        const string nobody = "65534";
        foreach (var file in Directory.EnumerateFiles(Path.GetDirectoryName(Existing(StartupAssemblyPath))!))
        {
            File.Copy(file, Path.Combine(directory, Path.GetFileName(file)));
        }

        var program = Path.Combine(directory, Path.GetFileNameWithoutExtension(StartupAssemblyPath));
        File.SetUnixFileMode(program, UnixFileMode.SetUser | (UnixFileMode)0b111_101_101);
        var commandLine = Redirected(["setpriv", "--reuid", nobody, "--regid", nobody, "--clear-groups", program]);
        commandLine.Environment[ShmHeap.PathVariable] = heapPath;
        commandLine.Environment["DOTNET_ROOT"] = Path.GetDirectoryName(RuntimeHost());
        return commandLine;
    }

    /// <summary>The command line of the program that forks processes.</summary>
    /// <param name="arguments">Its command, the path of a heap, and what follows.</param>
    public static ProcessStartInfo ForksCommandLine(params string[] arguments)
    {
        var commandLine = Redirected([RuntimeHost(), "exec", Existing(ForksAssemblyPath), .. arguments]);
        commandLine.Environment["DOTNET_EnableWriteXorExecute"] = "0";
        return commandLine;
    }

    private static ProcessStartInfo Redirected(string[] words) =>
        new(words[0], words[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };

    /// <summary>The project file records the places of other programs, relative to the tests (target RecordProgramPaths).</summary>
    private static string PathOf(string name) => Path.GetFullPath(
        typeof(WorkerProgram).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == name).Value!,
        AppContext.BaseDirectory);

    private static string Existing(string assembly) => File.Exists(assembly)
        ? assembly
        : throw new FileNotFoundException("A program is not built where the tests were told; build the whole solution.", assembly);

    /// <summary>The <c>dotnet</c> of the installation that runs this process: three levels above its shared framework.</summary>
    private static string RuntimeHost() => Path.GetFullPath("../../../dotnet", RuntimeEnvironment.GetRuntimeDirectory());
}
