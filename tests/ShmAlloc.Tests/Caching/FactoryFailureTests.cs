using ShmAlloc.Caching;

namespace ShmAlloc.Tests.Caching;

/// <summary>A factory that fails is told of, also where every caller has a value all the same.</summary>
public sealed class FactoryFailureTests : IDisposable
{
    private const int Life = 100;

    private static readonly CacheFlightOptions Stale = new() { AllowStale = true, WaitLimit = TimeSpan.FromMinutes(10) };

    private readonly ManualClock _clock = new();
    private readonly List<CacheFactoryFailure> _told = [];
    private readonly TestCache _test;
    private Action<CacheFactoryFailure>? _listener;

    public FactoryFailureTests() => _test = new TestCache(new SharedCacheOptions { Clock = _clock, OnFactoryFailed = Listen });

    private SharedCache Cache => _test.Cache;

    private static CacheEntryOptions Lasting =>
        new() { Lifetime = TimeSpan.FromMilliseconds(Life), RefreshAfter = TimeSpan.FromMilliseconds(Life / 2), StaleFor = TimeSpan.FromHours(1) };

    public void Dispose() => _test.Dispose();

    [Fact]
    public async Task A_refresh_in_the_background_that_fails_is_told_of_and_counted()
    {
        TaskCompletionSource<CacheFactoryFailure> told = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _listener = told.SetResult;
        Cache.Set("key", "old"u8, Lasting);
        _clock.Advance(Life / 2);
        var value = await Cache.GetOrAddAsync("key", (_, _) => throw new TimeoutException("slow"), Lasting, default, TestContext.Current.CancellationToken);
        Bytes.Equal("old"u8, value);
        var failure = await told.Task.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        Assert.Same(Cache, failure.Cache);
        Bytes.Equal("key"u8, failure.Key.Span);
        Assert.Equal("slow", Assert.IsType<TimeoutException>(failure.Exception).Message);
        Assert.Equal("default: key: TimeoutException: slow", failure.ToString());
        Assert.Equal(1, Cache.GetStatistics().FailedFlights);
    }

    [Fact]
    public void A_factory_in_whose_place_a_stale_value_was_returned_is_told_of()
    {
        Cache.Set("key", "old"u8, Lasting);
        _clock.Advance(Life);
        Bytes.Equal("old"u8, Cache.GetOrAdd("key", _ => throw new TimeoutException(), Lasting, Stale));
        Assert.IsType<TimeoutException>(Assert.Single(_told).Exception);

        // Nobody tries again yet.
        Bytes.Equal("old"u8, Cache.GetOrAdd("key", _ => throw new NotSupportedException(), Lasting, Stale));
        Assert.Single(_told);
        Assert.Equal((1, 1), (Cache.GetStatistics().FailedFlights, _test.OpenElsewhere().GetStatistics().FailedFlights));
    }

    [Fact]
    public void An_exception_that_is_thrown_to_the_caller_is_told_of_once()
    {
        Assert.Throws<TimeoutException>(() => Cache.GetOrAdd("key", _ => throw new TimeoutException()));
        Assert.Throws<InvalidOperationException>(() => Cache.GetOrAdd("key", _ => null!));
        Assert.Equal([typeof(TimeoutException), typeof(InvalidOperationException)], _told.Select(failure => failure.Exception.GetType()));
        Assert.Equal([1], Cache.GetOrAdd("key", _ => [1]));
        Assert.Equal((2, 2), (_told.Count, Cache.GetStatistics().FailedFlights));
    }

    [Fact]
    public async Task What_the_listener_throws_changes_nothing()
    {
        _listener = _ => throw new NotSupportedException();
        Assert.Throws<TimeoutException>(() => Cache.GetOrAdd("key", _ => throw new TimeoutException()));
        await Assert.ThrowsAsync<TimeoutException>(async () => await Cache.GetOrAddAsync(
            "key", (_, _) => throw new TimeoutException(), default, default, TestContext.Current.CancellationToken));
        Cache.Set("stale", "old"u8, Lasting);
        _clock.Advance(Life);
        Bytes.Equal("old"u8, Cache.GetOrAdd("stale", _ => throw new TimeoutException(), Lasting, Stale));
        Assert.Equal([1], Cache.GetOrAdd("key", _ => [1]));
        Assert.Equal(3, Cache.GetStatistics().FailedFlights);
        SpinWait.SpinUntil(() => Cache.Heap.OwnFlights.Registered.IsEmpty);
        _test.AssertNothingIsLost();
    }

    [Fact]
    public async Task A_factory_that_succeeds_after_its_last_caller_has_left_has_not_failed()
    {
        using CancellationTokenSource leaving = new();
        TaskCompletionSource<byte[]> work = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var call = Cache.GetOrAddAsync("key", Work, default, default, leaving.Token).AsTask();
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        work.SetResult([1]);
        await ended.Task;

        // The next failure comes after what would have been told of that one.
        Assert.Throws<TimeoutException>(() => Cache.GetOrAdd("other", _ => throw new TimeoutException()));
        SpinWait.SpinUntil(() => _told.Count > 1, TimeSpan.FromMilliseconds(200));
        Bytes.Equal("other"u8, Assert.Single(_told).Key.Span);
        Assert.Equal(1, Cache.GetStatistics().FailedFlights);

        async ValueTask<byte[]> Work(string key, CancellationToken abandoned)
        {
            var value = await work.Task;
            ended.SetResult();
            return value;
        }
    }

    /// <summary>Others may work by then.</summary>
    [Fact]
    public void The_listener_may_work_out_the_value_that_has_failed()
    {
        _listener = failure => Assert.Equal([7], failure.Cache.GetOrAdd("key", _ => [7]));
        Assert.Throws<TimeoutException>(() => Cache.GetOrAdd("key", _ => throw new TimeoutException()));
        Assert.Equal([7], Cache.Get("key"));
    }

    [Fact]
    public async Task A_factory_that_nobody_wanted_any_more_has_not_failed()
    {
        using CancellationTokenSource leaving = new();
        TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var call = Cache.GetOrAddAsync("key", Work, default, default, leaving.Token).AsTask();
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await ended.Task;
        SpinWait.SpinUntil(() => Cache.Heap.OwnFlights.Registered.IsEmpty);
        Assert.Throws<TimeoutException>(() => Cache.GetOrAdd("other", _ => throw new TimeoutException()));
        Bytes.Equal("other"u8, Assert.Single(_told).Key.Span);
        Assert.Equal(1, Cache.GetStatistics().FailedFlights);

        async ValueTask<byte[]> Work(string key, CancellationToken abandoned)
        {
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, abandoned);
            }
            finally
            {
                ended.SetResult();
            }

            return [1];
        }
    }

    [Fact]
    public void A_flight_that_is_given_up_is_counted_and_one_that_is_completed_is_not()
    {
        Assert.Equal(CacheStatus.Ok, Cache.BeginFlight("key", out var flight));
        flight!.Dispose();
        flight.Dispose();
        Assert.Equal(1, Cache.GetStatistics().FailedFlights);
        Assert.Equal(CacheStatus.Ok, Cache.BeginFlight("key", out flight));
        Assert.Equal(CacheFlightOutcome.Stored, flight!.Complete("value"u8, new() { Tags = [] }));
        flight.Dispose();
        Assert.Equal((1, 1), (Cache.GetStatistics().FailedFlights, Cache.GetProcessStatistics().FailedFlights));
        Assert.Empty(_told);
    }

    private void Listen(CacheFactoryFailure failure)
    {
        lock (_told)
        {
            _told.Add(failure);
        }

        _listener?.Invoke(failure);
    }
}
