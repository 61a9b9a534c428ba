using Microsoft.Extensions.Caching.Hybrid;
using OpenTelemetry.Metrics;
using ShmAlloc.Extensions.Caching;

WebApplicationBuilder builder = WebApplication.CreateBuilder(args);

// One factory runs for all workers of this application on this host, and what one of them removes is gone in all of them at once.
builder.Services.AddHybridCache().UseSharedMemory();
builder.Services.Configure<SharedMemoryCacheOptions>(builder.Configuration.GetSection("SharedMemoryCache"));

// "Degraded" if the application runs without its shared memory; figures of this worker's hits, misses, factories and of the memory.
builder.Services.AddHealthChecks().AddSharedMemoryCache();
builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics.AddMeter("ShmAlloc.Caching").AddPrometheusExporter());

WebApplication app = builder.Build();
app.MapHealthChecks("/health");
app.MapPrometheusScrapingEndpoint("/metrics");

HybridCacheEntryOptions tenMinutes = new() { Expiration = TimeSpan.FromMinutes(10) };

app.MapGet("/products/{id:int}", (int id, HybridCache cache, CancellationToken cancellation) => cache.GetOrCreateAsync(
    $"product {id}", id, Database.ReadAsync, tenMinutes, tags: ["products", $"product {id}"], cancellation));

// Where a product changes: no worker answers with the old one from here on.
app.MapPut("/products/{id:int}", async (int id, HybridCache cache, CancellationToken cancellation) =>
{
    await cache.RemoveByTagAsync($"product {id}", cancellation);
    return Results.NoContent();
});

// A new catalogue: all products at once.
app.MapPut("/products", async (HybridCache cache, CancellationToken cancellation) =>
{
    await cache.RemoveByTagAsync("products", cancellation);
    return Results.NoContent();
});

app.Run();

/// <summary>What is cached. Sealed, and nobody can change it: so each worker keeps the objects that it reads often.</summary>
[System.ComponentModel.ImmutableObject(true)]
internal sealed record Product(int Id, string Name, int ReadByProcess, long ReadAt);

/// <summary>Stands for whatever is slow.</summary>
internal static class Database
{
    public static async ValueTask<Product> ReadAsync(int id, CancellationToken cancellation)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(50), cancellation);
        return new Product(id, $"Product {id}", Environment.ProcessId, DateTime.UtcNow.Ticks);
    }
}
