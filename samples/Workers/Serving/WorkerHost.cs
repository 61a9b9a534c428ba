using System.Net;
using Microsoft.Extensions.Caching.Hybrid;

namespace Workers.Serving;

/// <summary>A worker: the web application, as it would be anywhere.</summary>
internal static class WorkerHost
{
    public const string Ready = "ready";

    public static async Task<int> RunAsync(WorkerSettings settings)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, settings.Port));
        builder.WebHost.UseSockets(sockets => sockets.CreateBoundListenSocket = SharedPort.Bind);
        AddCache(builder.Services, settings);
        builder.Services.AddHealthChecks().AddSharedMemoryCache();
        builder.Services.AddSingleton(settings);
        builder.Services.AddSingleton(new ArticleService(settings.Service));
        builder.Services.AddSingleton<Figures>();
        builder.Services.AddSingleton<FiguresBoard>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<FiguresBoard>());

        WebApplication app = builder.Build();
        Map(app);
        await app.StartAsync();
        Console.WriteLine(Ready);

        // A worker ends with the process that started it: by a line, or because the other end of its input is gone.
        await Console.In.ReadLineAsync();
        await app.StopAsync();
        return 0;
    }

    private static void AddCache(IServiceCollection services, WorkerSettings settings)
    {
        IHybridCacheBuilder hybrid = services.AddHybridCache();
        if (settings.Cache == CacheKind.Shared)
        {
            hybrid.UseSharedMemory(options => options.Path = settings.Memory);
        }

        // Where each worker says what it did, for the page with the figures of all.
        services.AddKeyedDistributedSharedMemoryCache(FiguresBoard.Key, options => options.Path = settings.Memory);
    }

    private static void Map(WebApplication app)
    {
        app.MapGet("/who", () => Environment.ProcessId);
        app.MapHealthChecks("/health");

        app.MapGet("/articles/{number:int}", (int number, HybridCache cache, ArticleService service, CancellationToken cancellation) =>
            cache.GetOrCreateAsync(
                $"article {number}",
                (service, number),
                static (state, cancellation) => state.service.ReadAsync(state.number, cancellation),
                tags: [$"article {number}"],
                cancellationToken: cancellation));

        app.MapPost("/articles/{number:int}/changed", async (int number, HybridCache cache, CancellationToken cancellation) =>
            await cache.RemoveByTagAsync($"article {number}", cancellation));

        app.MapGet("/figures", (Figures figures) => figures.Read());
        app.MapGet("/", async (FiguresBoard board, WorkerSettings settings) =>
            Results.Content(FiguresPage.Of(await board.ReadAllAsync(), settings), "text/html; charset=utf-8"));
    }
}
