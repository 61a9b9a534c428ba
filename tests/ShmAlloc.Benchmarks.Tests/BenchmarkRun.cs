using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace ShmAlloc.Benchmarks.Tests;

/// <summary>
/// One run of the benchmark for all tests: one tiny round of every workload by every subject. The native driver is compiled first, as <c>./bench</c>
/// does.
/// </summary>
public sealed class BenchmarkRun : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    private readonly string _json = Path.Combine(Path.GetTempPath(), $"shmalloc-bench-{Guid.NewGuid():N}.json");
    private readonly string _svg = Path.Combine(Path.GetTempPath(), $"shmalloc-bench-{Guid.NewGuid():N}.svg");

    /// <summary>What it printed.</summary>
    public string Output { get; private set; } = "";

    /// <summary>What it wrote for programs.</summary>
    public JsonElement Json { get; private set; }

    /// <summary>The picture.</summary>
    public string Picture { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        // Without a compiler the peers are missing, which the benchmark says and their tests report.
        string artifacts = Path.GetFullPath("../../..", Path.GetDirectoryName(Recorded("BenchmarkPath"))!);
        await RunAsync("bash", Recorded("PeersPath"), Path.Combine(artifacts, "peers", "driver"));
        Output = await RunAsync(RuntimeHost(), "exec", Recorded("BenchmarkPath"), "allocator", "--smoke", "--json", _json, "--svg", _svg);
        Assert.True(File.Exists(_json), Output);
        Json = JsonDocument.Parse(await File.ReadAllTextAsync(_json, TestContext.Current.CancellationToken)).RootElement;
        Picture = await File.ReadAllTextAsync(_svg, TestContext.Current.CancellationToken);
    }

    public ValueTask DisposeAsync()
    {
        File.Delete(_json);
        File.Delete(_svg);
        return ValueTask.CompletedTask;
    }

    /// <summary>Asks a driver for the checksum of its random choices.</summary>
    /// <param name="native">Whether the driver in C, or its twin in C#.</param>
    /// <param name="sizes">Parameters of the sizes.</param>
    /// <returns>What it answered, or <see langword="null"/> if there is no native driver.</returns>
    internal static async Task<string?> SequenceAsync(bool native, params string[] sizes)
    {
        string assembly = Recorded("BenchmarkPath");
        string driver = Path.GetFullPath("../../../peers/driver", Path.GetDirectoryName(assembly)!);
        if (native && !File.Exists(driver))
        {
            return null;
        }

        string meeting = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(meeting, new byte[1 << 20]);
            string[] words = [.. sizes, "subject=nothing", "pattern=idle", $"coordination={meeting}"];
            ProcessStartInfo start = native ? new(driver, words) : new(RuntimeHost(), ["exec", assembly, "driver", .. words]);
            string output = await RunAsync(start, "go\nsequence\n");
            return output.Split('\n').Single(line => line.StartsWith("sequence ", StringComparison.Ordinal));
        }
        finally
        {
            File.Delete(meeting);
        }
    }

    private static Task<string> RunAsync(string program, params string[] arguments) => RunAsync(new ProcessStartInfo(program, arguments), "");

    private static async Task<string> RunAsync(ProcessStartInfo start, string input)
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

    private static string Recorded(string name) => Path.GetFullPath(
        typeof(BenchmarkRun).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == name).Value!,
        AppContext.BaseDirectory);

    /// <summary>The <c>dotnet</c> of the installation that runs this process: three levels above its shared framework.</summary>
    private static string RuntimeHost() => Path.GetFullPath("../../../dotnet", RuntimeEnvironment.GetRuntimeDirectory());
}
