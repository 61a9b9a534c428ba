using System.Diagnostics;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using ShmAlloc.Caching;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>What OpenTelemetry is told: here all of it is kept in memory.</summary>
public sealed class TelemetryTests : IAsyncDisposable
{
    private static readonly ActivitySource Callers = new("ShmAlloc.Extensions.Caching.Tests.TelemetryTests");

    private readonly TemporaryHeapPath _path = new();
    private readonly Spans _spans = [];

    /// <summary>OpenTelemetry hears all meters of the process, those of other tests as well: what has this name is this test's.</summary>
    private readonly string _key = Guid.NewGuid().ToString("N");

    private readonly List<MetricSnapshot> _metrics = [];
    private IHost? _host;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        if (_host != null)
        {
            await _host.StopAsync(CancellationToken.None);
            _host.Dispose();
        }

        _path.Dispose();
    }

    [Fact]
    public async Task A_factory_is_a_span_and_a_hit_is_none()
    {
        var cache = await StartAsync();
        using var caller = Callers.StartActivity("caller")!;
        for (var turn = 0; turn < 5; turn++)
        {
            await cache.GetOrCreateAsync("key", _ => ValueTask.FromResult("value"), cancellationToken: Token);
        }

        var span = Assert.Single(SpansOf(caller));
        Assert.Equal(("cache compute", caller.SpanId, "hybrid"), (span.DisplayName, span.ParentSpanId, span.GetTagItem("dotnet.cache.name")));
        Assert.Equal(ActivityStatusCode.Unset, span.Status);
    }

    [Theory]
    [InlineData(HybridCacheEntryFlags.None)]
    [InlineData(HybridCacheEntryFlags.DisableDistributedCacheWrite)]
    public async Task Who_waits_for_the_factory_of_another_caller_has_a_span_of_its_own(HybridCacheEntryFlags flags)
    {
        var cache = await StartAsync();
        HybridCacheEntryOptions options = new() { Flags = flags };
        Gate gate = new();
        using var leader = Callers.StartActivity("leader")!;
        var led = cache.GetOrCreateAsync("key", gate.Run, options, cancellationToken: Token).AsTask();
        await gate.Begun;
        Activity.Current = null;
        using var waiter = Callers.StartActivity("waiter")!;
        var waited = cache.GetOrCreateAsync("key", Counter.Nothing<string>, options, cancellationToken: Token).AsTask();
        Assert.False(waited.IsCompleted);
        gate.Open("value");
        Assert.Equal(await led, await waited);
        Assert.Equal("cache compute", Assert.Single(SpansOf(leader)).DisplayName);
        var span = Assert.Single(SpansOf(waiter));
        Assert.Equal(("cache wait", waiter.SpanId, "hybrid"), (span.DisplayName, span.ParentSpanId, span.GetTagItem("dotnet.cache.name")));
        Assert.True(span.StartTimeUtc >= waiter.StartTimeUtc && span.Duration > TimeSpan.Zero);
    }

    [Fact]
    public async Task Who_waits_for_another_process_and_takes_over_has_waited_and_then_works()
    {
        using var heap = ShmHeap.Create(_path.Value, new ShmHeapOptions { SizeBytes = 16 << 20 });
        var theirs = SharedCache.Open(heap, "hybrid", new() { AllowsRemoveAll = true });
        var cache = await StartAsync();
        Assert.Equal(CacheStatus.Ok, theirs.BeginFlight("key", out var flight));
        using var caller = Callers.StartActivity("caller")!;
        var call = cache.GetOrCreateAsync("key", _ => ValueTask.FromResult("value"), cancellationToken: Token).AsTask();
        Assert.False(call.IsCompleted);
        flight!.Dispose();
        Assert.Equal("value", await call);
        Assert.Equal(["cache wait", "cache compute"], SpansOf(caller).OrderBy(span => span.StartTimeUtc).Select(span => span.DisplayName));
        Assert.All(SpansOf(caller), span => Assert.Equal(caller.SpanId, span.ParentSpanId));
    }

    [Fact]
    public async Task What_fails_says_so_in_its_span()
    {
        var cache = await StartAsync();
        Gate gate = new();
        using var leader = Callers.StartActivity("leader")!;
        var led = cache.GetOrCreateAsync("key", gate.Run, cancellationToken: Token).AsTask();
        await gate.Begun;
        Activity.Current = null;
        using var waiter = Callers.StartActivity("waiter")!;
        var waited = cache.GetOrCreateAsync("key", Counter.Nothing<string>, cancellationToken: Token).AsTask();
        gate.Fail(new InvalidDataException("The backend fails."));
        await Assert.ThrowsAsync<InvalidDataException>(() => led);
        await Assert.ThrowsAsync<InvalidDataException>(() => waited);
        Activity[] spans = [.. SpansOf(leader), .. SpansOf(waiter)];
        Assert.Equal(["cache compute", "cache wait"], spans.Select(span => span.DisplayName));
        Assert.All(spans, span => Assert.Equal((ActivityStatusCode.Error, "The backend fails."), (span.Status, span.StatusDescription)));
    }

    /// <summary>The cache is closed by then.</summary>
    [Fact]
    public async Task The_last_export_has_all_of_it()
    {
        await StartAsync();
        var distributed = _host!.Services.GetRequiredKeyedService<IDistributedCache>(_key);
        for (var index = 0; index < 4000; index++)
        {
            await distributed.SetAsync($"{index}", new byte[1000], Token);
        }

        var present = 0;
        for (var index = 0; index < 4000; index++)
        {
            present += await distributed.GetAsync($"{index}", Token) == null ? 0 : 1;
        }

        await _host.StopAsync(Token);
        (distributed as IDisposable)!.Dispose();
        _host.Services.GetRequiredService<MeterProvider>().ForceFlush();
        Assert.Equal(4000 - present, Last("dotnet.cache.evictions", $"distributed:{_key}", null));
        Assert.Equal(present, Last("dotnet.cache.requests", $"distributed:{_key}", "hit"));
        Assert.Equal(4000 - present, Last("dotnet.cache.requests", $"distributed:{_key}", "miss"));
        Assert.DoesNotContain(_metrics, metric => metric.Name == "shmalloc.cache.local.requests" && NamesOf(metric).Contains($"distributed:{_key}"));
        Assert.Contains(_metrics, metric => metric.Name == "shmalloc.cache.local.requests" && NamesOf(metric).Contains("hybrid"));
    }

    private static IEnumerable<string> NamesOf(MetricSnapshot metric)
    {
        foreach (var point in metric.MetricPoints)
        {
            yield return TagOf(point, "dotnet.cache.name")!;
        }
    }

    private static string? TagOf(in MetricPoint point, string name)
    {
        foreach (var (key, value) in point.Tags)
        {
            if (key == name)
            {
                return value?.ToString();
            }
        }

        return null;
    }

    private long Last(string name, string cache, string? result)
    {
        var last = -1L;
        foreach (var metric in _metrics.Where(metric => metric.Name == name))
        {
            foreach (var point in metric.MetricPoints)
            {
                var isIt = TagOf(point, "dotnet.cache.name") == cache && TagOf(point, "dotnet.cache.request.result") == result;
                last = isIt ? point.GetSumLong() : last;
            }
        }

        return last;
    }

    private Activity[] SpansOf(Activity caller) => _spans.Of(caller);

    private async Task<HybridCache> StartAsync()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddHybridCache().UseSharedMemory(options => options.Path = _path.Value);
        builder.Services.AddKeyedDistributedSharedMemoryCache(_key, options => (options.InProcess, options.LimitBytes) = (true, 1 << 20));
        builder.Services.AddOpenTelemetry()
            .WithMetrics(metrics => metrics.AddMeter("ShmAlloc.Caching").AddInMemoryExporter(_metrics))
            .WithTracing(traces => traces.AddSource("ShmAlloc.Caching", Callers.Name).AddInMemoryExporter(_spans));
        _host = builder.Build();
        await _host.StartAsync(Token);
        return _host.Services.GetRequiredService<HybridCache>();
    }

    /// <summary>Where the exporter puts spans, those of other tests' threads as well.</summary>
    private sealed class Spans : System.Collections.ObjectModel.Collection<Activity>
    {
        private readonly Lock _gate = new();

        /// <summary>Without the caller's own. Other tests have other traces.</summary>
        internal Activity[] Of(Activity caller)
        {
            lock (_gate)
            {
                return [.. Items.Where(span => span.TraceId == caller.TraceId && span.Source.Name == "ShmAlloc.Caching")];
            }
        }

        protected override void InsertItem(int index, Activity item)
        {
            lock (_gate)
            {
                base.InsertItem(Items.Count, item);
            }
        }
    }
}
