using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Samples.Tests;

/// <summary>What a run of the sample gave.</summary>
/// <param name="ExitCode">Its exit code.</param>
/// <param name="Output">What it printed.</param>
/// <param name="Errors">What it wrote to its error output.</param>
internal sealed record SampleRun(int ExitCode, string Output, string Errors)
{
    /// <summary>The results of a run with <c>--json</c>.</summary>
    public JsonElement Json => JsonDocument.Parse(Output).RootElement;

    /// <summary>A sum over all workers of PathCache's phase that shares.</summary>
    public long SumOf(string counter) => Json.GetProperty("together").GetProperty("workers").EnumerateArray().Sum(worker => worker.GetProperty(counter).GetInt64());

    /// <summary>A figure of PathCache's check.</summary>
    public long Check(string figure) => Json.GetProperty("check").GetProperty(figure).GetInt64();
}

/// <summary>Runs a built sample as a process, as <c>./demo</c> does.</summary>
/// <param name="name">The sample.</param>
internal sealed class SampleProgram(string name)
{
    private readonly string _assemblyPath = Path.GetFullPath(
        typeof(SampleProgram).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == $"Sample.{name}").Value!,
        AppContext.BaseDirectory);

    public static SampleProgram PathCache { get; } = new("PathCache");

    public static SampleProgram PageCache { get; } = new("PageCache");

    public static SampleProgram Workers { get; } = new("Workers");

    public static SampleProgram MinimalApi { get; } = new("MinimalApi");

    public static SampleProgram OutputCache { get; } = new("OutputCache");

    public static SampleProgram FromRedisBefore { get; } = new("FromRedis.Before");

    public static SampleProgram FromRedisAfter { get; } = new("FromRedis.After");

    /// <summary>Starts the sample with all streams redirected.</summary>
    public Process Start(params string[] arguments) => Process.Start(Prepare(arguments))!;

    /// <summary>How the sample is started.</summary>
    public ProcessStartInfo Prepare(params string[] arguments) => new(RuntimeHost(), ["exec", _assemblyPath, .. arguments])
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        UseShellExecute = false,
    };

    /// <summary>Runs the sample to its end.</summary>
    public async Task<SampleRun> RunAsync(params string[] arguments)
    {
        using Process process = Start(arguments);
        return await EndAsync(process);
    }

    /// <summary>Waits for the end of a sample that was started; ends it if it takes far too long.</summary>
    public static async Task<SampleRun> EndAsync(Process process)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Patience.ForAProgram);
        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(limit.Token);
            Task<string> errors = process.StandardError.ReadToEndAsync(limit.Token);
            var run = new SampleRun(0, await output, await errors);
            await process.WaitForExitAsync(limit.Token);
            return run with { ExitCode = process.ExitCode };
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }

    /// <summary>The <c>dotnet</c> of the installation that runs this process: three levels above its shared framework.</summary>
    private static string RuntimeHost() => Path.GetFullPath("../../../dotnet", RuntimeEnvironment.GetRuntimeDirectory());
}
