using Microsoft.Extensions.DependencyInjection;
using ShmAlloc.Extensions.Worker;
using ZiggyCreatures.Caching.Fusion;

namespace ShmAlloc.FusionCache.Tests;

/// <summary>What FusionCache promises, with all its shared parts in shared memory: two applications over one file, and a cold one where it matters.</summary>
public sealed class BehaviourTests : IDisposable
{
    private static readonly TimeSpan Long = TimeSpan.FromHours(1);
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);

    private readonly TemporaryHeapPath _path = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _path.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_factory_that_fails_is_spared_by_what_has_expired_also_in_a_cold_process(bool isCold)
    {
        await using var one = Fused.Start(_path.Value);
        await one.Cache.SetAsync("key", "old", Spared(Moment), token: Token);
        await using var other = isCold ? Fused.Start(_path.Value) : null;
        var cache = (other ?? one).Cache;
        await ProcessTests.Eventually(async () => !(await cache.TryGetAsync<string>("key", token: Token)).HasValue);
        Assert.Equal("old", await cache.GetOrSetAsync<string>("key", (_, _) => throw new IOException("The backend fails."), Spared(Long), token: Token));

        // Without that it is the caller's.
        await Assert.ThrowsAsync<IOException>(async () => await cache.GetOrSetAsync<string>(
            "another key", (_, _) => throw new IOException("The backend fails."), new FusionCacheEntryOptions(Long), token: Token));
    }

    [Fact]
    public async Task A_factory_that_takes_too_long_goes_on_and_all_have_what_comes_of_it()
    {
        await using var one = Fused.Start(_path.Value);
        await using var other = Fused.Start(_path.Value);
        await one.Cache.SetAsync("key", "old", Spared(Moment), token: Token);
        await ProcessTests.Eventually(async () => !(await one.Cache.TryGetAsync<string>("key", token: Token)).HasValue);
        TaskCompletionSource<string> gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var impatient = Spared(Long).SetFactoryTimeouts(softTimeout: Moment, keepTimedOutFactoryResult: true);
        Assert.Equal("old", await one.Cache.GetOrSetAsync<string>("key", (_, _) => gate.Task, impatient, token: Token));
        gate.SetResult("new");
        await ProcessTests.Eventually(async () => await one.DoAsync("get key") == "new");
        await ProcessTests.Eventually(async () => await other.DoAsync("get key") == "new");
    }

    [Fact]
    public async Task A_hard_limit_of_a_factory_counts_where_there_is_nothing_else()
    {
        await using var one = Fused.Start(_path.Value);
        TaskCompletionSource<string> gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var impatient = new FusionCacheEntryOptions(Long).SetFactoryTimeouts(hardTimeout: Moment);
        await Assert.ThrowsAsync<SyntheticTimeoutException>(async () => await one.Cache.GetOrSetAsync<string>("key", (_, _) => gate.Task, impatient, token: Token));
        gate.SetResult("late");
    }

    [Fact]
    public async Task A_value_that_is_due_soon_is_worked_out_ahead_and_meanwhile_everybody_has_the_old_one()
    {
        await using var one = Fused.Start(_path.Value);
        await using var other = Fused.Start(_path.Value);
        var eager = new FusionCacheEntryOptions(Long).SetEagerRefresh(0.000_001f);
        await one.Cache.SetAsync("key", "old", eager, token: Token);
        TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource<string> gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await ProcessTests.Eventually(async () => await Get() != "old" || begun.Task.IsCompleted);
        Assert.Equal("old", await Get());
        Assert.Equal("old", await other.DoAsync("get key"));
        gate.SetResult("new");
        await ProcessTests.Eventually(async () => await one.DoAsync("get key") == "new");
        await ProcessTests.Eventually(async () => await other.DoAsync("get key") == "new");

        async Task<string> Get() => await one.Cache.GetOrSetAsync<string>(
            "key",
            (_, _) =>
            {
                begun.TrySetResult();
                return gate.Task;
            },
            eager,
            token: Token);
    }

    /// <summary>What was set, or removed, while there was no shared memory, the others learn when it is back.</summary>
    [Theory]
    [InlineData("set key new", "new")]
    [InlineData("remove key", "-")]
    public async Task What_was_done_without_shared_memory_is_made_up_for(string change, string expected)
    {
        await using var other = Fused.Start(_path.Value);
        await other.DoAsync("set key old");

        // The file of this one is no heap at first.
        var path = _path.Value + "-later";
        await File.WriteAllTextAsync(path, "no heap", Token);
        await using var away = Fused.Start(
            path, options => options.IgnoreFailedInvalidations = true, fusion: options => options.AutoRecoveryDelay = TimeSpan.FromMilliseconds(50));
        await away.DoAsync(change);
        File.Delete(path);
        File.Move(_path.Value, path);
        away.Services.GetRequiredService<FusionSpace>().Space.Look();
        await using var cold = Fused.Start(path);
        await ProcessTests.Eventually(async () => await cold.DoAsync("get key") == expected);
    }

    [Fact]
    public async Task A_cold_process_does_not_see_what_was_cleared()
    {
        await using (var one = Fused.Start(_path.Value))
        {
            await one.DoAsync("set key value");
            await one.DoAsync("set tagged value tag");
            await one.DoAsync("clear");
            await one.DoAsync("set later value");
        }

        await using var cold = Fused.Start(_path.Value);
        Assert.Equal("-", await cold.DoAsync("get key"));
        Assert.Equal("-", await cold.DoAsync("get tagged"));
        Assert.Equal("value", await cold.DoAsync("get later"));
    }

    /// <summary>A tag that was removed again and again, by either, counts for what was set before, and for nothing that was set after.</summary>
    [Fact]
    public async Task Tags_come_and_go_between_processes_and_a_cold_one_agrees()
    {
        await using var one = Fused.Start(_path.Value);
        await using var other = Fused.Start(_path.Value);
        for (var turn = 0; turn < 5; turn++)
        {
            var (mine, theirs) = turn % 2 == 0 ? (one, other) : (other, one);
            await mine.DoAsync("set a value x");
            await mine.DoAsync("set b value y");
            await ProcessTests.Eventually(async () => await theirs.DoAsync("get a") == "value");
            await theirs.DoAsync("tag x");
            await ProcessTests.Eventually(async () => await mine.DoAsync("get a") == "-");
            Assert.Equal("value", await mine.DoAsync("get b"));
            await using var cold = Fused.Start(_path.Value);
            Assert.Equal("-", await cold.DoAsync("get a"));
            Assert.Equal("value", await cold.DoAsync("get b"));
        }
    }

    /// <summary>The lock of a key with a prefix is one for all with that prefix, and no other's.</summary>
    [Fact]
    public async Task Locks_of_caches_with_other_prefixes_are_others()
    {
        await using var holder = WithPrefix("a:");
        await using var same = WithPrefix("a:");
        await using var another = WithPrefix("b:");
        TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource<string> gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var held = holder.Cache.GetOrSetAsync<string>(
            "key",
            (_, _) =>
            {
                begun.TrySetResult();
                return gate.Task;
            },
            token: Token).AsTask();
        await begun.Task;
        var waiting = same.Cache.GetOrSetAsync<string>("key", (_, _) => throw new InvalidOperationException("It has not waited."), token: Token).AsTask();
        Assert.Equal("b's", await another.Cache.GetOrSetAsync<string>("key", (_, _) => Task.FromResult("b's"), token: Token));
        Assert.False(waiting.IsCompleted);
        gate.SetResult("a's");
        Assert.Equal("a's", await held);
        Assert.Equal("a's", await waiting);
        Assert.Equal("b's", await another.DoAsync("get key"));

        Fused WithPrefix(string prefix) => Fused.Start(_path.Value, fusion: options => options.CacheKeyPrefix = prefix);
    }

    private static FusionCacheEntryOptions Spared(TimeSpan duration) => new FusionCacheEntryOptions(duration)
        .SetFailSafe(true, Long, throttleDuration: Moment)
        .SetDistributedCacheDuration(duration);
}
