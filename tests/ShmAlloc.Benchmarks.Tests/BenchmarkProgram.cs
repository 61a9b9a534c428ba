using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;

namespace ShmAlloc.Benchmarks.Tests;

/// <summary>The program that is tested, as a process.</summary>
internal static class BenchmarkProgram
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(15);

    /// <summary>The program's assembly.</summary>
    internal static string Assembly => Recorded("BenchmarkPath");

    /// <summary>A temporary file that no other run uses.</summary>
    internal static string NewFile(string extension) => Path.Combine(Path.GetTempPath(), $"shmalloc-bench-{Guid.NewGuid():N}{extension}");

    /// <summary>How the program is started.</summary>
    internal static ProcessStartInfo Start(params IEnumerable<string> arguments) => new(RuntimeHost(), ["exec", Assembly, .. arguments])
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    };

    /// <summary>Runs something, and returns what it printed.</summary>
    internal static async Task<string> RunAsync(ProcessStartInfo start, string input = "")
    {
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Limit);
        using Process process = Process.Start(start)!;
        try
        {
            Task<string> errors = process.StandardError.ReadToEndAsync(limit.Token);
            Task<string> output = process.StandardOutput.ReadToEndAsync(limit.Token);
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
            string printed = await output + await errors;
            await process.WaitForExitAsync(limit.Token);
            return printed;
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    /// <summary>Files that a run left in shared memory.</summary>
    internal static IEnumerable<string> FilesOf(int process) => Directory.EnumerateFiles("/dev/shm", $"shmalloc-bench-{process}-*");

    /// <summary>Skips the test, with the reason that the run printed, if a subject was not there.</summary>
    internal static void SkipIfAbsent(string output, string subject)
    {
        const string notPresent = "NOT PRESENT, ";
        string line = output.Split('\n').First(text => text.StartsWith($"{subject}: ", StringComparison.Ordinal));
        int absent = line.IndexOf(notPresent, StringComparison.Ordinal);
        Assert.SkipWhen(absent >= 0, $"{subject} is not there: {(absent >= 0 ? line[(absent + notPresent.Length)..] : "")}");
    }

    /// <summary>A path that the build recorded.</summary>
    internal static string Recorded(string name) => Path.GetFullPath(
        typeof(BenchmarkProgram).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == name).Value!,
        AppContext.BaseDirectory);

    /// <summary>The <c>dotnet</c> of the installation that runs this process: three levels above its shared framework.</summary>
    private static string RuntimeHost() => Path.GetFullPath("../../../dotnet", RuntimeEnvironment.GetRuntimeDirectory());
}
