using System.Diagnostics.Metrics;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>An application with caches: ours in shared memory, or one of those that others use instead, as a control.</summary>
internal sealed class TestApplication : IDisposable
{
    private readonly ServiceProvider _services;

    internal TestApplication(Action<IServiceCollection> register)
    {
        ServiceCollection services = [];
        services.AddSingleton<TimeProvider>(Clock);
        services.AddMetrics();
        services.AddLogging(logging => logging.AddProvider(Log));
        register(services);
        _services = services.BuildServiceProvider();
    }

    internal FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2026, 11, 30, 12, 0, 0, TimeSpan.Zero));

    internal LogList Log { get; } = new();

    internal IServiceProvider Services => _services;

    internal IMeterFactory Meters => _services.GetRequiredService<IMeterFactory>();

    internal IDistributedCache Distributed => _services.GetRequiredService<IDistributedCache>();

    internal HybridCache Hybrid => _services.GetRequiredService<HybridCache>();

    public void Dispose() => _services.Dispose();

    /// <summary>What a process on its own would have.</summary>
    internal static TestApplication OwnDistributed(Action<SharedMemoryCacheOptions>? configure = null) => new(services => services.AddDistributedSharedMemoryCache(options =>
    {
        options.InProcess = true;
        configure?.Invoke(options);
    }));

    internal static TestApplication OwnHybrid(Action<SharedMemoryCacheOptions>? configure = null, Action<HybridCacheOptions>? hybrid = null) =>
        new(services => services.AddHybridCache(options => hybrid?.Invoke(options)).UseSharedMemory(options =>
        {
            options.InProcess = true;
            configure?.Invoke(options);
        }));

    internal static TestApplication MicrosoftsHybrid() => new(services => services.AddHybridCache());

    internal static TestApplication MicrosoftsDistributed() => new(services => services.AddDistributedMemoryCache());
}

/// <summary>What was logged.</summary>
internal sealed class LogList : ILoggerProvider, ILogger
{
    private readonly List<(LogLevel Level, int Id, string Text)> _entries = [];

    internal IReadOnlyList<(LogLevel Level, int Id, string Text)> Entries
    {
        get
        {
            lock (_entries)
            {
                return [.. _entries];
            }
        }
    }

    public ILogger CreateLogger(string categoryName) => this;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_entries)
        {
            _entries.Add((logLevel, eventId.Id, formatter(state, exception)));
        }
    }

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Dispose()
    {
    }
}
