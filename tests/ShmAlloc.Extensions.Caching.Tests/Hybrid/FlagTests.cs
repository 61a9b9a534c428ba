using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>What callers may leave out: levels to read, levels to write, the factory.</summary>
public sealed class FlagTests
{
    private const HybridCacheEntryFlags OnlyHere = HybridCacheEntryFlags.DisableDistributedCache;
    private const HybridCacheEntryFlags BothWrites = HybridCacheEntryFlags.DisableLocalCacheWrite | HybridCacheEntryFlags.DisableDistributedCacheWrite;
    private const HybridCacheEntryFlags BothReads = HybridCacheEntryFlags.DisableLocalCacheRead | HybridCacheEntryFlags.DisableDistributedCacheRead;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<Peer> Peers => [Peer.Ours, Peer.Microsofts];

    public static MatrixTheoryData<Peer, HybridCacheEntryFlags> All =>
        new([Peer.Ours, Peer.Microsofts], Enumerable.Range(0, 128).Select(bits => (HybridCacheEntryFlags)bits).Where(flags => (flags & ~Known) == 0));

    private static HybridCacheEntryFlags Known =>
        BothWrites | BothReads | HybridCacheEntryFlags.DisableUnderlyingData | HybridCacheEntryFlags.DisableCompression;

    /// <summary>Whatever a caller leaves out: a first call gives the factory's value, or the default if it is not to run.</summary>
    [Theory]
    [InlineData(HybridCacheEntryFlags.DisableDistributedCacheWrite)]
    [InlineData(HybridCacheEntryFlags.None)]
    public async Task What_is_too_large_to_be_kept_here_takes_the_place_of_the_one_before(HybridCacheEntryFlags before)
    {
        using var application = TestApplication.OwnHybrid();
        var token = TestContext.Current.CancellationToken;
        var here = new HybridCacheEntryOptions { Flags = HybridCacheEntryFlags.DisableDistributedCacheWrite };
        await application.Hybrid.SetAsync("key", "old", new HybridCacheEntryOptions { Flags = before }, cancellationToken: token);
        await application.Hybrid.SetAsync("key", new string('x', 100_000), here, cancellationToken: token);
        Assert.Equal("new", await application.Hybrid.GetOrCreateAsync("key", _ => ValueTask.FromResult("new"), here, cancellationToken: token));
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task With_all_flags_a_first_call_is_right(Peer peer, HybridCacheEntryFlags flags)
    {
        using var application = TestApplication.HybridOf(peer);
        Counter counter = new();
        var isRun = (flags & HybridCacheEntryFlags.DisableUnderlyingData) == 0;
        var value = await application.Hybrid.GetOrCreateAsync("key", _ => counter.Count("value"), new() { Flags = flags }, cancellationToken: Token);
        Assert.Equal(isRun ? "value" : null, value);
        Assert.Equal(isRun ? 1 : 0, counter.Runs);

        // Nothing is there that was not to be stored.
        if (!isRun || (flags & BothWrites) == BothWrites)
        {
            Assert.Null(await application.Hybrid.GetOrCreateAsync("key", Counter.Nothing<string>, Counter.Look, cancellationToken: Token));
        }
        else if ((flags & BothWrites) == 0)
        {
            Assert.Equal("value", await application.Hybrid.GetOrCreateAsync("key", Counter.Nothing<string>, Counter.Look, cancellationToken: Token));
        }
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task A_caller_that_does_not_read_gets_a_new_value_and_stores_it_for_the_others(Peer peer)
    {
        using var application = TestApplication.HybridOf(peer);
        var cache = application.Hybrid;
        await cache.SetAsync("key", "old", cancellationToken: Token);
        for (var turn = 0; turn < 3; turn++)
        {
            var value = $"new {turn}";
            Assert.Equal(value, await cache.GetOrCreateAsync("key", _ => ValueTask.FromResult(value), new() { Flags = BothReads }, cancellationToken: Token));
            Assert.Equal(value, await Look(cache));
            Assert.Equal(value, await Look(cache));
        }
    }

    [Fact]
    public async Task What_was_worked_out_without_reading_does_not_take_the_place_of_what_was_set_or_removed_meanwhile()
    {
        using var application = TestApplication.OwnHybrid();
        var cache = application.Hybrid;
        foreach (var what in (string[])["set", "key", "tag", "*"])
        {
            await cache.SetAsync("key", "old", tags: ["tag"], cancellationToken: Token);
            Gate gate = new();
            var call = cache.GetOrCreateAsync("key", gate.Run, new() { Flags = BothReads }, ["tag"], Token).AsTask();
            await gate.Begun;
            await (what switch
            {
                "set" => cache.SetAsync("key", "set", cancellationToken: Token),
                "key" => cache.RemoveAsync("key", Token),
                _ => cache.RemoveByTagAsync(what, Token),
            });
            gate.Open("worked out before");
            Assert.Equal("worked out before", await call);
            Assert.Equal(what == "set" ? "set" : null, await Look(cache));
        }
    }

    /// <summary>Microsoft's by all flags; ours by those that say what becomes of the value.</summary>
    [Theory]
    [MemberData(nameof(Peers))]
    public async Task Flights_are_kept_apart_by_flags_and_shared_by_callers_with_the_same(Peer peer)
    {
        // Without a second level these flags are the same for Microsoft's.
        using var application = TestApplication.HybridOf(
            peer, more: services => _ = peer == Peer.Ours ? services : services.AddSingleton<IDistributedCache>(new SecondLevel()));
        var cache = application.Hybrid;
        await cache.SetAsync("key", "old", cancellationToken: Token);
        Gate storing = new();
        Gate here = new();
        var stored = Begin(cache, storing, BothReads, 10);
        var kept = Begin(cache, here, OnlyHere | HybridCacheEntryFlags.DisableLocalCacheRead, 10);
        await storing.Begun;
        await here.Begun;
        storing.Open("stored");
        here.Open("kept");
        Assert.All(await stored, value => Assert.Equal("stored", value));
        Assert.All(await kept, value => Assert.Equal("kept", value));
        Assert.Equal((1, 1), (storing.Runs, here.Runs));
    }

    [Fact]
    public async Task A_caller_that_stores_nothing_waits_for_a_flight_that_does()
    {
        using var application = TestApplication.OwnHybrid();
        var cache = application.Hybrid;
        Gate gate = new();
        var leader = cache.GetOrCreateAsync("key", gate.Run, cancellationToken: Token).AsTask();
        await gate.Begun;
        var waiting = cache.GetOrCreateAsync("key", Counter.Nothing<string>, new() { Flags = BothWrites }, cancellationToken: Token).AsTask();
        Assert.False(waiting.IsCompleted);
        gate.Open("value");
        Assert.Equal(("value", "value"), (await leader, await waiting));
    }

    [Fact]
    public async Task No_caller_waits_for_one_that_stores_nothing()
    {
        using var application = TestApplication.OwnHybrid();
        var cache = application.Hybrid;
        Gate gate = new();
        var aside = cache.GetOrCreateAsync("key", gate.Run, new() { Flags = BothWrites }, cancellationToken: Token).AsTask();
        await gate.Begun;
        Assert.Equal("value", await cache.GetOrCreateAsync("key", _ => ValueTask.FromResult("value"), cancellationToken: Token));
        Assert.Equal("value", await Look(cache));
        gate.Open("aside");
        Assert.Equal("aside", await aside);
        Assert.Equal("value", await Look(cache));
    }

    /// <summary>
    /// A caller that stores nothing begins a flight for a moment, to see whether others fly, and ends it with an exception of its own. One that joins right
    /// then does not meet that.
    /// </summary>
    [Fact]
    public async Task A_caller_that_looks_whether_others_fly_fails_none_that_joins()
    {
        using var application = TestApplication.OwnHybrid();
        var cache = application.Hybrid;
        Task<string>? storing = null;
        var looking = Environment.CurrentManagedThreadId;
        EventHandler<System.Runtime.ExceptionServices.FirstChanceExceptionEventArgs> join = (_, thrown) =>
        {
            if (storing == null && Environment.CurrentManagedThreadId == looking && thrown.Exception.GetType().Name == "DeclinedException")
            {
                // Without what flows from here, which would be found waiting for itself.
                Thread thread = new(() => storing = cache.GetOrCreateAsync("key", _ => ValueTask.FromResult("stored"), cancellationToken: Token).AsTask());
                thread.UnsafeStart();
                thread.Join();
                Assert.False(storing!.IsCompleted);
            }
        };
        AppDomain.CurrentDomain.FirstChanceException += join;
        Task<string> aside;
        try
        {
            aside = cache.GetOrCreateAsync("key", _ => ValueTask.FromResult("aside"), new() { Flags = BothWrites }, cancellationToken: Token).AsTask();
        }
        finally
        {
            AppDomain.CurrentDomain.FirstChanceException -= join;
        }

        Assert.Equal("aside", await aside);
        Assert.NotNull(storing);
        Assert.Equal("stored", await storing);
        Assert.Equal("stored", await Look(cache));
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task What_is_kept_in_this_process_only_is_worked_out_once(Peer peer)
    {
        using var application = TestApplication.HybridOf(peer);
        HybridCacheEntryOptions here = new() { Flags = OnlyHere };
        Counter counter = new();
        for (var turn = 0; turn < 3; turn++)
        {
            Assert.Equal("here", await application.Hybrid.GetOrCreateAsync("key", _ => counter.Count("here"), here, cancellationToken: Token));
        }

        Assert.Equal(1, counter.Runs);
        for (var turn = 0; turn < 3; turn++)
        {
            var list = await application.Hybrid.GetOrCreateAsync("list", _ => counter.Count(new List<int> { 1 }), here, cancellationToken: Token);
            Assert.Equal(1, Assert.Single(list));
            list.Add(2);
        }

        Assert.Equal(2, counter.Runs);
        await application.Hybrid.SetAsync("key", "set", here, cancellationToken: Token);
        Assert.Equal("set", await Look(application.Hybrid));
        application.Clock.Advance(TimeSpan.FromMinutes(6));
        Assert.Null(await Look(application.Hybrid));
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task A_caller_that_may_write_nowhere_sets_nothing(Peer peer)
    {
        using var application = TestApplication.HybridOf(peer);
        await application.Hybrid.SetAsync("key", "old", cancellationToken: Token);
        await application.Hybrid.SetAsync("key", "new", new() { Flags = BothWrites }, cancellationToken: Token);
        Assert.Equal("old", await Look(application.Hybrid));
    }

    /// <summary>What Microsoft's cannot: an object that is in no second level is taken away by a removal, in whatever process.</summary>
    [Theory]
    [InlineData("key")]
    [InlineData("tag")]
    [InlineData("*")]
    [InlineData("set")]
    public async Task What_is_kept_in_this_process_only_is_never_behind(string what)
    {
        using TemporaryHeapPath path = new();
        using var one = TestApplication.SharingHybrid(path);
        using var other = TestApplication.SharingHybrid(path);
        foreach (var isSet in (bool[])[false, true])
        {
            HybridCacheEntryOptions here = new() { Flags = OnlyHere };
            foreach (var application in (TestApplication[])[one, other])
            {
                if (isSet)
                {
                    await application.Hybrid.SetAsync("key", "here", here, ["tag"], Token);
                }
                else
                {
                    await application.Hybrid.GetOrCreateAsync("key", _ => ValueTask.FromResult("here"), here, ["tag"], Token);
                }

                Assert.Equal("here", await application.Hybrid.GetOrCreateAsync("key", Counter.Nothing<string>, here, cancellationToken: Token));
            }

            await (what switch
            {
                "key" => one.Hybrid.RemoveAsync("key", Token),
                "set" => one.Hybrid.SetAsync("key", "set", cancellationToken: Token),
                _ => one.Hybrid.RemoveByTagAsync(what, Token),
            });
            Assert.Equal(what == "set" ? "set" : null, await Look(one.Hybrid));
            Assert.Equal(what == "set" ? "set" : null, await Look(other.Hybrid));
            await one.Hybrid.RemoveAsync("key", Token);
        }
    }

    /// <summary>A caller that comes after a removal does not join a factory that began before.</summary>
    [Theory]
    [InlineData("key")]
    [InlineData("tag")]
    [InlineData("*")]
    public async Task A_flight_for_this_process_only_is_not_joined_after_a_removal(string what)
    {
        using TemporaryHeapPath path = new();
        using var one = TestApplication.SharingHybrid(path);
        using var other = TestApplication.SharingHybrid(path);
        Gate gate = new();
        HybridCacheEntryOptions here = new() { Flags = OnlyHere };
        var first = one.Hybrid.GetOrCreateAsync("key", gate.Run, here, ["tag"], Token).AsTask();
        await gate.Begun;
        await (what == "key" ? other.Hybrid.RemoveAsync("key", Token) : other.Hybrid.RemoveByTagAsync(what, Token));
        var second = one.Hybrid.GetOrCreateAsync("key", _ => ValueTask.FromResult("new"), here, ["tag"], Token).AsTask();
        gate.Open("old");
        Assert.Equal(("old", "new"), (await first, await second));
        Assert.Equal("new", await Look(one.Hybrid));
    }

    /// <summary>The token of a caller that has left is not the others'; the last one that leaves ends it.</summary>
    [Fact]
    public async Task Callers_of_a_flight_for_this_process_only_leave_as_those_of_others()
    {
        using var application = TestApplication.OwnHybrid();
        Gate gate = new();
        HybridCacheEntryOptions here = new() { Flags = OnlyHere };
        using CancellationTokenSource first = new();
        using CancellationTokenSource second = new();
        var leader = application.Hybrid.GetOrCreateAsync("key", gate.Run, here, cancellationToken: first.Token).AsTask();
        var joined = application.Hybrid.GetOrCreateAsync("key", gate.Run, here, cancellationToken: second.Token).AsTask();
        await gate.Begun;
        await first.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leader);
        Assert.False(gate.IsCancelled);
        await second.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => joined);
        await gate.Cancelled;
        Assert.Equal(1, gate.Runs);
    }

    private static Task<string[]> Begin(HybridCache cache, Gate gate, HybridCacheEntryFlags flags, int callers) => Task.WhenAll(
        Enumerable.Range(0, callers)
            .Select(_ => cache.GetOrCreateAsync("key", gate.Run, new() { Flags = flags }, cancellationToken: Token).AsTask())
            .ToArray());

    private static ValueTask<string?> Look(HybridCache cache) =>
        cache.GetOrCreateAsync("key", Counter.Nothing<string?>, Counter.Look, cancellationToken: Token);
}
