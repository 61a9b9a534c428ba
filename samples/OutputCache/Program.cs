using Microsoft.AspNetCore.OutputCaching;
using ShmAlloc.Extensions.Caching;

WebApplicationBuilder builder = WebApplication.CreateBuilder(args);

// With a page that one worker has rendered, all workers of this application on this host answer; what one of them evicts is gone in all of them.
builder.Services.AddSharedMemoryOutputCache();
builder.Services.Configure<SharedMemoryCacheOptions>(builder.Configuration.GetSection("SharedMemoryCache"));

// The host, with its port, is a part of a page's key. Behind a proxy all workers have the same one, and this line is not needed.
builder.Services.AddOutputCache(options => options.AddBasePolicy(policy => policy.SetVaryByHost(false)));

WebApplication app = builder.Build();
app.UseOutputCache();

Shop shop = new(app.Configuration["Shop"] ?? Path.Combine(Path.GetTempPath(), "shmalloc-shop"));

// The tags are captured before the price is read: if the price changes meanwhile, the page with the old one is not stored.
app.MapGet("/products/{id:int}", (int id, CancellationToken cancellation) => shop.RenderAsync(id, cancellation))
    .CacheOutput(policy => policy.Expire(TimeSpan.FromMinutes(10)).Tag("products").AddPolicy<ProductTag>().CaptureTags());

// From the moment when this is answered, no worker answers with the old price.
app.MapPut("/products/{id:int}", async (int id, HttpRequest request, IOutputCacheStore pages, CancellationToken cancellation) =>
{
    using StreamReader price = new(request.Body);
    await shop.ChangeAsync(id, await price.ReadToEndAsync(cancellation), cancellation);
    await pages.EvictByTagAsync(ProductTag.Of(id), cancellation);
    return Results.NoContent();
});

// A new season: all pages of products at once, however many there are.
app.MapDelete("/products", async (IOutputCacheStore pages, CancellationToken cancellation) =>
{
    await pages.EvictByTagAsync("products", cancellation);
    return Results.NoContent();
});

app.Run();

/// <summary>Stands for a database: a file for each price.</summary>
internal sealed class Shop(string directory)
{
    public async Task<string> RenderAsync(int id, CancellationToken cancellation)
    {
        string price = File.Exists(FileOf(id)) ? await File.ReadAllTextAsync(FileOf(id), cancellation) : "not known";
        return $"The price of product {id} is {price} (rendered by process {Environment.ProcessId}, {DateTime.UtcNow:O}).";
    }

    public async Task ChangeAsync(int id, string price, CancellationToken cancellation)
    {
        Directory.CreateDirectory(directory);
        await File.WriteAllTextAsync(FileOf(id) + ".new", price, cancellation);
        File.Move(FileOf(id) + ".new", FileOf(id), overwrite: true);
    }

    private string FileOf(int id) => Path.Combine(directory, $"{id}.txt");
}

/// <summary>Gives each page the tag of its product.</summary>
internal sealed class ProductTag : IOutputCachePolicy
{
    public static string Of(object? id) => $"product {id}";

    public ValueTask CacheRequestAsync(OutputCacheContext context, CancellationToken cancellation)
    {
        context.Tags.Add(Of(context.HttpContext.GetRouteValue("id")));
        return ValueTask.CompletedTask;
    }

    public ValueTask ServeFromCacheAsync(OutputCacheContext context, CancellationToken cancellation) => ValueTask.CompletedTask;

    public ValueTask ServeResponseAsync(OutputCacheContext context, CancellationToken cancellation) => ValueTask.CompletedTask;
}
