using ShmAlloc.TestSupport;

namespace ShmAlloc.Samples.Tests;

/// <summary>The lines that a newcomer copies: two processes of the sample are one application.</summary>
public sealed class MinimalApiTests : IDisposable
{
    private readonly TemporaryHeapPath _memory = new();
    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("shmalloc-home-");

    public void Dispose()
    {
        _memory.Dispose();
        _home.Delete(recursive: true);
    }

    [Fact]
    public async Task What_a_worker_has_read_the_other_answers_with()
    {
        using WebSample first = await StartAsync();
        using WebSample second = await StartAsync();
        string product = await first.GetAsync("/products/7");
        Assert.Equal(product, await second.GetAsync("/products/7"));
        Assert.NotEqual(product, await second.GetAsync("/products/8"));
    }

    [Theory]
    [InlineData("/products/7")]
    [InlineData("/products")]
    public async Task What_a_worker_has_removed_no_worker_answers_with(string removed)
    {
        using WebSample first = await StartAsync();
        using WebSample second = await StartAsync();

        // Twice, so that it is among the objects of the process.
        string old = await first.GetAsync("/products/7");
        Assert.Equal(old, await first.GetAsync("/products/7"));
        Assert.Equal(old, await second.GetAsync("/products/7"));
        Assert.Equal(old, await second.GetAsync("/products/7"));
        await second.PutAsync(removed);
        string changed = await first.GetAsync("/products/7");
        Assert.NotEqual(old, changed);
        Assert.Equal(changed, await second.GetAsync("/products/7"));
    }

    [Fact]
    public async Task Health_and_metrics_are_there_to_be_asked()
    {
        using WebSample worker = await StartAsync();
        await worker.GetAsync("/products/7");
        await worker.GetAsync("/products/7");
        Assert.Equal("Healthy", await worker.GetAsync("/health"));
        string metrics = await worker.GetAsync("/metrics");
        Assert.Matches("dotnet_cache_requests_total{[^}]*hit[^}]*} 1\\s", metrics);
        Assert.Matches("dotnet_cache_requests_total{[^}]*miss[^}]*} 1\\s", metrics);
    }

    private Task<WebSample> StartAsync() => WebSample.StartAsync(SampleProgram.MinimalApi, _home.FullName, "--SharedMemoryCache:Path", _memory.Value);
}
