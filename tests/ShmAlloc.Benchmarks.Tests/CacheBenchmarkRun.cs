using System.Text.Json;

namespace ShmAlloc.Benchmarks.Tests;

/// <summary>One run of the benchmark of the caches for all tests: one tiny round of every workload by every subject.</summary>
public sealed class CacheBenchmarkRun : IAsyncLifetime
{
    private readonly string _json = BenchmarkProgram.NewFile(".json");
    private readonly string _svg = BenchmarkProgram.NewFile(".svg");

    /// <summary>What it printed.</summary>
    public string Output { get; private set; } = "";

    /// <summary>What it wrote for programs.</summary>
    public JsonElement Json { get; private set; }

    /// <summary>The picture.</summary>
    public string Picture { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        Output = await BenchmarkProgram.RunAsync(BenchmarkProgram.Start("cache", "--smoke", "--json", _json, "--svg", _svg));
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
}
