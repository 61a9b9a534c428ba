using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OutputCaching;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ShmAlloc.Extensions.Worker;

/// <summary>A web application on a port of 127.0.0.1, with an output cache and sessions in shared memory: one of several over the same file.</summary>
internal sealed class Site : IAsyncDisposable
{
    private readonly WebApplication _application;

    private Site(WebApplication application) => _application = application;

    /// <summary>Of Kestrel, with the port that it was given.</summary>
    internal string Address => _application.Urls.Single();

    internal IServiceProvider Services => _application.Services;

    /// <summary>What happens while a page of <c>/rendering</c> is being rendered.</summary>
    internal Func<Task> WhileRendering { get; set; } = () => Task.CompletedTask;

    /// <summary>Starts one.</summary>
    /// <param name="path">The heap.</param>
    /// <param name="keys">Where the keys of data protection lie, which all that read one another's cookies share.</param>
    /// <param name="more">Further services, or others.</param>
    internal static async Task<Site> StartAsync(string path, string keys, Action<IServiceCollection>? more = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSharedMemoryOutputCache(options =>
        {
            options.Path = path;

            // The worker and the tests are two programs, and so two builds.
            options.Generation = "tests";
        });
        builder.Services.AddDistributedSharedMemoryCache();
        builder.Services.AddSession(options => options.IdleTimeout = TimeSpan.FromMinutes(20));
        builder.Services.AddDataProtection().SetApplicationName("site").PersistKeysToFileSystem(new(keys));
        more?.Invoke(builder.Services);
        Site site = new(builder.Build());
        site.Map();
        await site._application.StartAsync();
        return site;
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private void Map()
    {
        _application.UseOutputCache();
        _application.UseSession();

        // A page that was rendered anew is another text.
        _application.MapGet("/page/{name}", (HttpContext context, string name) =>
        {
            context.Features.Get<IOutputCacheFeature>()!.Context.Tags.Add(name);
            return $"{name} {Guid.NewGuid()}";
        }).CacheOutput(policy => policy.Tag("pages"));
        _application.MapGet("/rendering/plain", (Delegate)Render).CacheOutput(policy => policy.Tag("early"));
        _application.MapGet("/rendering/captured", (Delegate)Render).CacheOutput(policy => policy.Tag("early").CaptureTags());
        _application.MapGet("/rendering/twice", (Delegate)Render).CacheOutput(policy => policy.Tag("early").CaptureTags().Tag("second").CaptureTags());
        _application.MapGet("/large/{length}", (int length) => Results.Bytes(new byte[length])).CacheOutput();
        _application.MapPost("/evict/{tag}", async (string tag, IOutputCacheStore store, CancellationToken cancellation) =>
            await store.EvictByTagAsync(tag, cancellation));
        _application.MapGet("/session/{name}", (HttpContext context, string name) => context.Session.GetString(name) ?? "");
        _application.MapPut("/session/{name}/{value}", (HttpContext context, string name, string value) => context.Session.SetString(name, value));
    }

    private async Task<string> Render(HttpContext context)
    {
        await WhileRendering();
        context.Features.Get<IOutputCacheFeature>()!.Context.Tags.Add("late");
        return $"{Guid.NewGuid()}";
    }
}
