using Microsoft.Extensions.Caching.Distributed;

WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
builder.Services.AddDistributedSharedMemoryCache(options => options.Path = builder.Configuration["SharedMemory"]);
builder.Services.AddSession(options => options.Cookie.IsEssential = true);

WebApplication app = builder.Build();
app.UseSession();

DistributedCacheEntryOptions anHour = new() { AbsoluteExpirationRelativeToNow = TimeSpan.FromHours(1) };

app.MapPut("/notes/{name}", async (string name, HttpRequest request, IDistributedCache cache, CancellationToken cancellation) =>
{
    using StreamReader body = new(request.Body);
    await cache.SetStringAsync(name, await body.ReadToEndAsync(cancellation), anHour, cancellation);
    return Results.NoContent();
});

app.MapGet("/notes/{name}", async (string name, IDistributedCache cache, CancellationToken cancellation) =>
    await cache.GetStringAsync(name, cancellation) is { } note ? Results.Text(note) : Results.NotFound());

app.MapDelete("/notes/{name}", async (string name, IDistributedCache cache, CancellationToken cancellation) =>
{
    await cache.RemoveAsync(name, cancellation);
    return Results.NoContent();
});

// Sessions lie in the same IDistributedCache: whichever worker the visitor comes to next knows how often it was.
app.MapGet("/visits", (HttpContext context) =>
{
    int visits = (context.Session.GetInt32("visits") ?? 0) + 1;
    context.Session.SetInt32("visits", visits);
    return visits;
});

app.Run();
