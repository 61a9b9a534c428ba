using ShmAlloc.Caching;
using ShmAlloc.Tests.Support;

namespace ShmAlloc.Tests.Caching;

/// <summary>Values that are worked out once. Nobody here waits for a limit, but where the limit is zero.</summary>
public sealed class GetOrAddTests : IDisposable
{
    private const int Callers = 16;

    private static readonly CacheFlightOptions Patient = new() { WaitLimit = TimeSpan.FromMinutes(10) };
    private static readonly CacheFlightOptions Impatient = new() { WaitLimit = TimeSpan.Zero };
    private static readonly CacheFlightOptions Stale = new() { WaitLimit = TimeSpan.FromMinutes(10), AllowStale = true };

    private readonly ManualClock _clock = new();
    private readonly TestCache _test;

    public GetOrAddTests() => _test = new TestCache(new SharedCacheOptions { Clock = _clock });

    private SharedCache Cache => _test.Cache;

    public void Dispose() => _test.Dispose();

    [Fact]
    public void What_is_missing_is_worked_out_and_stored()
    {
        Bytes.Equal("key!"u8, Cache.GetOrAdd("key", key => System.Text.Encoding.UTF8.GetBytes(key + "!")));
        Bytes.Equal("key!"u8, Cache.Get("key"u8));
        Bytes.Equal("key!"u8, Cache.GetOrAdd("key"u8, 7, _ => throw new NotSupportedException()));
    }

    [Fact]
    public void The_factory_gets_the_state()
    {
        Bytes.Equal("state"u8, Cache.GetOrAdd("key"u8, "state"u8.ToArray(), state => state));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3 << 20)]
    public void The_value_may_have_any_length(int length)
    {
        var value = TestCache.Value(length, 1);
        Assert.Equal(value, Cache.GetOrAdd("key"u8, value, state => state));
        Bytes.Equal(value, Cache.Get("key"u8));
    }

    [Fact]
    public void Of_many_callers_one_works()
    {
        var (calls, started) = (0, 0);
        SharedCache[] caches = [Cache, _test.OpenElsewhere(), _test.OpenElsewhere()];
        Threads.Run(Callers, number =>
        {
            Interlocked.Increment(ref started);
            var value = caches[number % caches.Length].GetOrAdd(
                "key"u8,
                0,
                _ =>
                {
                    SpinWait.SpinUntil(() => Volatile.Read(ref started) == Callers);
                    return [(byte)Interlocked.Increment(ref calls)];
                },
                default,
                Patient);
            Assert.Equal([1], value);
        });
        Assert.Equal(1, calls);
        _test.AssertNothingIsLost();
    }

    [Fact]
    public void The_exception_of_a_factory_is_that_of_all_callers_in_the_process_and_lets_others_work()
    {
        var cancellation = TestContext.Current.CancellationToken;
        using ManualResetEventSlim entered = new();
        using ManualResetEventSlim mayFail = new();
        var calls = 0;
        var join = Threads.Start(1, _ => Assert.Throws<NotSupportedException>(() => Cache.GetOrAdd("key"u8, 0, Fail)));
        entered.Wait(cancellation);
        var shared = Threads.Start(1, _ => Assert.Throws<NotSupportedException>(() => Cache.GetOrAdd("key"u8, 0, Fail, default, Patient)));
        SpinWait.SpinUntil(() => Cache.Heap.OwnFlights.Registered.Values.Any(flight => flight.Callers == 2));
        mayFail.Set();
        join();
        shared();
        Assert.Equal(1, calls);
        Bytes.Equal("value"u8, _test.OpenElsewhere().GetOrAdd("key"u8, 0, _ => "value"u8.ToArray(), default, Patient));
        Bytes.Equal("value"u8, Cache.Get("key"u8));
        _test.AssertNothingIsLost();

        byte[] Fail(int state)
        {
            Interlocked.Increment(ref calls);
            entered.Set();
            mayFail.Wait(cancellation);
            throw new NotSupportedException();
        }
    }

    [Fact]
    public void A_factory_that_gives_null_is_misuse_and_leaves_nothing()
    {
        Assert.Throws<InvalidOperationException>(() => Cache.GetOrAdd("key", _ => null!));
        Bytes.Equal("value"u8, Cache.GetOrAdd("key", _ => "value"u8.ToArray(), default, Patient));
        _test.AssertNothingIsLost();
    }

    [Fact]
    public void While_it_is_worked_out_there_is_no_value()
    {
        Cache.GetOrAdd("key", _ =>
        {
            Assert.Null(Cache.Get("key"u8));
            Assert.False(Cache.Contains("key"u8));
            Assert.Equal(CacheStatus.Missing, Cache.Refresh("key"u8));
            Assert.Empty(Cache.Enumerate());
            Assert.Equal(CacheStatus.Missing, Cache.Lease("key"u8, out CacheLease _));
            Assert.Equal(CacheStatus.Missing, Cache.Replace("key"u8, "value"u8, default));
            return "value"u8.ToArray();
        });
        Bytes.Equal("value"u8, Cache.Get("key"u8));
    }

    [Theory]
    [InlineData("remove")]
    [InlineData("clear")]
    [InlineData("tag")]
    public void What_was_removed_while_it_was_worked_out_is_returned_and_not_stored(string how)
    {
        var value = Cache.GetOrAdd(
            "key",
            _ =>
            {
                Assert.NotEqual(CacheStatus.Contended, how == "remove" ? Cache.Remove("key") : how == "clear" ? Cache.Clear() : Cache.RemoveByTag("tag"));
                return "value"u8.ToArray();
            },
            new() { Tags = (string[])["tag"] });
        Bytes.Equal("value"u8, value);
        Assert.Null(Cache.Get("key"u8));
        _test.AssertNothingIsLost();
    }

    [Theory]
    [InlineData("set")]
    [InlineData("add")]
    public void What_was_set_while_another_value_was_worked_out_stays(string how)
    {
        var value = Cache.GetOrAdd("key", _ =>
        {
            Assert.Equal(CacheStatus.Ok, how == "set" ? Cache.Set("key", "set"u8) : Cache.Add("key"u8, "set"u8));
            return "worked out"u8.ToArray();
        });
        Bytes.Equal("worked out"u8, value);
        Bytes.Equal("set"u8, Cache.Get("key"u8));
        _test.AssertNothingIsLost();
    }

    [Fact]
    public void A_factory_may_use_the_cache_for_other_keys()
    {
        var value = Cache.GetOrAdd("outer", _ =>
            Cache.GetOrAdd("middle", _ => Cache.GetOrAdd("inner", _ => "value"u8.ToArray(), default, Patient), default, Patient), default, Patient);
        Bytes.Equal("value"u8, value);
        Assert.Equal(3, Cache.Enumerate().Count());
    }

    [Fact]
    public void Who_has_waited_long_enough_works_by_itself_and_its_value_counts()
    {
        var value = Cache.GetOrAdd("key", _ =>
        {
            Bytes.Equal("other"u8, Cache.GetOrAdd("key", _ => "other"u8.ToArray(), default, Impatient));
            return "late"u8.ToArray();
        });
        Bytes.Equal("late"u8, value);
        Bytes.Equal("other"u8, Cache.Get("key"u8));
        _test.AssertNothingIsLost();
    }

    [Fact]
    public void Who_allows_it_gets_what_has_expired_instead_of_waiting()
    {
        Cache.Set("key"u8, "old"u8, new() { Lifetime = TimeSpan.FromMilliseconds(100), StaleFor = TimeSpan.FromMinutes(1) });
        _clock.Advance(100);
        var value = Cache.GetOrAdd(
            "key",
            _ =>
            {
                Bytes.Equal("old"u8, Cache.GetOrAdd("key", _ => throw new NotSupportedException(), default, Stale));
                Bytes.Equal("old"u8, _test.OpenElsewhere(new SharedCacheOptions { Clock = _clock }).GetOrAdd("key", _ => throw new NotSupportedException(), default, Stale));
                Assert.False(Cache.Contains("key"u8));
                return "new"u8.ToArray();
            },
            default,
            Stale);
        Bytes.Equal("new"u8, value);
        Bytes.Equal("new"u8, Cache.GetOrAdd("key", _ => throw new NotSupportedException(), default, Stale));
    }

    [Fact]
    public void What_a_tag_has_taken_is_never_given_out_as_stale()
    {
        Cache.Set("key"u8, "removed"u8, new() { Tags = (string[])["tag"] });
        Cache.RemoveByTag("tag");
        var value = Cache.GetOrAdd(
            "key",
            _ => Cache.GetOrAdd("key", _ => "new"u8.ToArray(), default, Stale with { WaitLimit = TimeSpan.Zero }),
            default,
            Stale);
        Bytes.Equal("new"u8, value);
    }

    [Fact]
    public void A_placeholder_survives_that_all_else_is_dropped_for_room()
    {
        var value = Cache.GetOrAdd("key", _ =>
        {
            for (var number = 0; number < 100; number++)
            {
                Assert.Equal(CacheStatus.Ok, Cache.Set($"{number}", new byte[300_000]));
            }

            return "value"u8.ToArray();
        });
        Bytes.Equal(value, Cache.Get("key"u8));
    }

    [Fact]
    public void A_value_for_which_there_is_no_room_is_returned_all_the_same()
    {
        TestHeap.Fill(_test.Heap, 1 << 16);
        TestHeap.Fill(_test.Heap, 32);
        Bytes.Equal("value"u8, Cache.GetOrAdd("key", _ => "value"u8.ToArray(), default, Patient));
        Assert.False(Cache.Contains("key"u8));
    }

    [Fact]
    public void A_heap_that_is_disposed_meanwhile_leaves_no_placeholder_to_others()
    {
        var other = _test.OpenElsewhere();
        var value = other.GetOrAdd("key", _ =>
        {
            other.Heap.Dispose();
            return "mine"u8.ToArray();
        });
        Bytes.Equal("mine"u8, value);
        Assert.Equal(1, _test.Heap.GetStatistics().Participants);
        Bytes.Equal("value"u8, Cache.GetOrAdd("key", _ => "value"u8.ToArray(), default, Patient));
        _test.AssertNothingIsLost();
    }

    [Fact]
    public void A_reader_that_may_not_write_works_it_out_for_itself()
    {
        var reader = _test.OpenReadOnly(new SharedCacheOptions { Clock = _clock });
        Bytes.Equal("mine"u8, reader.GetOrAdd("key", _ => "mine"u8.ToArray(), default, Patient));
        Assert.False(Cache.Contains("key"u8));
        Cache.Set("key"u8, "yours"u8);
        Bytes.Equal("yours"u8, reader.GetOrAdd("key", _ => throw new NotSupportedException()));
    }

    [Fact]
    public async Task Of_many_asynchronous_callers_one_works()
    {
        var calls = 0;
        TaskCompletionSource<byte[]> result = new();
        var callers = Enumerable.Range(0, Callers).Select(_ => AskAsync(Work)).ToList();
        result.SetResult("value"u8.ToArray());
        Assert.All(await Task.WhenAll(callers), value => Bytes.Equal("value"u8, value));
        Assert.Equal(1, calls);
        var value = await AskAsync(_ => throw new NotSupportedException());
        Bytes.Equal("value"u8, value);
        _test.AssertNothingIsLost();

        async ValueTask<byte[]> Work(CancellationToken cancellation)
        {
            Interlocked.Increment(ref calls);
            return await result.Task;
        }
    }

    [Fact]
    public async Task The_exception_of_an_asynchronous_factory_is_all_callers_and_lets_the_next_work()
    {
        TaskCompletionSource<byte[]> failure = new();
        var first = AskAsync(async _ => await failure.Task);
        var second = AskAsync(_ => throw new InvalidTimeZoneException());
        Assert.False(second.IsCompleted);
        failure.SetException(new NotSupportedException());
        await Assert.ThrowsAsync<NotSupportedException>(() => first);
        await Assert.ThrowsAsync<NotSupportedException>(() => second);
        var third = await AskAsync(_ => ValueTask.FromResult("value"u8.ToArray()));
        Bytes.Equal("value"u8, third);
        _test.AssertNothingIsLost();
    }

    [Fact]
    public async Task An_asynchronous_factory_that_gives_null_is_misuse_and_leaves_nothing()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => AskAsync(_ => ValueTask.FromResult<byte[]>(null!)));
        _test.AssertNothingIsLost();
    }

    [Fact]
    public async Task An_asynchronous_wait_can_be_cancelled()
    {
        using CancellationTokenSource cancellation = new();
        TaskCompletionSource<byte[]> result = new();
        var first = AskAsync(async _ => await result.Task);
        var second = AskUntilAsync(_ => throw new NotSupportedException(), cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        result.SetResult("value"u8.ToArray());
        var value = await first;
        Bytes.Equal("value"u8, value);
        Bytes.Equal("value"u8, Cache.Get("key"u8));
    }

    private Task<byte[]> AskAsync(Func<CancellationToken, ValueTask<byte[]>> factory) => AskUntilAsync(factory, TestContext.Current.CancellationToken);

    private Task<byte[]> AskUntilAsync(Func<CancellationToken, ValueTask<byte[]>> factory, CancellationToken cancellation) =>
        Cache.GetOrAddAsync("key"u8.ToArray(), factory, (work, token) => work(token), default, Patient, cancellation).AsTask();
}
