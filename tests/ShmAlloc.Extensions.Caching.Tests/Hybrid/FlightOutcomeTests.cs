using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;
using ShmAlloc.Caching;
using ShmAlloc.Extensions.Caching.Hybrid;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>How a caller got the value that was not there, as <c>shmalloc.cache.flights</c> counts it.</summary>
public sealed class FlightOutcomeTests : IDisposable
{
    private readonly TemporaryHeapPath _path = new();
    private readonly ConcurrentQueue<string> _outcomes = [];
    private readonly MeterListener _listener = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _listener.Dispose();
        _path.Dispose();
    }

    [Fact]
    public async Task Who_runs_the_factory_leads_and_the_others_wait()
    {
        using var application = Listened(TestApplication.OwnHybrid());
        Gate gate = new();
        var led = application.Hybrid.GetOrCreateAsync("key", gate.Run, cancellationToken: Token).AsTask();
        await gate.Begun;
        var waited = application.Hybrid.GetOrCreateAsync("key", Counter.Nothing<string>, cancellationToken: Token).AsTask();
        Assert.False(waited.IsCompleted);
        gate.Open("value");
        Assert.Equal(await led, await waited);
        Assert.Equal(["led", "waited"], _outcomes.Order());
        await application.Hybrid.GetOrCreateAsync("key", Counter.Nothing<string>, cancellationToken: Token);
        Assert.Equal(2, _outcomes.Count);
    }

    /// <summary>The value that this caller has just missed: here, because another one takes the place of what it could not read.</summary>
    [Fact]
    public async Task What_was_there_at_once_has_landed_elsewhere()
    {
        OvertakenSerializer serializer = new();
        using var application = Listened(TestApplication.OwnHybrid(more: services => services.AddSingleton<IHybridCacheSerializer<Word>>(serializer)));
        await application.Hybrid.SetAsync("key", new Word("first"), cancellationToken: Token);
        serializer.Meanwhile = () => application.Hybrid.SetAsync("key", new Word("second"), cancellationToken: Token).AsTask().Wait(Token);
        Assert.Equal(new Word("second"), await application.Hybrid.GetOrCreateAsync("key", Counter.Nothing<Word>, cancellationToken: Token));
        Assert.Equal(["landed elsewhere"], _outcomes);
    }

    [Fact]
    public async Task Who_works_after_another_has_given_up_has_taken_over()
    {
        using var heap = ShmHeap.Create(_path.Value, new ShmHeapOptions { SizeBytes = 16 << 20 });
        var theirs = SharedCache.Open(heap, "hybrid", new() { AllowsRemoveAll = true });
        using var application = Listened(TestApplication.SharingHybrid(_path));
        Assert.Equal(CacheStatus.Ok, theirs.BeginFlight("key", out var flight));
        var call = application.Hybrid.GetOrCreateAsync("key", _ => ValueTask.FromResult("value"), cancellationToken: Token).AsTask();
        Assert.False(call.IsCompleted);
        flight!.Dispose();
        Assert.Equal("value", await call);
        Assert.Equal(["taken over"], _outcomes);
    }

    /// <summary>The other one never ends, so it is the limit that does, however short it is.</summary>
    [Fact]
    public async Task Who_works_after_the_limit_of_waiting_has_had_a_timeout()
    {
        using var heap = ShmHeap.Create(_path.Value, new ShmHeapOptions { SizeBytes = 16 << 20 });
        var theirs = SharedCache.Open(heap, "hybrid", new() { AllowsRemoveAll = true });
        using var application = Listened(TestApplication.SharingHybrid(_path));
        ((SharedMemoryHybridCache)application.Hybrid).WaitLimit = TimeSpan.FromMilliseconds(20);
        Assert.Equal(CacheStatus.Ok, theirs.BeginFlight("key", out var flight));
        using (flight)
        {
            Assert.Equal("value", await application.Hybrid.GetOrCreateAsync("key", _ => ValueTask.FromResult("value"), cancellationToken: Token));
        }

        Assert.Equal(["timeout"], _outcomes);
    }

    [Fact]
    public async Task Without_a_file_or_a_participant_slot_or_with_too_many_tags_it_is_impossible()
    {
        using (var application = Listened(new(services => services.AddHybridCache().UseSharedMemory(options => options.Path = "/dev/null"))))
        {
            await application.Hybrid.GetOrCreateAsync("key", _ => ValueTask.FromResult("value"), cancellationToken: Token);
        }

        using SlotlessPath slotless = new("hybrid");
        using (var application = Listened(TestApplication.SharingHybrid(slotless.Path)))
        {
            await application.Hybrid.GetOrCreateAsync("key", _ => ValueTask.FromResult("value"), cancellationToken: Token);
        }

        using (var application = Listened(TestApplication.OwnHybrid()))
        {
            var tags = Enumerable.Range(0, 64).Select(tag => $"{tag}");
            await application.Hybrid.GetOrCreateAsync("key", _ => ValueTask.FromResult("value"), tags: tags, cancellationToken: Token);
        }

        Assert.Equal(["impossible", "impossible", "impossible"], _outcomes);
    }

    [Theory]
    [InlineData(HybridCacheEntryFlags.DisableDistributedCacheWrite)]
    [InlineData(HybridCacheEntryFlags.DisableDistributedCacheWrite | HybridCacheEntryFlags.DisableLocalCacheWrite)]
    public async Task Who_does_not_want_to_share_works_alone(HybridCacheEntryFlags flags)
    {
        using var application = Listened(TestApplication.OwnHybrid());
        HybridCacheEntryOptions options = new() { Flags = flags };
        await application.Hybrid.GetOrCreateAsync("key", _ => ValueTask.FromResult("value"), options, cancellationToken: Token);
        Assert.Equal(["alone"], _outcomes);
    }

    /// <summary>From here on this application's meters are heard, and no other test's.</summary>
    private TestApplication Listened(TestApplication application)
    {
        var meters = application.Meters;
        _listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Name == "shmalloc.cache.flights" && ReferenceEquals(instrument.Meter.Scope, meters))
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((_, value, tags, _) =>
        {
            foreach (var (name, tag) in tags)
            {
                if (name == "outcome")
                {
                    Assert.Equal(1, value);
                    _outcomes.Enqueue((string)tag!);
                }
            }
        });
        _listener.Start();
        return application;
    }

    private sealed record Word(string Text);

    /// <summary>Cannot read the first value that it is given, and while it tries, something happens.</summary>
    private sealed class OvertakenSerializer : IHybridCacheSerializer<Word>
    {
        internal Action? Meanwhile { get; set; }

        public Word Deserialize(ReadOnlySequence<byte> source)
        {
            if (Meanwhile is { } meanwhile)
            {
                Meanwhile = null;
                meanwhile();
                throw new InvalidDataException("It was overtaken.");
            }

            return new(Encoding.UTF8.GetString(source));
        }

        public void Serialize(Word value, IBufferWriter<byte> target) => Encoding.UTF8.GetBytes(value.Text, target);
    }
}
