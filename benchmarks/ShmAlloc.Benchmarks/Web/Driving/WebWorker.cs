using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ShmAlloc.Benchmarks.Web.Driving;

/// <summary>An application of ASP.NET Core in a process of its own, with one of the caches.</summary>
internal static class WebWorker
{
    internal const string Ours = "ours";
    internal const string MicrosoftRedis = "microsoft+redis";
    internal const string Redis = "redis";

    private const int ValueCharacters = 1000;

    private static readonly HybridCacheEntryOptions Long = new() { Expiration = TimeSpan.FromHours(10), LocalCacheExpiration = TimeSpan.FromHours(10) };
    private static readonly DistributedCacheEntryOptions LongDistributed = new() { AbsoluteExpirationRelativeToNow = TimeSpan.FromHours(10) };

    internal static int Run(string[] words)
    {
        (string subject, string path, string redis, string truthPath, string delay) = words is [var one, var two, var three, var four, var five]
            ? (one, two, three, four, five)
            : throw new ArgumentException("Five words are expected.");
        using Truth truth = new(truthPath);
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        AddCache(builder.Services, subject, path, redis);
        using WebApplication app = builder.Build();
        Backend backend = new(truth, TimeSpan.FromMilliseconds(int.Parse(delay, CultureInfo.InvariantCulture)));
        if (subject == Redis)
        {
            MapDistributed(app, app.Services.GetRequiredService<IDistributedCache>(), backend);
        }
        else
        {
            MapHybrid(app, app.Services.GetRequiredService<HybridCache>(), backend);
        }

        app.StartAsync().GetAwaiter().GetResult();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"ready {new Uri(app.Urls.Single()).Port}"));
        Console.ReadLine();
        return 0;
    }

    private static void AddCache(IServiceCollection services, string subject, string path, string redis)
    {
        if (subject == Ours)
        {
            services.AddHybridCache().UseSharedMemory(options => (options.Path, options.MaximumSizeBytes) = (path, 1L << 30));
            return;
        }

        services.AddStackExchangeRedisCache(options => options.Configuration = $"127.0.0.1:{redis}");
        services.AddHybridCache();
    }

    private static void MapHybrid(WebApplication app, HybridCache cache, Backend backend)
    {
        app.MapGet("/get/{key:int}", async (int key) => Results.Text(await cache.GetOrCreateAsync(
            NameOf(key), (backend, key), static (state, _) => state.backend.ReadAsync(state.key), Long, tags: [TagOf(key)])));
        app.MapGet("/remove/{key:int}", async (int key) =>
        {
            await cache.RemoveAsync(NameOf(key));
            return Results.Text("0");
        });
        app.MapGet("/untag/{key:int}", async (int key) =>
        {
            await cache.RemoveByTagAsync(TagOf(key));
            return Results.Text("0");
        });
    }

    /// <summary>As applications do without HybridCache: who misses, asks.</summary>
    private static void MapDistributed(WebApplication app, IDistributedCache cache, Backend backend)
    {
        app.MapGet("/get/{key:int}", async (int key) =>
        {
            byte[]? found = await cache.GetAsync(NameOf(key));
            if (found == null)
            {
                found = Encoding.UTF8.GetBytes(await backend.ReadAsync(key));
                await cache.SetAsync(NameOf(key), found, LongDistributed);
            }

            return Results.Text(Encoding.UTF8.GetString(found));
        });
        RequestDelegate remove = async context =>
        {
            await cache.RemoveAsync(NameOf(int.Parse((string)context.Request.RouteValues["key"]!, CultureInfo.InvariantCulture)));
            await Results.Text("0").ExecuteAsync(context);
        };
        app.MapGet("/remove/{key:int}", remove);
        app.MapGet("/untag/{key:int}", remove);
    }

    private static string NameOf(int key) => string.Create(CultureInfo.InvariantCulture, $"article {key}");

    private static string TagOf(int key) => string.Create(CultureInfo.InvariantCulture, $"tag {key}");

    private sealed class Backend(Truth truth, TimeSpan delay)
    {
        internal async ValueTask<string> ReadAsync(int key)
        {
            long revision = truth.Ask(key);
            if (delay > TimeSpan.Zero)
            {
                await Task.Delay(delay);
            }

            return string.Create(CultureInfo.InvariantCulture, $"{revision} ").PadRight(ValueCharacters, 'x');
        }
    }
}
