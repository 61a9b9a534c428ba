using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ShmAlloc.Caching;
using ShmAlloc.Extensions.Caching.Heaps;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>What becomes of an application whose shared memory cannot be had, goes, comes back, or is another one's.</summary>
public sealed class OutcomeTests : IDisposable
{
    private readonly TemporaryHeapPath _path = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _path.Dispose();

    [Theory]
    [InlineData("relative.shm", null, null, "must be absolute")]
    [InlineData("/dev/shm/x", "name", null, "leave out Name")]
    [InlineData(null, "a/b", null, "without a directory")]
    [InlineData(null, "..", null, "without a directory")]
    [InlineData(null, "", null, "not empty")]
    [InlineData(null, null, 0L, "positive")]
    [InlineData(null, null, 1L << 40, "more than MaximumSizeBytes")]
    public async Task What_is_configured_wrongly_does_not_start_and_says_what_to_do(string? path, string? name, long? size, string says)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddDistributedSharedMemoryCache(options =>
            (options.Path, options.Name, options.SizeBytes, options.MaximumSizeBytes) = (path, name, size, size == null ? null : 1 << 20));
        using var host = builder.Build();
        var exception = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(Token));
        Assert.Contains(says, exception.Message, StringComparison.Ordinal);
    }

    /// <summary>An operator who means megabytes and says bytes is told before a file is made.</summary>
    [Fact]
    public async Task A_size_that_was_meant_in_other_units_does_not_start()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddDistributedSharedMemoryCache(options => (options.Path, options.MaximumSizeBytes) = (_path.Value, 512));
        using var host = builder.Build();
        var exception = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(Token));
        Assert.Contains("at least 1048576 are needed", exception.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(_path.Value));
    }

    [Fact]
    public async Task Options_come_from_the_configuration()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration["Cache:Path"] = _path.Value;
        builder.Configuration["Cache:MaximumSizeBytes"] = "67108864";
        builder.Services.AddDistributedSharedMemoryCache();
        builder.Services.Configure<SharedMemoryCacheOptions>(builder.Configuration.GetSection("Cache"));
        using var host = builder.Build();
        await host.StartAsync(Token);
        await host.Services.GetRequiredService<IDistributedCache>().SetAsync("key", [1], Token);
        using var heap = ShmHeap.Attach(_path.Value);
        Assert.Equal(64 << 20, heap.MaximumBytes);
        await host.StopAsync(Token);
    }

    [Fact]
    public async Task Without_a_file_the_application_runs_and_what_cannot_be_removed_is_not_silent()
    {
        using var application = Application(options => options.Path = "/dev/null");
        var cache = application.Distributed;
        await cache.SetAsync("key", [1], Token);
        Assert.Null(await cache.GetAsync("key", Token));
        Assert.Contains("Other processes may still have it", (await Assert.ThrowsAsync<InvalidOperationException>(() => cache.RemoveAsync("key", Token))).Message, StringComparison.Ordinal);
        Assert.Equal(HealthStatus.Degraded, await HealthOf(application));
        Assert.Contains(application.Log.Entries, entry => entry.Id == 1);
    }

    [Fact]
    public async Task A_failed_removal_is_ignored_where_that_is_asked_for()
    {
        using var application = Application(options => (options.Path, options.IgnoreFailedInvalidations) = ("/dev/null", true));
        await application.Distributed.RemoveAsync("key", Token);
    }

    [Fact]
    public void Where_that_is_asked_for_it_does_not_start_without_a_file()
    {
        using var application = Application(options => (options.Path, options.WhenUnavailable) = ("/dev/null", SharedMemoryUnavailable.Throw));
        Assert.Throws<ShmException>(() => application.Distributed);
    }

    [Fact]
    public async Task Who_comes_back_empties_what_it_may_have_missed()
    {
        var directory = Directory.CreateDirectory(_path.Value + "-directory");
        var path = Path.Combine(directory.FullName, "x.shm");
        try
        {
            using var away = Application(options => (options.Path, options.IgnoreFailedInvalidations) = (path + ".later", true));
            using var other = Application(options => options.Path = path);
            await other.Distributed.SetAsync("key", [1], Token);

            // It cannot be opened: a file that is no heap stands there. Then the right one does.
            await File.WriteAllTextAsync(path + ".later", "no heap", Token);
            await away.Distributed.RemoveAsync("key", Token);
            File.Delete(path + ".later");
            Assert.Equal([1], await other.Distributed.GetAsync("key", Token));
            File.CreateSymbolicLink(path + ".later", path);
            File.Delete(path + ".later");
            File.Move(path, path + ".later");
            await away.Distributed.RemoveAsync("something else", Token);
            Assert.Null(await away.Distributed.GetAsync("key", Token));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_file_that_was_deleted_is_opened_anew_by_the_next_removal()
    {
        using var application = Application(options => options.Path = _path.Value);
        using var other = Application(options => options.Path = _path.Value);
        await application.Distributed.SetAsync("key", [1], Token);
        Assert.Equal([1], await other.Distributed.GetAsync("key", Token));
        Assert.Equal(HealthStatus.Healthy, await HealthOf(application));
        File.Delete(_path.Value);
        Assert.Equal(HealthStatus.Unhealthy, await HealthOf(application));
        await application.Distributed.RemoveAsync("key", Token);
        await other.Distributed.RemoveAsync("key", Token);
        Assert.Equal(HealthStatus.Healthy, await HealthOf(application));
        await application.Distributed.SetAsync("key", [2], Token);
        Assert.Equal([2], await other.Distributed.GetAsync("key", Token));
    }

    /// <summary>Also when a value is worked out, and not only by the look once a second: what others do, they do in the next file.</summary>
    [Fact]
    public async Task A_file_that_was_replaced_is_noticed_by_who_would_run_a_factory()
    {
        using var application = TestApplication.SharingHybrid(_path);
        await application.Hybrid.SetAsync("other", "value", cancellationToken: Token);
        File.Delete(_path.Value);
        using var heap = ShmHeap.Create(_path.Value, new ShmHeapOptions { SizeBytes = 16 << 20 });
        var theirs = SharedCache.Open(heap, "hybrid", new() { AllowsRemoveAll = true });

        // Since the last look of the timer a second has not passed, nearly always: else this shows nothing.
        Assert.Equal(CacheStatus.Ok, theirs.BeginFlight("key", out var flight));
        var call = application.Hybrid.GetOrCreateAsync("key", _ => ValueTask.FromResult("value"), cancellationToken: Token).AsTask();
        Assert.False(call.IsCompleted);
        flight!.Dispose();
        Assert.Equal("value", await call);
    }

    /// <summary>What an application is told by the core when it opens a file: what is configured wrongly does not start, everything else may pass.</summary>
    [Fact]
    public void What_may_pass_is_all_but_misconfiguration()
    {
        ShmFailure[] wrong = [ShmFailure.InvalidOption, ShmFailure.OptionsContradict, ShmFailure.NoPath, ShmFailure.NotFound];
        foreach (var reason in Enum.GetValues<ShmFailure>())
        {
            Assert.Equal(!wrong.Contains(reason), CacheSpace.MayPass(new ShmException(reason, "")));
        }

        Assert.True(CacheSpace.MayPass(new IOException()) && CacheSpace.MayPass(new UnauthorizedAccessException()));
        Assert.False(CacheSpace.MayPass(new ArgumentException()));
    }

    [Fact]
    public async Task A_file_of_another_user_is_not_used()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root can give a file to another user.");
        ShmHeap.Create(_path.Value, new ShmHeapOptions { SizeBytes = 16 << 20 }).Dispose();
        using var change = System.Diagnostics.Process.Start("chown", ["65534", _path.Value]);
        await change.WaitForExitAsync(Token);
        using (var refused = Application(options => options.Path = _path.Value))
        {
            await refused.Distributed.SetAsync("key", [1], Token);
            Assert.Null(await refused.Distributed.GetAsync("key", Token));
            Assert.Equal(HealthStatus.Degraded, await HealthOf(refused));
            Assert.Contains(refused.Log.Entries, entry => entry.Id == 1 && entry.Text.Contains("65534", StringComparison.Ordinal));
        }

        using var trusting = Application(options => (options.Path, options.AllowForeignOwner) = (_path.Value, true));
        await trusting.Distributed.SetAsync("key", [1], Token);
        Assert.Equal([1], await trusting.Distributed.GetAsync("key", Token));
    }

    [Fact]
    public async Task A_file_that_cannot_be_made_anew_as_it_is_configured_ends_nothing()
    {
        using var heap = ShmHeap.Create(_path.Value, new ShmHeapOptions { SizeBytes = 16 << 20 });
        using var application = Application(options => (options.Path, options.MaximumSizeBytes, options.IgnoreFailedInvalidations) = (_path.Value, 1L << 60, true));
        await application.Distributed.SetAsync("key", [1], Token);
        File.Delete(_path.Value);
        await application.Distributed.RemoveAsync("key", Token);
        Assert.Null(await application.Distributed.GetAsync("key", Token));
        Assert.Equal(HealthStatus.Degraded, await HealthOf(application));
    }

    [Fact]
    public async Task One_contract_goes_on_when_the_other_has_opened_the_file_anew()
    {
        using TestApplication application = new(services =>
        {
            services.AddDistributedSharedMemoryCache(options => options.Path = _path.Value);
            services.AddHybridCache().UseSharedMemory();
        });
        for (var turn = 0; turn < 5; turn++)
        {
            Assert.Equal(turn, await application.Hybrid.GetOrCreateAsync($"{turn}", _ => ValueTask.FromResult(turn), cancellationToken: Token));
            File.Delete(_path.Value);
            await application.Distributed.RemoveAsync("key", Token);
        }
    }

    [Fact]
    public async Task A_process_without_a_participant_slot_reads_and_removes_and_stores_once_one_is_free()
    {
        // Another process made the file and its cache, and two of them are all that may use it.
        using var heap = ShmHeap.Create(_path.Value, new ShmHeapOptions { SizeBytes = 16 << 20, MaxParticipants = 2 });
        var theirs = SharedCache.Open(heap, "distributed", new() { AllowsRemoveAll = true });
        theirs.Set("key", [1]);
        var other = ShmHeap.Attach(_path.Value);
        using var application = Application(options => options.Path = _path.Value);
        Assert.Equal([1], await application.Distributed.GetAsync("key", Token));
        Assert.Equal(HealthStatus.Degraded, await HealthOf(application));
        await application.Distributed.RemoveAsync("key", Token);
        Assert.Null(theirs.Get("key"));
        theirs.Set("key", [1]);
        await application.Distributed.SetAsync("key", [2], Token);
        Assert.Null(theirs.Get("key"));

        // It is given the place that is free again.
        other.Dispose();
        await application.Distributed.SetAsync("key", [3], Token);
        Assert.Equal([3], theirs.Get("key"));

        // What was not stored is no news any more; but the next process would find no place.
        application.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(HealthStatus.Degraded, await HealthOf(application));
        heap.Dispose();
        Assert.Equal(HealthStatus.Healthy, await HealthOf(application));
    }

    [Fact]
    public async Task A_cache_that_is_there_is_used_as_it_is_and_that_is_told()
    {
        using var heap = ShmHeap.Create(_path.Value, new ShmHeapOptions { SizeBytes = 16 << 20 });
        SharedCache.Open(heap, "distributed", new() { AllowsRemoveAll = true, LimitBytes = 1 << 20 });
        using var application = Application(options => (options.Path, options.LimitBytes) = (_path.Value, 2 << 20));
        await application.Distributed.SetAsync("key", [1], Token);
        Assert.Equal([1], await application.Distributed.GetAsync("key", Token));
        Assert.Contains(application.Log.Entries, entry => entry.Id == 9 && entry.Text.Contains("LimitBytes = 1048576", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Sizes_count_when_the_file_is_made()
    {
        using var heap = ShmHeap.Create(_path.Value, new ShmHeapOptions { SizeBytes = 16 << 20, MaximumSizeBytes = 32 << 20 });
        using var application = Application(options => (options.Path, options.MaximumSizeBytes) = (_path.Value, 64 << 20));
        await application.Distributed.SetAsync("key", [1], Token);
        Assert.Equal([1], await application.Distributed.GetAsync("key", Token));
    }

    [Fact]
    public async Task After_the_end_of_the_application_gets_miss_and_nothing_throws()
    {
        var application = Application(options => options.Path = _path.Value);
        var cache = application.Distributed;
        await cache.SetAsync("key", [1], Token);
        application.Dispose();
        Assert.Null(await cache.GetAsync("key", Token));
        await cache.SetAsync("key", [1], Token);
        await cache.RemoveAsync("key", Token);
        await cache.RefreshAsync("key", Token);
    }

    [Fact]
    public async Task The_key_spaces_of_the_two_contracts_are_apart()
    {
        using TestApplication application = new(services =>
        {
            services.AddDistributedSharedMemoryCache(options => options.Path = _path.Value);
            services.AddHybridCache().UseSharedMemory();
        });
        await application.Distributed.SetAsync("key", [1], Token);
        Assert.Equal("value", await application.Hybrid.GetOrCreateAsync("key", _ => ValueTask.FromResult("value"), cancellationToken: Token));
        await application.Hybrid.RemoveByTagAsync("*", Token);
        Assert.Equal([1], await application.Distributed.GetAsync("key", Token));
    }

    [Fact]
    public async Task A_prefix_and_a_generation_keep_applications_apart_in_one_file()
    {
        using var one = Application(options => (options.Path, options.KeyPrefix) = (_path.Value, "one"));
        using var other = Application(options => (options.Path, options.Generation) = (_path.Value, "2"));
        await one.Distributed.SetAsync("key", [1], Token);
        Assert.Null(await other.Distributed.GetAsync("key", Token));
    }

    [Fact]
    public async Task On_a_platform_without_shared_memory_the_registration_works_and_says_so()
    {
        SharedMemoryCacheOptions.IsSupportedOverride.Value = false;
        try
        {
            using var application = Application(_ => { });
            await application.Distributed.SetAsync("key", [1], Token);
            Assert.Equal([1], await application.Distributed.GetAsync("key", Token));
            Assert.Contains(application.Log.Entries, entry => entry.Id == 3);
            using TestApplication hybrid = new(services => services.AddHybridCache().UseSharedMemory());
            Assert.Equal("value", await hybrid.Hybrid.GetOrCreateAsync("key", _ => ValueTask.FromResult("value"), cancellationToken: Token));
            Assert.Equal("value", await hybrid.Hybrid.GetOrCreateAsync("key", _ => ValueTask.FromResult("other"), cancellationToken: Token));
        }
        finally
        {
            SharedMemoryCacheOptions.IsSupportedOverride.Value = null;
        }
    }

    private static TestApplication Application(Action<SharedMemoryCacheOptions> configure) => new(services =>
    {
        services.AddDistributedSharedMemoryCache(configure);
        services.AddHealthChecks().AddSharedMemoryCache();
    });

    private static async Task<HealthStatus> HealthOf(TestApplication application)
    {
        _ = application.Distributed;
        return (await application.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Token)).Status;
    }
}
