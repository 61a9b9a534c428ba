using Microsoft.Extensions.DependencyInjection;
using ShmAlloc.Extensions.Caching;
using ZiggyCreatures.Caching.Fusion;
using ZiggyCreatures.Caching.Fusion.Serialization.SystemTextJson;

namespace ShmAlloc.Extensions.Worker;

/// <summary>An application with a FusionCache whose other parts are in shared memory: one of several over the same file.</summary>
internal sealed class Fused : IAsyncDisposable
{
    private const string Nothing = "-";

    private readonly ServiceProvider _services;

    private Fused(ServiceProvider services) => _services = services;

    internal IServiceProvider Services => _services;

    internal IFusionCache Cache => _services.GetRequiredService<IFusionCache>();

    internal static Fused Start(
        string path,
        Action<SharedMemoryCacheOptions>? configure = null,
        Action<IServiceCollection>? more = null,
        string name = FusionCacheOptions.DefaultCacheName,
        Action<FusionCacheOptions>? fusion = null)
    {
        ServiceCollection services = [];
        services.AddLogging();
        more?.Invoke(services);
        services.AddFusionCache(name)
            .WithOptions(options => fusion?.Invoke(options))
            .WithSerializer(new FusionCacheSystemTextJsonSerializer())
            .WithDefaultEntryOptions(options =>
            {
                options.Duration = TimeSpan.FromHours(1);

                // Done when the call returns.
                options.AllowBackgroundDistributedCacheOperations = false;
                options.AllowBackgroundBackplaneOperations = false;
            })
            .WithSharedMemory(options =>
            {
                options.Path = path;
                configure?.Invoke(options);
            });
        Fused fused = new(services.BuildServiceProvider());
        if (name == FusionCacheOptions.DefaultCacheName)
        {
            _ = fused.Cache;
        }

        return fused;
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    /// <summary>Does what a line says.</summary>
    /// <returns>What comes of it.</returns>
    internal async Task<string> DoAsync(string line)
    {
        switch (line.Split(' '))
        {
            case ["set", var key, var value]:
                await Cache.SetAsync(key, value);
                return "done";
            case ["set", var key, var value, var tag]:
                await Cache.SetAsync(key, value, tags: [tag]);
                return "done";
            case ["get", var key]:
                return await Cache.GetOrDefaultAsync(key, Nothing) ?? Nothing;
            case ["remove", var key]:
                await Cache.RemoveAsync(key);
                return "done";
            case ["expire", var key]:
                await Cache.ExpireAsync(key);
                return "done";
            case ["tag", var tag]:
                await Cache.RemoveByTagAsync(tag);
                return "done";
            case ["clear"]:
                await Cache.ClearAsync(allowFailSafe: false);
                return "done";
            case ["create", var key]:
                return await Cache.GetOrSetAsync<string>(key, async (_, cancellation) =>
                {
                    // Long enough for others to come.
                    await Task.Delay(TimeSpan.FromMilliseconds(50), cancellation);
                    return $"{Guid.NewGuid()}";
                });
            case ["hang", var key]:
                // Says so while it has the lock, and stays there.
                return await Cache.GetOrSetAsync<string>(key, (_, _) =>
                {
                    Console.WriteLine("hangs");
                    return new TaskCompletionSource<string>().Task;
                });
            default:
                return $"What is \"{line}\"?";
        }
    }
}
