using System.Text.Json;

namespace ShmAlloc.Benchmarks.Tests;

/// <summary>One run of the benchmark of the caches of .NET for all tests: one tiny round of every call by every cache.</summary>
public sealed class HybridBenchmarkRun : IAsyncLifetime
{
    private readonly string _json = BenchmarkProgram.NewFile(".json");

    /// <summary>What it printed.</summary>
    public string Output { get; private set; } = "";

    /// <summary>What it wrote for programs.</summary>
    public JsonElement Json { get; private set; }

    public async ValueTask InitializeAsync()
    {
        Output = await BenchmarkProgram.RunAsync(BenchmarkProgram.Start("hybrid", "--smoke", "--json", _json));
        Assert.True(File.Exists(_json), Output);
        Json = JsonDocument.Parse(await File.ReadAllTextAsync(_json, TestContext.Current.CancellationToken)).RootElement;
    }

    public ValueTask DisposeAsync()
    {
        File.Delete(_json);
        return ValueTask.CompletedTask;
    }
}
