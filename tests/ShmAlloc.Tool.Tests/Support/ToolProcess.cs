using System.Diagnostics;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Tool.Tests.Support;

/// <summary>The tool as a process of its own. Disposing ends it.</summary>
internal sealed class ToolProcess : IDisposable
{
    private ToolProcess(Process process) => Process = process;

    internal Process Process { get; }

    /// <summary>Starts the tool, in a shell if a command line for one is given.</summary>
    internal static ToolProcess Start(params string[] arguments)
    {
        ProcessStartInfo start = new("dotnet", ["exec", typeof(Program).Assembly.Location, .. arguments]);
        return Start(start);
    }

    /// <summary>Runs a shell's command line, in which TOOL is the tool.</summary>
    internal static ToolProcess Shell(string line, string terminal = "dumb")
    {
        string tool = $"dotnet exec '{typeof(Program).Assembly.Location}'";
        return Start(new ProcessStartInfo("bash", ["-c", line.Replace("TOOL ", $"{tool} ", StringComparison.Ordinal)]) { Environment = { ["TERM"] = terminal } });
    }

    internal async Task<(int Code, string Output, string Error)> WaitAsync()
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Patience.ForAStep);
        Task<string> output = Process.StandardOutput.ReadToEndAsync(limit.Token);
        Task<string> error = Process.StandardError.ReadToEndAsync(limit.Token);
        await Process.WaitForExitAsync(limit.Token);
        return (Process.ExitCode, await output, await error);
    }

    public void Dispose()
    {
        if (!Process.HasExited)
        {
            Process.Kill();
        }

        Process.Dispose();
    }

    private static ToolProcess Start(ProcessStartInfo start)
    {
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        start.Environment["LANG"] = "C.UTF-8";
        start.Environment.Remove(ShmHeap.PathVariable);
        return new ToolProcess(Process.Start(start)!);
    }
}
