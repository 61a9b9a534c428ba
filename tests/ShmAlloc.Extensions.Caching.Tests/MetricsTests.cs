using System.Diagnostics.Metrics;
using Microsoft.Extensions.Caching.Distributed;
using ShmAlloc.ProcessTests;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>What a listener is told.</summary>
public sealed class MetricsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Hits_and_misses_of_this_process_are_counted_under_the_names_of_the_ecosystem()
    {
        using var application = TestApplication.OwnDistributed();
        await application.Distributed.GetAsync("key", Token);
        await application.Distributed.SetAsync("key", [1], Token);
        await application.Distributed.GetAsync("key", Token);
        await application.Distributed.GetAsync("key", Token);
        var told = Listen(application);
        Assert.Equal(2, told["dotnet.cache.requests hit"]);
        Assert.Equal(1, told["dotnet.cache.requests miss"]);
        Assert.Equal(1, told["shmalloc.heap.entries "]);
        Assert.Equal(0, told["dotnet.cache.evictions "]);
        Assert.True(told["shmalloc.heap.committed "] > 0);
        Assert.DoesNotContain(told.Keys, name => name.StartsWith("shmalloc.cache.local", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_used_of_the_heap_grows_with_what_is_stored()
    {
        using var application = TestApplication.OwnDistributed();
        await application.Distributed.SetAsync("small", [1], Token);
        var before = Listen(application)["shmalloc.heap.used "];
        await application.Distributed.SetAsync("large", new byte[100_000], Token);
        var told = Listen(application);
        Assert.InRange(told["shmalloc.heap.used "] - before, 100_000, 140_000);
        Assert.True(told["shmalloc.heap.used "] <= told["shmalloc.heap.committed "]);
        await application.Distributed.RemoveAsync("large", Token);
        Assert.Equal(before, Listen(application)["shmalloc.heap.used "]);
    }

    [Fact]
    public async Task What_is_pinned_are_removed_tags_and_no_values()
    {
        using var application = TestApplication.OwnDistributed();
        await application.Distributed.SetAsync("value", new byte[1000], Token);
        Assert.Equal(0, Listen(application)["shmalloc.heap.pinned "]);
        await application.Distributed.SetAsync("__MSFT_HCT__1", new byte[1000], Token);
        await application.Distributed.SetAsync("__MSFT_HCT__2", new byte[1000], Token);
        await application.Distributed.SetAsync("__MSFT_HCT__2", new byte[1000], Token);
        Assert.InRange(Listen(application)["shmalloc.heap.pinned "], 2000, 2100);
    }

    /// <summary>Other attachments are to the file what other processes are.</summary>
    [Fact]
    public void Participants_are_those_of_all_processes()
    {
        using TemporaryHeapPath path = new();
        using var application = TestApplication.OwnDistributed(options => (options.InProcess, options.Path) = (false, path.Value));
        _ = application.Distributed;
        Assert.Equal(1, Listen(application)["shmalloc.heap.participants "]);
        using (ShmHeap.Attach(path.Value))
        using (ShmHeap.Attach(path.Value))
        {
            Assert.Equal(3, Listen(application)["shmalloc.heap.participants "]);
        }

        Assert.Equal(1, Listen(application)["shmalloc.heap.participants "]);
    }

    /// <summary>Its slot is free for who comes next.</summary>
    [Fact]
    public async Task Who_was_killed_takes_no_part()
    {
        using TemporaryHeapPath path = new();
        await using var other = WorkerProcess.Start("fusion", path.Value);
        await other.ExpectLineAsync("ready");
        using var application = TestApplication.OwnDistributed(options => (options.InProcess, options.Path) = (false, path.Value));
        _ = application.Distributed;
        Assert.Equal(2, Listen(application)["shmalloc.heap.participants "]);
        other.Kill();
        Assert.Equal(1, Listen(application)["shmalloc.heap.participants "]);
    }

    /// <summary>Each file counts from nothing; and a meter is asked once more after the last one is closed.</summary>
    [Fact]
    public async Task Evictions_are_counted_on_when_the_file_is_replaced_and_are_told_after_the_end()
    {
        using TemporaryHeapPath path = new();
        using var application = TestApplication.OwnDistributed(options => (options.InProcess, options.Path, options.LimitBytes) = (false, path.Value, 1 << 20));
        var first = await Fill();
        Assert.True(first > 0);
        File.Delete(path.Value);
        await application.Distributed.RemoveAsync("key", Token);
        Assert.Equal(first, Told());
        var second = await Fill();
        Assert.True(second > first);
        (application.Distributed as IDisposable)!.Dispose();
        Assert.Equal(second, Told());

        async Task<long> Fill()
        {
            for (var index = 0; index < 2000; index++)
            {
                await application.Distributed.SetAsync($"{index}", new byte[1000], Token);
            }

            return Told();
        }

        long Told() => Listen(application)["dotnet.cache.evictions "];
    }

    [Fact]
    public async Task The_first_level_tells_what_it_had()
    {
        using var application = TestApplication.OwnHybrid();
        for (var turn = 0; turn < 5; turn++)
        {
            await application.Hybrid.GetOrCreateAsync("key", _ => ValueTask.FromResult("value"), cancellationToken: Token);
        }

        await application.Hybrid.RemoveAsync("key", Token);
        await application.Hybrid.GetOrCreateAsync("key", _ => ValueTask.FromResult("value"), cancellationToken: Token);
        var told = Listen(application);

        // Worked out, read twice from shared memory, and then from here; removed, and worked out again.
        Assert.Equal((2, 1, 3), (told["shmalloc.cache.local.requests current"], told["shmalloc.cache.local.requests stale"], told["shmalloc.cache.local.requests miss"]));
        Assert.Equal((4, 2), (told["dotnet.cache.requests hit"], told["dotnet.cache.requests miss"]));
    }

    /// <summary>Without advice, an exporter sorts seconds into what is meant for milliseconds.</summary>
    [Fact]
    public void How_long_factories_take_is_told_in_seconds_with_borders_for_seconds()
    {
        using var application = TestApplication.OwnHybrid();
        _ = application.Hybrid;
        List<double> borders = [];
        using MeterListener listener = new();
        listener.InstrumentPublished = (instrument, _) =>
        {
            if (instrument is Histogram<double> { Name: "shmalloc.cache.compute.duration", Unit: "s" } told && ReferenceEquals(instrument.Meter.Scope, application.Meters))
            {
                borders.AddRange(told.Advice?.HistogramBucketBoundaries ?? []);
            }
        };
        listener.Start();
        Assert.Contains(borders, border => border is > 0 and < 0.01);
        Assert.Contains(borders, border => border >= 1);
    }

    /// <summary>All observable figures of our meter; only those of this application's meters.</summary>
    private static Dictionary<string, long> Listen(TestApplication application)
    {
        Dictionary<string, long> told = [];
        using MeterListener listener = new();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == "ShmAlloc.Caching" && ReferenceEquals(instrument.Meter.Scope, application.Meters))
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            var result = "";
            foreach (var (name, tag) in tags)
            {
                result = name is "dotnet.cache.request.result" or "result" ? tag!.ToString()! : result;
            }

            told[$"{instrument.Name} {result}"] = value;
        });
        listener.Start();
        listener.RecordObservableInstruments();
        return told;
    }
}
