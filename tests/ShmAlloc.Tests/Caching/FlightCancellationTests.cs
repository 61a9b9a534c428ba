using ShmAlloc.Caching;

namespace ShmAlloc.Tests.Caching;

/// <summary>What is cancelled by whom, and whose matter that is.</summary>
public sealed class FlightCancellationTests : IDisposable
{
    private static readonly CacheFlightOptions Patient = new() { WaitLimit = TimeSpan.FromMinutes(10) };

    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    private readonly ManualClock _clock = new();
    private readonly TestCache _test;

    public FlightCancellationTests() => _test = new TestCache(new SharedCacheOptions { Clock = _clock });

    private SharedCache Cache => _test.Cache;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _test.Dispose();

    /// <summary>A factory may be written for one caller, and use that one's token.</summary>
    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public async Task Who_waits_for_the_factory_of_a_caller_that_is_cancelled_works_itself(bool isSynchronous, bool isPrivate)
    {
        SharedCache cache = isPrivate ? ReaderOfExpired() : Cache;
        using CancellationTokenSource leaves = new();
        var first = cache.GetOrAddAsync("key", async (_, _) => await Endless(leaves.Token), default, Patient, leaves.Token).AsTask();
        var calls = 0;
        var others = Enumerable.Range(0, 4).Select(_ => isSynchronous
            ? Task.Run(() => cache.GetOrAdd("key", _ => Made(), default, Patient))
            : cache.GetOrAddAsync("key", (_, _) => ValueTask.FromResult(Made()), default, Patient, Cancellation).AsTask()).ToList();
        Assert.True(SpinWait.SpinUntil(() => CallersOf(cache) == 5, Long));
        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Assert.All(await Task.WhenAll(others), value => Assert.Equal([1], value));
        Assert.True(isPrivate || calls == 1);

        byte[] Made()
        {
            Interlocked.Increment(ref calls);
            return [1];
        }
    }

    /// <summary>As a request does that has its answer already.</summary>
    [Fact]
    public async Task Who_waits_for_a_refresh_that_is_cancelled_by_the_token_of_its_caller_works_itself()
    {
        var options = new CacheEntryOptions { Lifetime = TimeSpan.FromSeconds(10), RefreshAfter = TimeSpan.FromSeconds(1), StaleFor = TimeSpan.FromHours(1) };
        Cache.Set("key"u8, "old"u8, options);
        _clock.Advance(2000);
        using CancellationTokenSource leaves = new();
        var value = await Cache.GetOrAddAsync("key", async (_, _) => await Endless(leaves.Token), options, Patient, leaves.Token);
        Assert.Equal("old"u8.ToArray(), value);
        Assert.True(SpinWait.SpinUntil(() => CallersOf(Cache) == 1, Long));
        _clock.Advance(10_000);
        var other = Cache.GetOrAddAsync("key", (_, _) => ValueTask.FromResult<byte[]>([1]), options, Patient, Cancellation).AsTask();
        Assert.Equal(2, CallersOf(Cache));
        await leaves.CancelAsync();
        Assert.Equal([1], await other);
    }

    /// <summary>So there is no pause after it, in which those who take a stale value would not try again.</summary>
    [Fact]
    public async Task A_caller_that_is_cancelled_has_not_failed()
    {
        var options = new CacheEntryOptions { Lifetime = TimeSpan.FromSeconds(10), StaleFor = TimeSpan.FromHours(1) };
        Cache.Set("key"u8, "old"u8, options);
        _clock.Advance(10_000);
        using CancellationTokenSource leaves = new();
        TaskCompletionSource ends = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var first = Cache.GetOrAddAsync("key", (_, _) => CancelledAsync(), options, Patient, leaves.Token).AsTask();
        var second = Cache.GetOrAddAsync("key", (_, _) => ValueTask.FromResult<byte[]>([1]), options, Patient, Cancellation).AsTask();
        Assert.Equal(2, CallersOf(Cache));
        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        ends.SetResult();
        Assert.Equal([1], await second);

        async ValueTask<byte[]> CancelledAsync()
        {
            await ends.Task;

            // Of a token that was made of the caller's, as libraries do.
            throw new TaskCanceledException();
        }
    }

    /// <summary>Of a client whose time is over, say: its token is no caller's.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_time_limit_of_the_factory_is_a_failure_and_shared(bool isSynchronous)
    {
        TaskCompletionSource ends = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenSource timeout = new();
        using CancellationTokenSource unused = new();
        var calls = 0;
        var callers = Enumerable.Range(0, 4).Select(_ => isSynchronous
            ? Task.Run(() => Cache.GetOrAdd("key", _ => TimesOut().AsTask().GetAwaiter().GetResult(), default, Patient))
            : Cache.GetOrAddAsync("key", (_, _) => TimesOut(), default, Patient, unused.Token).AsTask()).ToList();
        Assert.True(SpinWait.SpinUntil(() => CallersOf(Cache) == 4, Long));
        await timeout.CancelAsync();
        ends.SetResult();
        foreach (var caller in callers)
        {
            var thrown = await Assert.ThrowsAsync<TaskCanceledException>(() => caller);
            Assert.Equal(timeout.Token, thrown.CancellationToken);
        }

        Assert.Equal(1, calls);
        Assert.Equal([1], _test.OpenElsewhere(new SharedCacheOptions { Clock = _clock }).GetOrAdd("key", _ => [1], default, Patient));

        async ValueTask<byte[]> TimesOut()
        {
            Interlocked.Increment(ref calls);
            await ends.Task;
            throw new TaskCanceledException("The time is over.", new TimeoutException(), timeout.Token);
        }
    }

    private SharedCache ReaderOfExpired()
    {
        Cache.Set("key"u8, "old"u8, new() { Lifetime = TimeSpan.FromMilliseconds(100) });
        _clock.Advance(100);
        return _test.OpenReadOnly(new SharedCacheOptions { Clock = _clock });
    }

    private static int CallersOf(SharedCache cache)
    {
        lock (cache.Heap.PrivateFlights.Gate)
        {
            return (cache.Heap.OwnFlights.Registered.Values.SingleOrDefault() ?? cache.Heap.PrivateFlights.FindOnly())?.Callers ?? 0;
        }
    }

    private static async Task<byte[]> Endless(CancellationToken cancellation)
    {
        await Task.Delay(Timeout.Infinite, cancellation);
        return [];
    }
}
