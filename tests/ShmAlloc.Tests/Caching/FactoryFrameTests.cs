using System.Reflection;
using ShmAlloc.Caching;

namespace ShmAlloc.Tests.Caching;

/// <summary>Which factory a call belongs to, so that it does not wait for itself: also through factories that have ended, or refresh.</summary>
public sealed class FactoryFrameTests : IDisposable
{
    private static readonly CacheFlightOptions Hasty = new() { WaitLimit = TimeSpan.Zero };

    private static readonly CacheFlightOptions Limited = new() { WaitLimit = TimeSpan.FromSeconds(1) };

    private readonly TestCache _test = new();

    private SharedCache Cache => _test.Cache;

    public void Dispose() => _test.Dispose();

    /// <summary>It is worked out in the caller's thread, which waits for it although there is a value.</summary>
    [Fact]
    public void A_refresh_in_the_thread_of_a_factory_does_not_wait_for_that_factory()
    {
        ManualClock clock = new();
        using TestCache test = new(new SharedCacheOptions { Clock = clock });
        CacheEntryOptions due = new() { Lifetime = TimeSpan.FromHours(1), RefreshAfter = TimeSpan.FromMilliseconds(1) };
        test.Cache.Set("due", "old"u8, due);
        clock.Advance(10);
        var runs = 0;
        Exception? told = null;
        var value = test.Cache.GetOrAdd("outer", _ =>
        {
            runs++;
            return test.Cache.GetOrAdd("due", Refresh, due, Limited with { RefreshesInline = true });
        });
        Assert.IsType<InvalidOperationException>(told);
        Bytes.Equal("old"u8, value);
        Assert.Equal(1, runs);

        byte[] Refresh(string key)
        {
            try
            {
                return test.Cache.GetOrAdd("outer", _ => [(byte)++runs], default, Limited);
            }
            catch (InvalidOperationException exception)
            {
                told = exception;
                throw;
            }
        }
    }

    /// <summary>It belongs to the factory that still runs.</summary>
    [Fact]
    public async Task What_a_factory_has_started_that_has_ended_does_not_wait_for_the_factory_around_it()
    {
        TaskCompletionSource go = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<byte[]>? started = null;
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await Cache.GetOrAddAsync("outer", OuterAsync, default, default, Cancellation));

        async ValueTask<byte[]> OuterAsync(string key, CancellationToken abandoned)
        {
            await Cache.GetOrAddAsync("inner", Inner, default, default, abandoned);
            go.SetResult();
            return await started!;
        }

        ValueTask<byte[]> Inner(string key, CancellationToken abandoned)
        {
            started = Task.Run(AskAsync, Cancellation);
            return ValueTask.FromResult<byte[]>([1]);
        }

        async Task<byte[]> AskAsync()
        {
            await go.Task;
            return await Cache.GetOrAddAsync("outer", (_, _) => ValueTask.FromResult<byte[]>([2]), default, Limited, Cancellation);
        }
    }

    /// <summary>Who does not wait works, also within its own factory; but not again and again, until there is no stack left.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_factory_that_asks_for_its_own_key_and_does_not_wait_does_so_once(bool isPrivate)
    {
        var cache = isPrivate ? _test.OpenReadOnly() : Cache;
        var runs = 0;
        Assert.Throws<InvalidOperationException>(() => Ask("key"));
        Assert.Equal(3, runs);

        byte[] Ask(string key) => ++runs < 10 ? cache.GetOrAdd(key, Work, default, Hasty) : [1];

        byte[] Work(string key) => runs < 10 ? Ask(key) : [1];
    }

    /// <summary>It takes the stale value, however long it has been at work itself.</summary>
    [Fact]
    public void A_factory_does_not_take_over_from_itself_where_there_is_a_stale_value()
    {
        ManualClock clock = new();
        using TestCache test = new(new SharedCacheOptions { Clock = clock });
        test.Cache.Set("key", "old"u8, new CacheEntryOptions { Lifetime = TimeSpan.FromMilliseconds(1), StaleFor = TimeSpan.FromHours(1) });
        clock.Advance(10);
        var runs = 0;
        CacheFlightOptions stale = new() { AllowStale = true, WaitLimit = TimeSpan.FromTicks(1) };
        Bytes.Equal("new"u8, test.Cache.GetOrAdd("key", Work, default, stale));
        Assert.Equal(1, runs);

        byte[] Work(string key)
        {
            runs++;
            Bytes.Equal("old"u8, test.Cache.GetOrAdd(key, _ => "newer"u8.ToArray(), default, stale));
            Bytes.Equal("old"u8, test.Cache.GetOrAdd(key, _ => "newest"u8.ToArray(), default, stale));
            return "new"u8.ToArray();
        }
    }

    /// <summary>Between the leaving of its last caller and the end of its word somebody may find it.</summary>
    [Fact]
    public void Who_waits_for_a_flight_that_nobody_wants_any_more_does_not_wait_for_what_that_one_waits_for()
    {
        LocalFlight asks = new([1]);
        LocalFlight abandoned = new([2]);
        var frame = abandoned.Enter(isAwaited: false);
        Assert.Same(abandoned, LocalFlight.BeginWait(asks));
        LocalFlight.Exit(frame);
        frame = asks.Enter(isAwaited: false);
        Assert.True(LocalFlight.WouldWaitForItself(abandoned));
        abandoned.Leave();
        Assert.False(LocalFlight.WouldWaitForItself(abandoned));
        LocalFlight.EndWait(LocalFlight.BeginWait(abandoned), abandoned);
        LocalFlight.Exit(frame);
    }

    [Fact]
    public void A_factory_that_starts_the_next_one_leaves_no_chain_of_those_that_have_ended()
    {
        const int ticks = 1000;
        var working = (AsyncLocal<LocalFlight.Frame?>)typeof(LocalFlight).GetField("Working", BindingFlags.Static | BindingFlags.NonPublic)!.GetValue(null)!;
        using ManualResetEventSlim end = new();
        var (count, frames) = (0, 0);
        Tick();
        Assert.True(end.Wait(TimeSpan.FromMinutes(1), Cancellation));
        Assert.InRange(frames, 1, 10);

        void Tick()
        {
            Cache.Remove("key");
            Cache.GetOrAdd("key", Work);
        }

        byte[] Work(string key)
        {
            if (++count < ticks)
            {
                ThreadPool.QueueUserWorkItem(_ => Tick());
                return [1];
            }

            for (var frame = working.Value; frame != null; frame = frame.Before)
            {
                frames++;
            }

            end.Set();
            return [1];
        }
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;
}
