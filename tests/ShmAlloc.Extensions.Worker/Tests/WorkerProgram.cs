using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;

namespace ShmAlloc.ProcessTests;

/// <summary>Where the worker program was built, and how to start it.</summary>
internal static class WorkerProgram
{
    /// <summary>The command line of the worker, run by the same runtime as the tests, with all three streams redirected.</summary>
    /// <param name="command">Name of the worker's command.</param>
    /// <param name="arguments">What follows it.</param>
    public static ProcessStartInfo CommandLine(string command, IEnumerable<string> arguments) =>
        new(RuntimeHost(), ["exec", AssemblyPath(), command, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };

    /// <summary>The project file records it, relative to the tests (target RecordProgramPaths).</summary>
    private static string AssemblyPath() => Path.GetFullPath(
        typeof(WorkerProgram).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "WorkerPath").Value!,
        AppContext.BaseDirectory);

    /// <summary>The <c>dotnet</c> of the installation that runs this process: three levels above its shared framework.</summary>
    private static string RuntimeHost() => Path.GetFullPath("../../../dotnet", RuntimeEnvironment.GetRuntimeDirectory());
}
