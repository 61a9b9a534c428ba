using System.ComponentModel;
using System.Diagnostics;
using Microsoft.Extensions.Caching.Hybrid;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>One factory for many callers: how they come, leave, and what they get.</summary>
public sealed class FlightTests
{
    private const int Callers = 20;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<Peer> Peers => [Peer.Ours, Peer.Microsofts];

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task Many_callers_are_one_execution_and_then_it_is_another(Peer peer)
    {
        using var application = TestApplication.HybridOf(peer);
        var cache = application.Hybrid;
        for (var round = 1; round < 4; round++)
        {
            Gate gate = new();
            var calls = Enumerable.Range(0, Callers).Select(_ => cache.GetOrCreateAsync("key", gate.Run, cancellationToken: Token).AsTask()).ToArray();
            gate.Open($"value {round}");
            Assert.All(await Task.WhenAll(calls), value => Assert.Equal($"value {round}", value));
            Assert.Equal(1, gate.Runs);
            Assert.Equal($"value {round}", await cache.GetOrCreateAsync("key", gate.Run, cancellationToken: Token));
            await cache.RemoveAsync("key", Token);
        }
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task An_exception_reaches_all_of_them_and_the_next_one_works_again(Peer peer)
    {
        using var application = TestApplication.HybridOf(peer);
        Gate gate = new();
        var calls = Enumerable.Range(0, Callers).Select(_ => application.Hybrid.GetOrCreateAsync("key", gate.Run, cancellationToken: Token).AsTask()).ToArray();
        gate.Fail(new InvalidDataException());
        foreach (var call in calls)
        {
            await Assert.ThrowsAsync<InvalidDataException>(() => call);
        }

        Assert.Equal(1, gate.Runs);
        Assert.Equal("next", await application.Hybrid.GetOrCreateAsync("key", _ => ValueTask.FromResult("next"), cancellationToken: Token));
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task When_the_last_has_left_the_factory_is_cancelled(Peer peer)
    {
        using var application = TestApplication.HybridOf(peer);
        Gate gate = new();
        var (calls, sources) = Begin(application.Hybrid, gate);
        await gate.Begun;
        for (var caller = 0; caller < Callers; caller++)
        {
            Assert.False(gate.IsCancelled);
            await sources[caller].CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => calls[caller]);
        }

        await gate.Cancelled;
        Assert.Equal(1, gate.Runs);
        Assert.Equal("next", await application.Hybrid.GetOrCreateAsync("key", _ => ValueTask.FromResult("next"), cancellationToken: Token));
        Array.ForEach(sources, source => source.Dispose());
    }

    /// <summary>Also if the one that stays did not begin it.</summary>
    [Theory]
    [InlineData(Peer.Ours, 0)]
    [InlineData(Peer.Ours, Callers / 2)]
    [InlineData(Peer.Microsofts, 0)]
    [InlineData(Peer.Microsofts, Callers / 2)]
    public async Task As_long_as_one_stays_the_factory_goes_on(Peer peer, int stays)
    {
        using var application = TestApplication.HybridOf(peer);
        Gate gate = new();
        var (calls, sources) = Begin(application.Hybrid, gate);
        await gate.Begun;
        for (var caller = 0; caller < Callers; caller++)
        {
            if (caller != stays)
            {
                await sources[caller].CancelAsync();
                var exception = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => calls[caller]);
                Assert.Equal(sources[caller].Token, exception.CancellationToken);
            }
        }

        Assert.False(gate.IsCancelled);
        gate.Open("value");
        Assert.Equal("value", await calls[stays]);
        Assert.Equal("value", await application.Hybrid.GetOrCreateAsync("key", Counter.Nothing<string>, Counter.Look, cancellationToken: Token));
        Array.ForEach(sources, source => source.Dispose());
    }

    /// <summary>A factory may be written for one caller, and use that one's token.</summary>
    [Theory]
    [InlineData(HybridCacheEntryFlags.None)]
    [InlineData(HybridCacheEntryFlags.DisableDistributedCacheWrite)]
    public async Task A_factory_that_is_cancelled_by_the_token_of_its_caller_cancels_nobody_else(HybridCacheEntryFlags flags)
    {
        using var application = TestApplication.HybridOf(Peer.Ours);
        HybridCacheEntryOptions options = new() { Flags = flags };
        using CancellationTokenSource leaves = new();
        TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var first = application.Hybrid.GetOrCreateAsync("key", _ => Endless(), options, cancellationToken: leaves.Token).AsTask();
        await begun.Task;
        var second = application.Hybrid.GetOrCreateAsync("key", _ => ValueTask.FromResult("value"), options, cancellationToken: Token).AsTask();
        Assert.False(second.IsCompleted);
        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Assert.Equal("value", await second);

        async ValueTask<string> Endless()
        {
            begun.SetResult();
            await Task.Delay(Timeout.Infinite, leaves.Token);
            return "never";
        }
    }

    /// <summary>A caller that comes cancelled gets nothing, and begins nothing.</summary>
    [Theory]
    [MemberData(nameof(Peers))]
    public async Task A_token_is_looked_at_on_entry(Peer peer)
    {
        using var application = TestApplication.HybridOf(peer);
        CancellationToken cancelled = new(canceled: true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await application.Hybrid.GetOrCreateAsync("key", Counter.Nothing<int>, cancellationToken: cancelled));
    }

    /// <summary>Microsoft's may share it; ours does.</summary>
    [Theory]
    [MemberData(nameof(Peers))]
    public async Task Callers_of_one_flight_share_what_nobody_can_change_and_nothing_else(Peer peer)
    {
        using var application = TestApplication.HybridOf(peer);
        var cache = application.Hybrid;
        TaskCompletionSource go = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var frozen = await All(async _ => { await go.Task; return new Frozen { Name = "a" }; });
        var mutable = await All(async _ => { await go.Task; return new Mutable { Name = "a" }; });
        Assert.Single(frozen.Distinct());
        Assert.Equal(Callers, mutable.Distinct().Count());

        async Task<T[]> All<T>(Func<CancellationToken, ValueTask<T>> factory)
        {
            var calls = Enumerable.Range(0, Callers).Select(_ => cache.GetOrCreateAsync(typeof(T).Name, factory, cancellationToken: Token).AsTask()).ToArray();
            go.TrySetResult();
            return await Task.WhenAll(calls);
        }
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task To_ask_for_another_type_meanwhile_is_misuse(Peer peer)
    {
        using var application = TestApplication.HybridOf(peer);
        var cache = application.Hybrid;
        Gate gate = new();
        var first = cache.GetOrCreateAsync("key", gate.Run, cancellationToken: Token).AsTask();
        await gate.Begun;
        await Assert.ThrowsAsync<InvalidOperationException>(
            async () => await cache.GetOrCreateAsync("key", _ => ValueTask.FromResult(1), cancellationToken: Token));
        gate.Open("value");
        Assert.Equal("value", await first);
        Assert.Equal("value", await cache.GetOrCreateAsync("key", Counter.Nothing<string>, Counter.Look, cancellationToken: Token));

        // Afterwards it is a value of another type, as ever.
        Assert.Equal(1, await cache.GetOrCreateAsync("key", _ => ValueTask.FromResult(1), cancellationToken: Token));
    }

    /// <summary>Of Microsoft's only if the caller cannot be cancelled.</summary>
    [Theory]
    [MemberData(nameof(Peers))]
    public async Task The_context_of_the_leader_flows_into_the_factory(Peer peer)
    {
        var token = peer == Peer.Ours ? Token : CancellationToken.None;
        using var application = TestApplication.HybridOf(peer);
        AsyncLocal<string> local = new() { Value = "leader" };
        using var activity = new Activity("request").Start();
        var seen = await application.Hybrid.GetOrCreateAsync(
            "key", _ => ValueTask.FromResult($"{local.Value} {Activity.Current?.RootId}"), cancellationToken: token);
        Assert.Equal($"leader {activity.RootId}", seen);
    }

    /// <summary>What a removal that comes in between has removed is returned to the callers that asked before, and to no others.</summary>
    [Theory]
    [InlineData("key")]
    [InlineData("tag")]
    [InlineData("*")]
    public async Task What_was_removed_meanwhile_is_not_stored_and_not_joined(string what)
    {
        using var application = TestApplication.OwnHybrid();
        var cache = application.Hybrid;
        Gate gate = new();
        var first = cache.GetOrCreateAsync("key", gate.Run, tags: ["tag"], cancellationToken: Token).AsTask();
        await gate.Begun;
        await (what == "key" ? cache.RemoveAsync("key", Token) : cache.RemoveByTagAsync(what, Token));
        var second = cache.GetOrCreateAsync("key", _ => ValueTask.FromResult("new"), tags: ["tag"], cancellationToken: Token).AsTask();
        gate.Open("old");
        Assert.Equal(("old", "new"), (await first, await second));
        Assert.Equal("new", await cache.GetOrCreateAsync("key", Counter.Nothing<string>, Counter.Look, cancellationToken: Token));
    }

    [Fact]
    public async Task A_flight_is_one_for_all_processes()
    {
        using TemporaryHeapPath path = new();
        using var one = TestApplication.SharingHybrid(path);
        using var other = TestApplication.SharingHybrid(path);
        Gate gate = new();
        var first = one.Hybrid.GetOrCreateAsync("key", gate.Run, cancellationToken: Token).AsTask();
        await gate.Begun;
        var second = other.Hybrid.GetOrCreateAsync("key", Counter.Nothing<string>, cancellationToken: Token).AsTask();
        Assert.False(second.IsCompleted);
        gate.Open("value");
        Assert.Equal(("value", "value"), (await first, await second));
        Assert.Equal(1, gate.Runs);
    }

    /// <summary>As after a deployment: what is there is none of the type, and all callers have one factory.</summary>
    [Fact]
    public async Task A_value_of_another_type_is_replaced_by_one_execution()
    {
        using var application = TestApplication.OwnHybrid();
        var cache = application.Hybrid;
        await cache.SetAsync("key", 1, cancellationToken: Token);
        Gate gate = new();
        var (calls, sources) = Begin(cache, gate);
        await gate.Begun;
        gate.Open("value");
        Assert.All(await Task.WhenAll(calls), value => Assert.Equal("value", value));
        Assert.Equal(1, gate.Runs);
        Assert.Equal("value", await cache.GetOrCreateAsync("key", Counter.Nothing<string>, Counter.Look, cancellationToken: Token));
        Array.ForEach(sources, source => source.Dispose());
    }

    /// <summary>A process that waits for another one's flight, and gets what it cannot read, works it out itself.</summary>
    [Fact]
    public async Task Another_process_may_ask_for_another_type()
    {
        using TemporaryHeapPath path = new();
        using var one = TestApplication.SharingHybrid(path);
        using var other = TestApplication.SharingHybrid(path);
        Gate gate = new();
        var first = one.Hybrid.GetOrCreateAsync("key", gate.Run, cancellationToken: Token).AsTask();
        await gate.Begun;
        var second = other.Hybrid.GetOrCreateAsync("key", _ => ValueTask.FromResult(2), cancellationToken: Token).AsTask();
        Assert.False(second.IsCompleted);
        gate.Open("value");
        Assert.Equal("value", await first);
        Assert.Equal(2, await second);
        Assert.Equal(2, await one.Hybrid.GetOrCreateAsync("key", Counter.Nothing<int>, Counter.Look, cancellationToken: Token));
    }

    private static (Task<string>[] Calls, CancellationTokenSource[] Sources) Begin(HybridCache cache, Gate gate)
    {
        var sources = Enumerable.Range(0, Callers).Select(_ => new CancellationTokenSource()).ToArray();
        return ([.. sources.Select(source => cache.GetOrCreateAsync("key", gate.Run, cancellationToken: source.Token).AsTask())], sources);
    }

    [ImmutableObject(true)]
    internal sealed class Frozen
    {
        public string Name { get; init; } = "";
    }

    internal sealed class Mutable
    {
        public string Name { get; set; } = "";
    }
}
