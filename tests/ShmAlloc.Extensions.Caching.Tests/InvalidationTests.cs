using System.Buffers;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ShmAlloc.Caching;
using ShmAlloc.Extensions.Caching.Hybrid;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>A removal is done when the call returns, or it throws; and what is no removal empties nothing.</summary>
public sealed class InvalidationTests : IDisposable
{
    private readonly TemporaryHeapPath _path = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _path.Dispose();

    /// <summary>A service that ends late may remove what it has changed, when the caches of its application are disposed already.</summary>
    [Theory]
    [InlineData("key")]
    [InlineData("tag")]
    [InlineData("*")]
    [InlineData("set")]
    [InlineData("set of a new type")]
    public async Task After_the_end_of_the_application_a_removal_is_done_for_the_others(string what)
    {
        using var other = Both();
        var one = Both();
        var (hybrid, distributed) = (one.Hybrid, one.Distributed);
        await other.Hybrid.SetAsync("key", "value", tags: ["tag"], cancellationToken: Token);
        await other.Distributed.SetAsync("key", [1], Token);
        one.Dispose();
        await (what switch
        {
            "key" => hybrid.RemoveAsync("key", Token),
            "set" => hybrid.SetAsync("key", "later", cancellationToken: Token),
            "set of a new type" => hybrid.SetAsync("key", new List<int>(), cancellationToken: Token),
            _ => hybrid.RemoveByTagAsync(what, Token),
        });
        Assert.Null(await other.Hybrid.GetOrCreateAsync("key", Counter.Nothing<string>, Counter.Look, cancellationToken: Token));
        Assert.Equal([1], await other.Distributed.GetAsync("key", Token));
        await (what == "key" ? distributed.RemoveAsync("key", Token) : distributed.SetAsync("key", [2], Token));
        Assert.Null(await other.Distributed.GetAsync("key", Token));
    }

    [Fact]
    public async Task After_the_end_of_the_application_a_removal_that_cannot_be_done_throws()
    {
        var application = Both();
        var (hybrid, distributed) = (application.Hybrid, application.Distributed);
        application.Dispose();
        File.Delete(_path.Value);

        // There is none who could have it.
        await hybrid.RemoveAsync("key", Token);
        await distributed.RemoveAsync("key", Token);
        await File.WriteAllTextAsync(_path.Value, "no heap", Token);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await hybrid.RemoveAsync("key", Token));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await hybrid.RemoveByTagAsync("tag", Token));
        await Assert.ThrowsAsync<InvalidOperationException>(() => distributed.RemoveAsync("key", Token));
        Assert.Contains(application.Log.Entries, entry => entry is { Id: 6, Level: LogLevel.Error });

        // A set is no removal.
        await hybrid.SetAsync("key", "value", cancellationToken: Token);
        await distributed.SetAsync("key", [1], Token);
    }

    [Fact]
    public async Task After_the_end_of_the_application_a_new_type_is_worked_out()
    {
        var application = Both();
        var hybrid = application.Hybrid;
        application.Dispose();
        Assert.Equal([1], await hybrid.GetOrCreateAsync("key", _ => ValueTask.FromResult(new List<int> { 1 }), cancellationToken: Token));
        Assert.Null(await hybrid.GetOrCreateAsync("key", Counter.Nothing<Dictionary<int, int>>, Counter.Look, cancellationToken: Token));
        await hybrid.SetAsync("key", new Stack<int>(), cancellationToken: Token);
    }

    /// <summary>It is not the cache that is disposed.</summary>
    [Fact]
    public void What_the_writer_or_the_memory_of_the_caller_throws_is_the_callers()
    {
        using var application = Both();
        var cache = (IBufferDistributedCache)application.Distributed;
        cache.Set("key", [1], new());
        Assert.Throws<ObjectDisposedException>(() => cache.TryGet("key", new DisposedWriter()));
        Assert.Throws<ObjectDisposedException>(() => cache.Set("key", new ReadOnlySequence<byte>(new DisposedMemory().Memory), new()));
        Assert.Throws<ObjectDisposedException>(() => cache.Set("key", Segment.TwoOf(new DisposedMemory().Memory), new()));
    }

    [Fact]
    public void Microsofts_HybridCache_over_ours_is_warned_of()
    {
        using TestApplication application = new(services =>
        {
            services.AddDistributedSharedMemoryCache(options => options.InProcess = true);
            services.AddHybridCache();
        });
        _ = application.Hybrid;
        Assert.Single(application.Log.Entries, entry => entry is { Id: 4, Level: LogLevel.Warning });
        using var both = Both();
        _ = (both.Hybrid, both.Distributed);
        Assert.DoesNotContain(both.Log.Entries, entry => entry.Id == 4);
        using var alone = TestApplication.OwnDistributed();
        _ = alone.Distributed;
        Assert.DoesNotContain(alone.Log.Entries, entry => entry.Id == 4);
    }

    /// <summary>It takes its second level from the key that its options name, and from no other one.</summary>
    [Theory]
    [InlineData("a")]
    [InlineData(null)]
    public void Microsofts_HybridCache_over_ours_under_a_key_is_warned_of(string? key)
    {
        using TestApplication application = new(services =>
        {
            services.AddDistributedSharedMemoryCache(options => options.InProcess = true);
            services.AddKeyedDistributedSharedMemoryCache("a", options => options.InProcess = true);
            services.AddKeyedDistributedSharedMemoryCache("b", options => options.InProcess = true);
            services.AddHybridCache(options => options.DistributedCacheServiceKey = key);
        });

        // It asks for its second level itself.
        _ = application.Hybrid;
        Assert.Single(application.Log.Entries, entry => entry.Id == 4);
        _ = application.Distributed;
        Assert.All(["a", "b"], other => application.Services.GetRequiredKeyedService<IDistributedCache>(other));
        Assert.Single(application.Log.Entries, entry => entry.Id == 4);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void A_second_level_that_would_not_be_used_is_refused_unless_that_is_asked_for(bool replaces, bool isKeyed)
    {
        using TestApplication application = new(services =>
        {
            services.AddSingleton<IDistributedCache>(new SecondLevel());
            if (isKeyed)
            {
                services.AddKeyedHybridCache("a").UseSharedMemory(Configure);
            }
            else
            {
                services.AddHybridCache().UseSharedMemory(Configure);
            }
        });
        if (replaces)
        {
            Assert.IsType<SharedMemoryHybridCache>(Resolve());
        }
        else
        {
            Assert.Contains("ReplaceDistributedCache", Assert.Throws<InvalidOperationException>(Resolve).Message, StringComparison.Ordinal);
        }

        HybridCache Resolve() => isKeyed ? application.Services.GetRequiredKeyedService<HybridCache>("a") : application.Hybrid;

        void Configure(SharedMemoryCacheOptions options) => (options.InProcess, options.ReplaceDistributedCache) = (true, replaces);
    }

    /// <summary>It stores nothing, and has nothing to remove: so all the other keys keep their values.</summary>
    [Fact]
    public async Task A_set_of_a_process_without_a_participant_slot_empties_nothing_if_its_key_has_nothing()
    {
        using SlotlessPath slotless = new("distributed", "hybrid");
        using var application = Both(slotless.Path);
        SharedCache[] theirs = [slotless["distributed"], slotless["hybrid"]];
        Array.ForEach(theirs, cache => cache.Set("other", [1]));
        for (var turn = 0; turn < 3; turn++)
        {
            await application.Distributed.SetAsync("key", [2], Token);
            await application.Distributed.RemoveAsync("key", Token);
            await application.Hybrid.SetAsync("key", "value", cancellationToken: Token);
            await application.Hybrid.RemoveAsync("key", Token);
            await application.Hybrid.GetOrCreateAsync("key", _ => ValueTask.FromResult("value"), cancellationToken: Token);
        }

        Assert.All(theirs, cache => Assert.Equal([1], cache.Get("other")));
        Assert.DoesNotContain(application.Log.Entries, entry => entry.Id == 11);

        // A value that the application cannot read is another build's, and stays its.
        Assert.Equal("value", await application.Hybrid.GetOrCreateAsync("other", _ => ValueTask.FromResult("value"), cancellationToken: Token));
        Assert.All(theirs, cache => Assert.Equal([1], cache.Get("other")));

        // A key that has a value loses it, with all others of the cache, and that is told.
        theirs[1].Set("another", [1]);
        await application.Hybrid.SetAsync("other", "new", cancellationToken: Token);
        Assert.Null(theirs[1].Get("other"));
        Assert.Null(theirs[1].Get("another"));
        Assert.Single(application.Log.Entries, entry => entry is { Id: 11, Level: LogLevel.Warning });
        Assert.Equal([1], theirs[0].Get("other"));
    }

    /// <summary>Nothing is there yet, but a factory of another process runs, with what was true before.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_change_by_a_process_without_a_participant_slot_is_one_for_a_flight_of_another(bool isSet)
    {
        using SlotlessPath slotless = new("distributed", "hybrid");
        using var application = Both(slotless.Path);
        Assert.Equal(CacheStatus.Ok, slotless["hybrid"].BeginFlight("key", out var flight));
        await (isSet ? application.Hybrid.SetAsync("key", "new", cancellationToken: Token) : application.Hybrid.RemoveAsync("key", Token));
        Assert.Equal(CacheFlightOutcome.Changed, flight!.Complete([1], new()));
        Assert.Null(slotless["hybrid"].Get("key"));
    }

    /// <summary>Sets that cannot be stored and cannot remove what was there before do not throw: it goes when the memory comes back.</summary>
    [Fact]
    public async Task A_set_without_shared_memory_does_not_throw()
    {
        using TestApplication application = new(services => services.AddHybridCache().UseSharedMemory(options => options.Path = "/dev/null"));
        var tags = Enumerable.Range(0, 64).Select(tag => $"tag {tag}").ToArray();
        await application.Hybrid.SetAsync("key", "value", tags: tags, cancellationToken: Token);
        await application.Hybrid.SetAsync("key", "value", new() { Flags = HybridCacheEntryFlags.DisableDistributedCacheWrite }, cancellationToken: Token);
        await application.Hybrid.SetAsync("key", "value", new() { Expiration = TimeSpan.Zero }, cancellationToken: Token);
        await application.Hybrid.SetAsync("key", new string('x', 2 << 20), cancellationToken: Token);
    }

    private TestApplication Both() => Both(_path);

    private static TestApplication Both(TemporaryHeapPath path) => new(services =>
    {
        services.AddDistributedSharedMemoryCache(options => options.Path = path.Value);
        services.AddHybridCache().UseSharedMemory();
    });

    private sealed class DisposedWriter : IBufferWriter<byte>
    {
        public void Advance(int count) => throw new ObjectDisposedException("The writer of the caller.");

        public Memory<byte> GetMemory(int sizeHint = 0) => throw new ObjectDisposedException("The writer of the caller.");

        public Span<byte> GetSpan(int sizeHint = 0) => throw new ObjectDisposedException("The writer of the caller.");
    }

    private sealed class DisposedMemory : MemoryManager<byte>
    {
        public override Memory<byte> Memory => CreateMemory(4);

        public override Span<byte> GetSpan() => throw new ObjectDisposedException("The memory of the caller.");

        public override MemoryHandle Pin(int elementIndex = 0) => throw new ObjectDisposedException("The memory of the caller.");

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        internal static ReadOnlySequence<byte> TwoOf(ReadOnlyMemory<byte> memory)
        {
            Segment first = new() { Memory = memory };
            Segment second = new() { Memory = memory, RunningIndex = memory.Length };
            first.Next = second;
            return new ReadOnlySequence<byte>(first, 0, second, memory.Length);
        }
    }
}
