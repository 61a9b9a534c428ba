using System.Runtime.Versioning;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ShmAlloc.Extensions.Caching.Hybrid;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>What happens when a host starts, before any cache is asked for.</summary>
public sealed class StartTests : IDisposable
{
    private readonly TemporaryHeapPath _path = new();
    private readonly LogList _log = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _path.Dispose();

    [Fact]
    public async Task The_shared_memory_is_opened_and_that_is_told()
    {
        using var host = Build(services =>
        {
            services.AddDistributedSharedMemoryCache(options => options.Path = _path.Value);
            services.AddHybridCache().UseSharedMemory();
            services.AddKeyedDistributedSharedMemoryCache("a", options => options.Path = _path.Value);
        });
        Assert.False(File.Exists(_path.Value));
        await host.StartAsync(Token);
        Assert.True(File.Exists(_path.Value));
        var told = _log.Entries.Where(entry => entry is { Id: 10, Level: LogLevel.Information }).Select(entry => entry.Text).ToList();
        Assert.Equal(3, told.Count);
        Assert.All(told, text => Assert.Contains(_path.Value, text, StringComparison.Ordinal));
        Assert.Contains(told, text => text.Contains("distributed:a", StringComparison.Ordinal));
        await host.StopAsync(Token);
    }

    /// <summary>Also if another process has made the file already, which would be used as it is until it has to be made anew.</summary>
    [Theory]
    [InlineData("MaxParticipants", "65536", true)]
    [InlineData("TagSlots", "16777217", true)]
    [InlineData("Capacity", "13", true)]
    [InlineData("Capacity", "30000000001", true)]
    [InlineData("LocalCacheLimitBytes", "-1", true)]
    [InlineData("FileMode", "0440", true)]
    [InlineData("FileMode", "0770", true)]
    [InlineData("FileMode", "UserRead, UserWrite, GroupExecute", true)]
    [InlineData("MaximumSizeBytes", "1152921504606846976", false)]
    public async Task What_the_core_would_refuse_does_not_start(string option, string value, bool isFileThere)
    {
        using var heap = isFileThere ? ShmHeap.Create(_path.Value, new ShmHeapOptions { SizeBytes = 16 << 20 }) : null;
        using var host = Build(services =>
        {
            services.AddDistributedSharedMemoryCache();
            services.AddHybridCache().UseSharedMemory();
        }, ("Path", _path.Value), (option, value));
        var exception = await Assert.ThrowsAnyAsync<Exception>(() => host.StartAsync(Token));
        Assert.True(exception is OptionsValidationException or ShmException, exception.ToString());
        Assert.Contains(option, exception.Message, StringComparison.Ordinal);
    }

    /// <summary>Nothing that may pass: somebody has written the wrong path, and would run without a cache.</summary>
    [Theory]
    [InlineData("Path", "/none/x.shm", "no such directory")]
    [InlineData("Path", "/file/x.shm", "a file and no directory")]
    [InlineData("Directory", "/none", "no such directory")]
    public async Task A_directory_that_is_not_there_does_not_start_and_is_named(string option, string below, string says)
    {
        Directory.CreateDirectory(_path.Value);
        try
        {
            await File.WriteAllTextAsync(_path.Value + "/file", "", Token);
            using var host = Build(services =>
            {
                services.AddDistributedSharedMemoryCache();
                services.AddHybridCache().UseSharedMemory();
            }, (option, _path.Value + below));
            var exception = await Assert.ThrowsAsync<ShmException>(() => host.StartAsync(Token));
            Assert.Contains(_path.Value + below, exception.Message, StringComparison.Ordinal);
            Assert.Contains(says, exception.Message, StringComparison.Ordinal);
            Assert.Contains(option, exception.Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(_path.Value, recursive: true);
        }
    }

    /// <summary>All contracts of one file have the same complaint.</summary>
    [Theory]
    [InlineData(SharedMemoryUnavailable.Bypass)]
    [InlineData(SharedMemoryUnavailable.Throw)]
    public async Task The_health_check_says_each_sentence_once(SharedMemoryUnavailable when)
    {
        using TestApplication application = new(services =>
        {
            services.AddDistributedSharedMemoryCache(options => (options.Path, options.WhenUnavailable) = ("/dev/null", when));
            services.AddHybridCache().UseSharedMemory();
            services.AddHealthChecks().AddSharedMemoryCache();
        });
        var report = await application.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Token);
        var description = report.Entries.Values.Single().Description!;
        var sentence = description[..(description.IndexOf("not followed", StringComparison.Ordinal) + 1)];
        Assert.NotEmpty(sentence);
        Assert.Equal(description.LastIndexOf(sentence, StringComparison.Ordinal), description.IndexOf(sentence, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Where_that_is_asked_for_the_host_does_not_start_without_a_file()
    {
        using var host = Build(services => services.AddHybridCache().UseSharedMemory(options =>
            (options.Path, options.WhenUnavailable) = ("/dev/null", SharedMemoryUnavailable.Throw)));
        await Assert.ThrowsAsync<ShmException>(() => host.StartAsync(Token));
    }

    [Fact]
    public async Task The_health_check_knows_of_what_was_not_asked_for_yet()
    {
        Assert.Equal(HealthStatus.Degraded, (await HealthOf(SharedMemoryUnavailable.Bypass, "/dev/null")).Status);
        Assert.Equal(HealthStatus.Unhealthy, (await HealthOf(SharedMemoryUnavailable.Throw, "/dev/null")).Status);
        var healthy = await HealthOf(SharedMemoryUnavailable.Throw, _path.Value);
        Assert.Equal(HealthStatus.Healthy, healthy.Status);
        Assert.Equal(_path.Value, healthy.Entries.Values.Single().Data["hybrid.path"]);

        async Task<HealthReport> HealthOf(SharedMemoryUnavailable when, string path)
        {
            using TestApplication application = new(services =>
            {
                services.AddHybridCache().UseSharedMemory(options => (options.Path, options.WhenUnavailable) = (path, when));
                services.AddHealthChecks().AddSharedMemoryCache();
            });
            return await application.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Token);
        }
    }

    [SupportedOSPlatform("linux")]
    [Theory]
    [InlineData("0600", UnixFileMode.UserRead | UnixFileMode.UserWrite)]
    [InlineData("0660", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite)]
    [InlineData("644", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead)]
    [InlineData("UserRead, UserWrite, GroupRead", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead)]
    [InlineData("432", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite)]
    public async Task The_mode_of_the_file_can_be_configured_as_chmod_has_it(string text, UnixFileMode mode)
    {
        using var host = Build(services => services.AddDistributedSharedMemoryCache(), ("Path", _path.Value), ("FileMode", text));
        await host.StartAsync(Token);
        Assert.Equal(mode, File.GetUnixFileMode(_path.Value));
        await host.StopAsync(Token);
    }

    [Theory]
    [InlineData(32L << 20, null, null, "MaximumSizeBytes")]
    [InlineData(null, 20L << 20, null, "SizeBytes")]
    [InlineData(null, null, 100, "MaxParticipants")]
    [InlineData(64L << 20, 16L << 20, 64, null)]
    [InlineData((64L << 20) - 5, null, null, null)]
    [InlineData(null, null, null, null)]
    public async Task Sizes_that_differ_from_those_of_the_file_are_told(long? most, long? size, int? processes, string? says)
    {
        using var heap = ShmHeap.Create(
            _path.Value, new ShmHeapOptions { SizeBytes = 16 << 20, MaximumSizeBytes = 64 << 20, MaxParticipants = 64 });
        using var host = Build(services => services.AddDistributedSharedMemoryCache(options =>
            (options.Path, options.MaximumSizeBytes, options.SizeBytes, options.MaxParticipants) = (_path.Value, most, size, processes)));
        await host.StartAsync(Token);
        var told = _log.Entries.Where(entry => entry is { Id: 9, Level: LogLevel.Warning }).Select(entry => entry.Text).ToList();
        Assert.Equal(says == null ? 0 : 1, told.Count);
        Assert.All(told, text => Assert.Contains($"with {says} = ", text, StringComparison.Ordinal));
        await host.StopAsync(Token);
    }

    /// <summary>What the trimmed form registers there. That it does so there, no test on this platform can see.</summary>
    [Fact]
    public async Task On_a_platform_without_shared_memory_the_trimmed_form_has_a_cache_as_well()
    {
        using TestApplication application = new(services => SharedMemoryCacheServiceCollectionExtensions.AddInProcess(services));
        Assert.IsNotType<SharedMemoryHybridCache>(application.Hybrid);
        Assert.Equal("value", await application.Hybrid.GetOrCreateAsync("key", _ => ValueTask.FromResult("value"), cancellationToken: Token));
        Assert.Equal("value", await application.Hybrid.GetOrCreateAsync("key", _ => ValueTask.FromResult("other"), cancellationToken: Token));
    }

    private IHost Build(Action<IServiceCollection> register, params (string Option, string Value)[] configuration)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders().AddProvider(_log);
        foreach (var (option, value) in configuration)
        {
            builder.Configuration[$"Cache:{option}"] = value;
        }

        register(builder.Services);
        builder.Services.Configure<SharedMemoryCacheOptions>(builder.Configuration.GetSection("Cache"));
        return builder.Build();
    }
}
