using System.Diagnostics;
using System.Text.Json;

namespace ShmAlloc.Benchmarks.Tests;

/// <summary>
/// One run of the benchmark of the allocators for all tests: one tiny round of every workload by every subject. The native driver is compiled first, as
/// <c>./bench</c> does.
/// </summary>
public sealed class BenchmarkRun : IAsyncLifetime
{
    private readonly string _json = BenchmarkProgram.NewFile(".json");
    private readonly string _svg = BenchmarkProgram.NewFile(".svg");

    /// <summary>What it printed.</summary>
    public string Output { get; private set; } = "";

    /// <summary>What it wrote for programs.</summary>
    public JsonElement Json { get; private set; }

    /// <summary>The picture.</summary>
    public string Picture { get; private set; } = "";

    private static string NativeDriver => Path.GetFullPath("../../../peers/driver", Path.GetDirectoryName(BenchmarkProgram.Assembly)!);

    public async ValueTask InitializeAsync()
    {
        // Without a compiler the peers are missing, which the benchmark says and their tests report.
        await BenchmarkProgram.RunAsync(new ProcessStartInfo("bash", [BenchmarkProgram.Recorded("PeersPath"), NativeDriver]));
        Output = await BenchmarkProgram.RunAsync(BenchmarkProgram.Start("allocator", "--smoke", "--json", _json, "--svg", _svg));
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
        if (native && !File.Exists(NativeDriver))
        {
            return null;
        }

        string meeting = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(meeting, new byte[1 << 20]);
            string[] words = [.. sizes, "subject=nothing", "pattern=idle", $"coordination={meeting}"];
            ProcessStartInfo start = native ? new(NativeDriver, words) : BenchmarkProgram.Start(["driver", .. words]);
            string output = await BenchmarkProgram.RunAsync(start, "go\nsequence\n");
            return output.Split('\n').Single(line => line.StartsWith("sequence ", StringComparison.Ordinal));
        }
        finally
        {
            File.Delete(meeting);
        }
    }
}
