using Microsoft.Extensions.DependencyInjection;
using ShmAlloc.Extensions.Worker;

namespace ShmAlloc.FusionCache.Tests;

/// <summary>Locks within one process; between processes they are the same.</summary>
public sealed class LockerTests : IAsyncDisposable
{
    private readonly TemporaryHeapPath _path = new();
    private readonly Fused _application;
    private readonly Locker _locker;

    public LockerTests()
    {
        _application = Fused.Start(_path.Value);
        _locker = new Locker(_application.Services.GetRequiredService<FusionSpace>());
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _application.DisposeAsync();
        _path.Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(30)]
    public async Task A_lock_that_somebody_has_is_not_had_in_time(int milliseconds)
    {
        var held = await Acquire("key");
        Assert.NotNull(held);
        Assert.Null(await Acquire("key", TimeSpan.FromMilliseconds(milliseconds)));
        Assert.Null(AcquireSync("key", TimeSpan.FromMilliseconds(milliseconds)));
        await Release("key", held);
        held = AcquireSync("key", TimeSpan.FromMilliseconds(milliseconds));
        Assert.NotNull(held);
        await Release("key", held);
    }

    [Fact]
    public async Task Locks_of_other_names_and_caches_are_others()
    {
        var held = await Acquire("key");
        Assert.NotNull(await Acquire("other", TimeSpan.Zero));
        Assert.NotNull(await _locker.AcquireLockAsync("another cache", "", "", "key", "key", TimeSpan.Zero, null, Token));
        Assert.Null(await Acquire("key", TimeSpan.Zero));
        await Release("key", held);
    }

    [Fact]
    public async Task Of_many_who_wait_each_has_it_once_and_alone()
    {
        const int many = 30;
        var holders = 0;
        var turns = 0;
        await Task.WhenAll(Enumerable.Range(0, many).Select(index => Task.Run(
            async () =>
            {
                var held = await Acquire("key", Timeout.InfiniteTimeSpan);
                Assert.NotNull(held);
                Assert.Equal(1, Interlocked.Increment(ref holders));
                await Task.Yield();
                turns++;
                Assert.Equal(0, Interlocked.Decrement(ref holders));
                await Release("key", held);
            },
            Token)));
        Assert.Equal(many, turns);
    }

    /// <summary>Neither one that was had at once, nor one that was waited for in this process, nor a wait in vain.</summary>
    [Fact]
    public async Task A_lock_that_was_released_is_no_failure_and_the_next_one_has_it()
    {
        var held = await Acquire("key");
        Task<object?>[] waiting = [Acquire("key"), Acquire("key"), Acquire("key")];
        Assert.Null(await Acquire("key", TimeSpan.FromMilliseconds(30)));
        await Release("key", held);
        for (var count = waiting.Length; count != 0; count--)
        {
            var next = await Task.WhenAny(waiting).WaitAsync(Patience.ForAStep, Token);
            await Release("key", await next);
            waiting = [.. waiting.Where(other => other != next)];
            Assert.All(waiting, other => Assert.False(other.IsCompletedSuccessfully && other.Result == null));
        }

        var space = _application.Services.GetRequiredService<FusionSpace>();
        Assert.Equal(0, space.Current!.GetStatistics().FailedFlights);
    }

    [Fact]
    public async Task A_caller_who_leaves_does_not_get_it_later()
    {
        // One who has left may be too slow to take it: so there are some, and others who wait like them, but less long than until a lock is taken over.
        const int many = 10;
        var limit = TimeSpan.FromSeconds(25);
        var held = await Acquire("key");
        using CancellationTokenSource leaving = new();
        var waiting = Enumerable.Range(0, many)
            .Select(_ => _locker.AcquireLockAsync("cache", "", "", "key", "key", Timeout.InfiniteTimeSpan, null, leaving.Token).AsTask())
            .ToList();
        await leaving.CancelAsync();
        foreach (var left in waiting)
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        }

        for (var turn = 0; turn < many; turn++)
        {
            var next = Acquire("key", limit);
            await Release("key", held);
            held = await next;
            Assert.NotNull(held);
        }

        await Release("key", held);
    }

    [Fact]
    public async Task Without_shared_memory_there_are_no_locks()
    {
        await using var application = Fused.Start("/dev/null");
        Locker locker = new(application.Services.GetRequiredService<FusionSpace>());
        Assert.Null(await locker.AcquireLockAsync("cache", "", "", "key", "key", Timeout.InfiniteTimeSpan, null, Token));
        await locker.ReleaseLockAsync("cache", "", "", "key", "key", null, null, Token);

        // Each works for himself.
        Assert.Equal(36, (await application.DoAsync("create key")).Length);
    }

    private object? AcquireSync(string name, TimeSpan timeout) => _locker.AcquireLock("cache", "", "", name, name, timeout, null, Token);

    private async Task<object?> Acquire(string name, TimeSpan? timeout = null) =>
        await _locker.AcquireLockAsync("cache", "", "", name, name, timeout ?? Timeout.InfiniteTimeSpan, null, Token);

    private async Task Release(string name, object? held) => await _locker.ReleaseLockAsync("cache", "", "", name, name, held, null, Token);
}
