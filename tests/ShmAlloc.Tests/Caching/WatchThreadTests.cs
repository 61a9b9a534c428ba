using ShmAlloc.Caching;

namespace ShmAlloc.Tests.Caching;

/// <summary>Where callers go on that have awaited a flight of another process.</summary>
public sealed class WatchThreadTests : IDisposable
{
    private static readonly CacheFlightOptions Patient = new() { WaitLimit = Timeout.InfiniteTimeSpan };

    private readonly TestCache _test = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _test.Dispose();

    /// <summary>A caller that goes on there can give the thread away, or change it.</summary>
    [Fact]
    public async Task What_a_caller_does_to_the_thread_in_which_it_went_on_harms_no_other_caller()
    {
        var elsewhere = _test.OpenElsewhere();
        Thread? lent = null;
        for (var tries = 0; tries < 10_000 && lent is not { IsThreadPoolThread: false }; tries++)
        {
            Assert.Equal(CacheStatus.Ok, _test.Cache.BeginFlight($"{tries}", out var flight));
            var caller = GoOnAsync($"{tries}");
            Assert.Equal(CacheFlightOutcome.Stored, flight!.Complete([1], default));
            await caller.WaitAsync(TimeSpan.FromMinutes(1), Cancellation);
        }

        Assert.False(lent!.IsThreadPoolThread);
        for (var tries = 0; tries < 50; tries++)
        {
            // If nobody has caught it, the process has ended.
            lent.Interrupt();
            await Task.Delay(1, Cancellation);
        }

        Assert.Equal(CacheStatus.Ok, _test.Cache.BeginFlight("last", out var last));
        var waiting = elsewhere.GetOrAddAsync("last", (_, _) => throw new NotSupportedException(), default, Patient, Cancellation).AsTask();
        Assert.Equal(CacheFlightOutcome.Stored, last!.Complete([2], default));
        Assert.Equal([2], await waiting.WaitAsync(TimeSpan.FromMinutes(1), Cancellation));
        SpinWait.SpinUntil(() => !lent.IsAlive || lent is { IsBackground: true, Priority: ThreadPriority.Normal }, TimeSpan.FromMinutes(1));
        Assert.True(!lent.IsAlive || lent.IsBackground);

        async Task GoOnAsync(string key)
        {
            await elsewhere.GetOrAddAsync(key, (_, _) => throw new NotSupportedException(), default, Patient, Cancellation).ConfigureAwait(false);
            lent = Thread.CurrentThread;
            if (!lent.IsThreadPoolThread)
            {
                lent.IsBackground = false;
                lent.Priority = ThreadPriority.BelowNormal;
            }
        }
    }

    [Fact]
    public async Task A_caller_that_blocks_where_it_goes_on_keeps_nobody_waiting()
    {
        var elsewhere = _test.OpenElsewhere();
        using ManualResetEventSlim mayEnd = new();
        string? where = null;
        var blocking = 0;
        var (first, second, third) = (Begin("first"), Begin("second"), Begin("third"));
        var (blocked, blockedToo, wanted) = (Block(Ask("first")), Block(Ask("second")), Ask("third"));
        Land(first);
        AwaitBlocked(1);

        // In the thread that was woken, not in another one.
        Assert.Equal("ShmAlloc: waits for values", where);
        Land(second);
        AwaitBlocked(2);
        Land(third);
        Assert.Equal([1], await wanted.WaitAsync(TimeSpan.FromMinutes(1), Cancellation));
        for (var number = 0; number < 4; number++)
        {
            var (one, two) = (Begin($"one {number}"), Begin($"two {number}"));
            var (wantsOne, wantsTwo) = (Ask($"one {number}"), Ask($"two {number}"));
            Land(one);
            Assert.Equal([1], await wantsOne.WaitAsync(TimeSpan.FromMinutes(1), Cancellation));
            Land(two);
            Assert.Equal([1], await wantsTwo.WaitAsync(TimeSpan.FromMinutes(1), Cancellation));
        }

        Assert.False(blocked.IsCompleted);
        mayEnd.Set();
        await Task.WhenAll(blocked, blockedToo);

        // It comes back, and then callers go on in the thread that was woken again.
        var last = "";
        for (var tries = 0; tries < 10_000 && last != "ShmAlloc: waits for values"; tries++)
        {
            var flight = Begin($"last {tries}");
            var named = Name(Ask($"last {tries}"));
            Land(flight);
            last = await named;
        }

        Assert.Equal("ShmAlloc: waits for values", last);

        async Task Block(Task<byte[]> wanted)
        {
            await wanted.ConfigureAwait(false);
            where = Thread.CurrentThread.Name;
            Interlocked.Increment(ref blocking);
            mayEnd.Wait(Cancellation);
        }

        void AwaitBlocked(int count) => Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref blocking) == count, TimeSpan.FromMinutes(1)));

        async Task<string?> Name(Task<byte[]> wanted)
        {
            await wanted.ConfigureAwait(false);
            return Thread.CurrentThread.Name;
        }

        Task<byte[]> Ask(string key) => elsewhere.GetOrAddAsync(key, (_, _) => throw new NotSupportedException(), default, Patient, Cancellation).AsTask();

        CacheFlight Begin(string key)
        {
            Assert.Equal(CacheStatus.Ok, _test.Cache.BeginFlight(key, out var flight));
            return flight!;
        }

        void Land(CacheFlight flight) => Assert.Equal(CacheFlightOutcome.Stored, flight.Complete([1], default));
    }

    [Fact]
    public async Task Of_many_that_end_at_once_all_go_on_although_each_blocks_until_all_do()
    {
        const int callers = 6;
        var elsewhere = _test.OpenElsewhere();
        Assert.Equal(CacheStatus.Ok, _test.Cache.BeginFlight("key", out var flight));
        using CountdownEvent missing = new(callers);
        var all = Enumerable.Range(0, callers).Select(_ => GoOn(
            elsewhere.GetOrAddAsync("key", (_, _) => throw new NotSupportedException(), default, Patient, Cancellation).AsTask())).ToList();
        Assert.Equal(callers, elsewhere.Heap.FlightWatch.Waiting);
        Assert.Equal(CacheFlightOutcome.Stored, flight!.Complete([1], default));
        await Task.WhenAll(all).WaitAsync(TimeSpan.FromMinutes(1), Cancellation);

        async Task GoOn(Task<byte[]> wanted)
        {
            Assert.Equal([1], await wanted.ConfigureAwait(false));
            missing.Signal();
            missing.Wait(Cancellation);
        }
    }
}
