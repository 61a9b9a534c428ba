using System.Diagnostics.Metrics;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using ShmAlloc.Extensions.Caching.Hybrid;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>Caches under keys of the container.</summary>
public sealed class KeyedTests : IDisposable
{
    private readonly TemporaryHeapPath _path = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _path.Dispose();

    [Fact]
    public async Task A_keyed_HybridCache_in_shared_memory_is_keyed()
    {
        using TestApplication application = new(services =>
        {
            services.AddHybridCache().UseSharedMemory(options => options.Path = _path.Value);
            services.AddKeyedHybridCache("a", options => options.MaximumKeyLength = 5).UseSharedMemory(options => options.Path = _path.Value);
            services.AddKeyedHybridCache("b").UseSharedMemory(options => options.InProcess = true);
            services.AddKeyedHybridCache("Microsoft's");
        });
        var a = application.Services.GetRequiredKeyedService<HybridCache>("a");
        HybridCache[] ours = [application.Hybrid, a, application.Services.GetRequiredKeyedService<HybridCache>("b")];
        Assert.All(ours, cache => Assert.IsType<SharedMemoryHybridCache>(cache));
        Assert.IsNotType<SharedMemoryHybridCache>(application.Services.GetRequiredKeyedService<HybridCache>("Microsoft's"));
        for (var index = 0; index < ours.Length; index++)
        {
            await ours[index].SetAsync("key", index, cancellationToken: Token);
        }

        for (var index = 0; index < ours.Length; index++)
        {
            Assert.Equal(index, await ours[index].GetOrCreateAsync("key", Counter.Nothing<int>, cancellationToken: Token));
        }

        // Its own limits count.
        Counter counter = new();
        await a.GetOrCreateAsync("a long key", counter.Next, cancellationToken: Token);
        Assert.Equal(2, await a.GetOrCreateAsync("a long key", counter.Next, cancellationToken: Token));
    }

    [Fact]
    public void Without_an_unkeyed_one_there_is_none()
    {
        using TestApplication application = new(services => services.AddKeyedHybridCache("a").UseSharedMemory(options => options.InProcess = true));
        Assert.Null(application.Services.GetService<HybridCache>());
        Assert.IsType<SharedMemoryHybridCache>(application.Services.GetRequiredKeyedService<HybridCache>("a"));
    }

    /// <summary>All lie where the defaults are, or in one file: neither their entries nor their options are shared.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Keys_that_look_alike_are_apart(bool isOneFile)
    {
        object[] keys = ["", "1", 1, 1L, "distributed", new string('x', 100), new string('x', 101)];
        var name = Guid.NewGuid().ToString("N");
        using TestApplication application = new(services =>
        {
            services.AddSingleton<Microsoft.Extensions.Hosting.IHostEnvironment>(
                new Microsoft.Extensions.Hosting.Internal.HostingEnvironment { ApplicationName = name, ContentRootPath = "/" });
            services.AddDistributedSharedMemoryCache(Configure);
            Array.ForEach(keys, key => services.AddKeyedDistributedSharedMemoryCache(key, Configure));
        });
        IDistributedCache[] caches = [application.Distributed, .. keys.Select(key => application.Services.GetRequiredKeyedService<IDistributedCache>(key))];
        try
        {
            for (byte index = 0; index < caches.Length; index++)
            {
                caches[index].Set("key", [index], new());
            }

            Assert.Equal(Enumerable.Range(0, caches.Length), caches.Select(cache => (int)cache.Get("key")![0]));
        }
        finally
        {
            var paths = caches.Select(cache => ((Extensions.Caching.Distributed.SharedMemoryDistributedCache)cache).Space.Path).Distinct().ToList();
            Assert.Equal(isOneFile ? 1 : caches.Length, paths.Count);
            paths.ForEach(File.Delete);
        }

        void Configure(SharedMemoryCacheOptions options) =>
            (options.Path, options.SizeBytes, options.MaximumSizeBytes) = (isOneFile ? _path.Value : null, 4 << 20, 4 << 20);
    }

    [Fact]
    public void Keys_with_one_text_are_refused()
    {
        ServiceCollection services = [];
        services.AddKeyedDistributedSharedMemoryCache(new Key(1));
        services.AddKeyedDistributedSharedMemoryCache(new Key(1));
        var exception = Assert.Throws<ArgumentException>(() => services.AddKeyedDistributedSharedMemoryCache(new Key(2)));
        Assert.Contains("a key", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_registrations_that_contradict_each_other_are_refused()
    {
        using var same = Of(1 << 20, 1 << 20);
        _ = same.Distributed;
        using var one = Of(1 << 20, null);
        _ = one.Distributed;
        using var both = Of(1 << 20, 2 << 20);
        var exception = Assert.Throws<OptionsValidationException>(() => both.Distributed);
        Assert.Contains("LimitBytes is 1048576 for distributed, and 2097152 for hybrid", exception.Message, StringComparison.Ordinal);

        static TestApplication Of(long? distributed, long? hybrid) => new(services =>
        {
            services.AddDistributedSharedMemoryCache(options => (options.InProcess, options.LimitBytes) = (true, distributed));
            services.AddHybridCache().UseSharedMemory(options => options.LimitBytes = hybrid ?? options.LimitBytes);
        });
    }

    [Fact]
    public void Each_cache_has_its_name_in_the_figures()
    {
        using TestApplication application = new(services =>
        {
            services.AddDistributedSharedMemoryCache(options => options.InProcess = true);
            services.AddKeyedDistributedSharedMemoryCache("a", options => options.InProcess = true);
            services.AddKeyedHybridCache("a").UseSharedMemory(options => options.InProcess = true);
        });
        application.Distributed.Get("key");
        application.Services.GetRequiredKeyedService<IDistributedCache>("a").Get("key");
        _ = application.Services.GetRequiredKeyedService<HybridCache>("a");
        HashSet<string> names = [];
        using MeterListener listener = new();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument is { Meter.Name: "ShmAlloc.Caching", Name: "dotnet.cache.requests" } && ReferenceEquals(instrument.Meter.Scope, application.Meters))
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((_, _, tags, _) =>
        {
            foreach (var (name, tag) in tags)
            {
                if (name == "dotnet.cache.name")
                {
                    names.Add((string)tag!);
                }
            }
        });
        listener.Start();
        listener.RecordObservableInstruments();
        Assert.Equal(["distributed", "distributed:a", "hybrid:a"], names.Order());
    }

    /// <summary>Where no factory of the container owns the meters: a listener is told that they are gone.</summary>
    [Fact]
    public void Meters_end_with_their_cache()
    {
        HashSet<object> mine = [];
        HashSet<object> ended = [];
        AsyncLocal<bool> isHere = new() { Value = true };
        using MeterListener listener = new();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter is { Name: "ShmAlloc.Caching", Scope: null } && isHere.Value)
            {
                mine.Add(instrument);
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.MeasurementsCompleted = (instrument, _) => ended.Add(instrument);
        listener.Start();
        mine.Clear();
        ServiceCollection services = [];
        services.AddDistributedSharedMemoryCache(options => options.InProcess = true);
        services.AddHybridCache().UseSharedMemory();
        using (var provider = services.BuildServiceProvider())
        {
            _ = (provider.GetRequiredService<IDistributedCache>(), provider.GetRequiredService<HybridCache>());
            Assert.NotEmpty(mine);
            Assert.Empty(ended.Intersect(mine));
        }

        Assert.Equal(mine.Count, ended.Intersect(mine).Count());
    }

    private sealed class Key(int number)
    {
        public override bool Equals(object? obj) => obj is Key other && other.GetHashCode() == number;

        public override int GetHashCode() => number;

        public override string ToString() => "a key";
    }
}
