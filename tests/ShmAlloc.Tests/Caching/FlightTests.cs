using ShmAlloc.Caching;
using ShmAlloc.Layout;
using ShmAlloc.Tests.Support;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Tests.Caching;

/// <summary>Many flights, and many who share one. Two attachments stand for two processes.</summary>
public sealed class FlightTests : IDisposable
{
    private static readonly CacheFlightOptions Patient = new() { WaitLimit = Timeout.InfiniteTimeSpan };

    private readonly TestCache _test = new(heap: new ShmHeapOptions { SizeBytes = 32 << 20 });

    private SharedCache Cache => _test.Cache;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _test.Dispose();

    [Fact]
    public async Task F20_any_number_of_keys_is_worked_out_at_once_each_one_time()
    {
        var keys = Effort.Choose(500, 5000);
        SharedCache[] caches = [Cache, _test.OpenElsewhere()];
        var calls = new int[keys];
        TaskCompletionSource mayLand = new();
        var callers = Enumerable.Range(0, 4 * keys).Select(number => Ask(caches[number & 1], (number >> 2) % keys)).ToList();
        Assert.Equal(keys, calls.Sum());
        mayLand.SetResult();
        var values = await Task.WhenAll(callers);
        Assert.All(calls, count => Assert.Equal(1, count));
        for (var number = 0; number < values.Length; number++)
        {
            Assert.Equal((number >> 2) % keys, BitConverter.ToInt32(values[number]));
        }

        Assert.Equal(keys, Cache.Enumerate().Count());
        _test.AssertNothingIsLost();

        Task<byte[]> Ask(SharedCache cache, int key) => cache.GetOrAddAsync(
            BitConverter.GetBytes(key),
            key,
            async (key, _) =>
            {
                Interlocked.Increment(ref calls[key]);
                await mayLand.Task;
                return BitConverter.GetBytes(key);
            },
            default,
            Patient,
            Cancellation).AsTask();
    }

    [Fact]
    public async Task F21_a_removed_tag_lets_nobody_work_in_a_row()
    {
        var calls = 0;
        TaskCompletionSource mayLand = new();
        var callers = Enumerable.Range(0, 16).Select(_ => Ask(Cache)).ToList();
        Assert.Equal(1, calls);
        Cache.RemoveByTag("tag");
        var late = Ask(Cache);
        var elsewhere = Ask(_test.OpenElsewhere());
        mayLand.SetResult();
        await Task.WhenAll(callers);
        Assert.Equal("1", System.Text.Encoding.UTF8.GetString(await callers[15]));

        // Whoever came after the removal must have what was worked out after it.
        Assert.Equal("2", System.Text.Encoding.UTF8.GetString(await late));
        Assert.Equal("2", System.Text.Encoding.UTF8.GetString(await elsewhere));
        Assert.Equal(2, calls);
        Assert.Equal("2", System.Text.Encoding.UTF8.GetString(Cache.Get("key"u8)!));

        Task<byte[]> Ask(SharedCache cache) => cache.GetOrAddAsync(
            "key",
            async (_, _) =>
            {
                var call = Interlocked.Increment(ref calls);
                await mayLand.Task;
                return System.Text.Encoding.UTF8.GetBytes($"{call}");
            },
            new() { Tags = (string[])["tag"] },
            Patient,
            Cancellation).AsTask();
    }

    [Theory]
    [InlineData("too large")]
    [InlineData("throws")]
    [InlineData("expires at once")]
    public async Task F22_what_cannot_be_stored_is_worked_out_once_for_all_in_a_process(string how)
    {
        ManualClock clock = new();
        using TestCache test = new(new SharedCacheOptions { Clock = clock });
        var calls = 0;
        TaskCompletionSource mayLand = new();
        var options = how == "expires at once" ? new CacheEntryOptions { AbsoluteExpiration = clock.Now.AddMilliseconds(50) } : default;
        var callers = Enumerable.Range(0, 10).Select(_ => test.Cache.GetOrAddAsync("key", Work, options, Patient, Cancellation).AsTask()).ToList();
        clock.Advance(60);
        mayLand.SetResult();
        foreach (var caller in callers)
        {
            var failure = await Record.ExceptionAsync(() => caller);
            Assert.Equal(how == "throws", failure is NotSupportedException);
        }

        Assert.Equal(1, calls);
        Assert.False(test.Cache.Contains("key"u8));

        async ValueTask<byte[]> Work(string key, CancellationToken cancellation)
        {
            Interlocked.Increment(ref calls);
            await mayLand.Task;
            return how == "throws" ? throw new NotSupportedException() : new byte[how == "too large" ? 64 << 20 : 1];
        }
    }

    /// <summary>The time until which nobody waits lies in the heap, and clocks are set.</summary>
    [Theory]
    [InlineData(0, false)]
    [InlineData(-1, true)]
    [InlineData(-3_600_000, true)]
    public void After_a_value_that_could_not_be_stored_a_clock_that_is_set_back_makes_nobody_pass_for_longer(int change, bool leads)
    {
        ManualClock clock = new();
        using TestCache test = new(new SharedCacheOptions { Clock = clock });
        Assert.Equal(1 << 24, test.Cache.GetOrAdd("key", _ => new byte[1 << 24]).Length);
        clock.Advance(change);
        Assert.Equal(leads ? CacheStatus.Ok : CacheStatus.Computing, test.Cache.BeginFlight("key", out var flight));
        flight?.Dispose();
    }

    /// <summary>One after the other, each of them once.</summary>
    [Fact]
    public async Task A_factory_that_fails_is_run_once_in_each_process()
    {
        using TestCache test = new();
        SharedCache[] processes = [test.Cache, test.OpenElsewhere(), test.OpenElsewhere()];
        var (calls, atOnce, mostAtOnce) = (0, 0, 0);
        Assert.Equal(CacheStatus.Ok, test.OpenElsewhere().BeginFlight("key", out var first));
        var callers = processes.SelectMany(cache => Enumerable.Range(0, 5)
            .Select(_ => cache.GetOrAddAsync("key"u8.ToArray(), cache, Work, default, Patient, Cancellation).AsTask())).ToList();
        SpinWait.SpinUntil(() => processes.Sum(cache => cache.Waiting()) == callers.Count);
        first!.Dispose();
        foreach (var caller in callers)
        {
            await Assert.ThrowsAsync<NotSupportedException>(() => caller);
        }

        Assert.Equal((3, 1), (calls, mostAtOnce));

        // Until the others of its process share it.
        async ValueTask<byte[]> Work(SharedCache cache, CancellationToken cancellation)
        {
            mostAtOnce = Math.Max(mostAtOnce, Interlocked.Increment(ref atOnce));
            Interlocked.Increment(ref calls);
            while (!cache.Heap.OwnFlights.Registered.Values.Any(flight => flight.Callers == 5))
            {
                await Task.Delay(1, cancellation);
            }

            Interlocked.Decrement(ref atOnce);
            throw new NotSupportedException();
        }
    }

    [Fact]
    public void After_a_value_that_could_not_be_stored_nobody_waits_for_a_second()
    {
        ManualClock clock = new();
        using TestCache test = new(new SharedCacheOptions { Clock = clock });
        Assert.Equal(1 << 24, test.Cache.GetOrAdd("key", _ => new byte[1 << 24]).Length);
        var elsewhere = test.OpenElsewhere(new SharedCacheOptions { Clock = clock });
        var nested = test.Cache.GetOrAdd("key", _ => elsewhere.GetOrAdd("key", _ => [2], default, Patient), default, Patient);
        Assert.Equal([2], nested);
        Assert.Equal([2], test.Cache.Get("key"u8));
        test.AssertNothingIsLost();
    }

    [Fact]
    public async Task F25_a_deadline_that_passes_while_others_wait_is_nobodys_fault()
    {
        ManualClock clock = new();
        SharedCacheOptions clocked = new() { Clock = clock };
        using TestCache test = new(clocked);
        var other = test.OpenElsewhere(clocked);
        var soon = new CacheEntryOptions { AbsoluteExpiration = clock.Now.AddMilliseconds(100) };
        TaskCompletionSource mayLand = new();
        var first = test.Cache.GetOrAddAsync("key", Work, soon, Patient, Cancellation).AsTask();
        var second = other.GetOrAddAsync("key", Work, soon, Patient, Cancellation).AsTask();
        SpinWait.SpinUntil(() => other.Waiting() == 1);
        clock.Advance(150);
        mayLand.SetResult();
        Assert.Equal([1], await first);
        Assert.Equal([1], await second);

        async ValueTask<byte[]> Work(string key, CancellationToken cancellation)
        {
            await mayLand.Task;
            return [1];
        }
    }

    [Fact]
    public async Task F26_of_many_who_have_waited_too_long_one_takes_over()
    {
        var calls = 0;
        TaskCompletionSource hangs = new();
        TaskCompletionSource mayLand = new();
        var first = Cache.GetOrAddAsync("key", (_, _) => Work(hangs), default, Patient, Cancellation).AsTask();
        var impatient = Patient with { WaitLimit = TimeSpan.FromMilliseconds(100) };
        var callers = Enumerable.Range(0, 30).Select(_ => Cache.GetOrAddAsync("key", (_, _) => Work(mayLand), default, impatient, Cancellation).AsTask()).ToList();
        SpinWait.SpinUntil(() => Volatile.Read(ref calls) == 2);
        mayLand.SetResult();
        foreach (var caller in callers)
        {
            Assert.Equal([2], await caller);
        }

        Assert.Equal(2, calls);
        hangs.SetResult();
        Assert.Equal([1], await first);
        Assert.Equal([2], Cache.Get("key"u8));

        async ValueTask<byte[]> Work(TaskCompletionSource until)
        {
            var call = (byte)Interlocked.Increment(ref calls);
            await until.Task;
            return [call];
        }
    }

    [Fact]
    public async Task Each_caller_has_an_array_of_its_own()
    {
        TaskCompletionSource mayLand = new();
        var callers = Enumerable.Range(0, 3).Select(_ => Cache.GetOrAddAsync("key", Work, default, Patient, Cancellation).AsTask()).ToList();
        mayLand.SetResult();
        var values = await Task.WhenAll(callers);
        values[0][0] = values[1][0] = 9;
        Assert.Equal([1], values[2]);
        Assert.Equal([1], Cache.Get("key"u8));

        async ValueTask<byte[]> Work(string key, CancellationToken cancellation)
        {
            await mayLand.Task;
            return [1];
        }
    }

    [Fact]
    public async Task When_the_last_caller_has_left_others_may_work_before_the_factory_learns_of_it()
    {
        var elsewhere = _test.OpenElsewhere();
        using CancellationTokenSource first = new();
        using CancellationTokenSource second = new();
        TaskCompletionSource<byte[]> seen = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var one = Cache.GetOrAddAsync("key", Work, default, Patient, first.Token).AsTask();
        var two = Cache.GetOrAddAsync("key", (_, _) => throw new NotSupportedException(), default, Patient, second.Token).AsTask();
        await first.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => one);
        Assert.False(seen.Task.IsCompleted);
        await second.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => two);
        Assert.Equal([7], await seen.Task);
        Assert.Equal([7], Cache.Get("key"u8));
        SpinWait.SpinUntil(() => Cache.Heap.OwnFlights.Registered.IsEmpty);

        async ValueTask<byte[]> Work(string key, CancellationToken abandoned)
        {
            await Task.Yield();
            TaskCompletionSource learned = new();
            using (abandoned.Register(() =>
            {
                seen.SetResult(elsewhere.GetOrAdd("key", _ => [7], default, Patient));
                learned.SetResult();
            }))
            {
                await learned.Task;
            }

            abandoned.ThrowIfCancellationRequested();
            return [1];
        }
    }

    [Fact]
    public async Task The_first_caller_may_leave_and_the_others_have_the_value()
    {
        using CancellationTokenSource leaves = new();
        TaskCompletionSource mayLand = new();
        var first = Cache.GetOrAddAsync("key", Work, default, Patient, leaves.Token).AsTask();
        var second = Cache.GetOrAddAsync("key", Work, default, Patient, Cancellation).AsTask();
        var third = Task.Run(() => Cache.GetOrAdd("key", _ => throw new NotSupportedException(), default, Patient), Cancellation);
        SpinWait.SpinUntil(() => Cache.Heap.OwnFlights.Registered.Values.Any(flight => flight.Callers == 3));
        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        mayLand.SetResult();
        Assert.Equal([1], await second);
        Assert.Equal([1], await third);

        async ValueTask<byte[]> Work(string key, CancellationToken abandoned)
        {
            await mayLand.Task;
            abandoned.ThrowIfCancellationRequested();
            return [1];
        }
    }

    [Fact]
    public void A_factory_that_waits_for_itself_is_found()
    {
        Assert.Throws<InvalidOperationException>(() =>
            Cache.GetOrAdd("a", _ => Cache.GetOrAdd("b", _ => Cache.GetOrAdd("a", _ => [1], default, Patient), default, Patient), default, Patient));
        Assert.Throws<InvalidOperationException>(() => Cache.GetOrAdd("a", _ => Cache.GetOrAdd("a", _ => [1], default, Patient), default, Patient));
        Assert.Equal([1], Cache.GetOrAdd("a", _ => Cache.GetOrAdd("b", _ => [1], default, Patient), default, Patient));
        Assert.Null(LocalFlight.Current);
    }

    [Fact]
    public async Task Two_factories_that_wait_for_each_other_are_found()
    {
        TaskCompletionSource bothRun = new();
        var running = 0;
        var one = Ask("a", "b");
        var two = Ask("b", "a");
        var failures = new[] { await Record.ExceptionAsync(() => one), await Record.ExceptionAsync(() => two) };
        Assert.Contains(failures, failure => failure is InvalidOperationException);
        SpinWait.SpinUntil(() => Cache.Heap.OwnFlights.Registered.IsEmpty);

        Task<byte[]> Ask(string key, string other) => Cache.GetOrAddAsync(
            key,
            async (_, _) =>
            {
                if (Interlocked.Increment(ref running) == 2)
                {
                    bothRun.SetResult();
                }

                await bothRun.Task;
                return await Cache.GetOrAddAsync(other, (_, _) => throw new NotSupportedException(), default, Patient, Cancellation);
            },
            default,
            Patient,
            Cancellation).AsTask();
    }

    [Fact]
    public void A_flight_is_begun_by_one_and_completed_with_an_expiry_and_a_mark()
    {
        var elsewhere = _test.OpenElsewhere();
        Assert.Equal(CacheStatus.Ok, Cache.BeginFlight("key"u8, out var flight, (string[])["tag"]));
        Assert.Equal(CacheStatus.Computing, Cache.BeginFlight("key", out var none));
        Assert.Null(none);
        Assert.Equal(CacheStatus.Computing, elsewhere.BeginFlight("key"u8, out _));
        Assert.Throws<ArgumentException>(() => flight!.Complete("value"u8, new() { Tags = (string[])["tag"] }));
        Assert.Equal(CacheFlightOutcome.Stored, flight!.Complete("value"u8, new() { Lifetime = TimeSpan.FromHours(1) }, out var mark));
        Assert.True(Cache.IsCurrent(mark));
        Assert.Equal(CacheStatus.Exists, elsewhere.BeginFlight("key"u8, out _));
        Assert.Throws<InvalidOperationException>(() => flight.Complete("value"u8, default));
        flight.Dispose();
        Assert.True(Cache.IsCurrent(mark));
        elsewhere.RemoveByTag("tag");
        Assert.False(Cache.IsCurrent(mark));
        Assert.Equal(CacheStatus.Ok, elsewhere.BeginFlight("key"u8, out var next));
        next!.Dispose();
        Assert.Equal(CacheStatus.Ok, Cache.BeginFlight("key"u8, out next, (string[])["tag"]));
        elsewhere.RemoveByTag("tag");
        Assert.Equal(CacheFlightOutcome.Changed, next!.Complete("value"u8, default, out mark));
        Assert.True(mark.IsNone);
        Assert.Equal(CacheStatus.Ok, Cache.BeginFlight("key"u8, out next));
        Assert.Equal(CacheFlightOutcome.TooLarge, next!.Complete(new byte[64 << 20], default));
        Assert.Equal(CacheStatus.Computing, elsewhere.BeginFlight("key"u8, out _));
        Cache.Remove("key");
        _test.AssertNothingIsLost();
    }

    [Fact]
    public void Who_waits_in_another_process_has_the_value_and_polls_for_nothing()
    {
        var elsewhere = _test.OpenElsewhere();
        using ManualResetEventSlim entered = new();
        using ManualResetEventSlim mayLand = new();
        var leader = Threads.Start(1, _ => Cache.GetOrAdd("key", _ =>
        {
            entered.Set();
            mayLand.Wait(Cancellation);
            return [1];
        }));
        entered.Wait(Cancellation);
        var waiters = Threads.Start(8, _ => Assert.Equal([1], elsewhere.GetOrAdd("key", _ => throw new NotSupportedException(), default, Patient)));
        SpinWait.SpinUntil(() => elsewhere.Waiting() == 8);
        mayLand.Set();
        leader();
        waiters();
        Assert.Equal(0, elsewhere.Waiting());
    }

    [Fact]
    public async Task Who_was_not_woken_because_the_ringer_died_looks_all_the_same()
    {
        var elsewhere = _test.OpenElsewhere();
        Assert.Equal(CacheStatus.Ok, Cache.BeginFlight("key", out var flight));
        var waiter = Task.Run(() => elsewhere.GetOrAdd("key", _ => throw new NotSupportedException(), default, Patient), Cancellation);
        SpinWait.SpinUntil(() => elsewhere.Waiting() == 1 && IsAwaited() == 1);

        // The wish is gone, the bell stays as it is, and another process says the wish again.
        SetAwaited(0);
        Assert.Equal(CacheFlightOutcome.Stored, flight!.Complete([1], default));
        SetAwaited(1);
        Assert.Equal([1], await waiter.WaitAsync(TimeSpan.FromMinutes(1), Cancellation));

        unsafe ulong IsAwaited() => Volatile.Read(ref Cache.Heap.Attachment->Header->BellIsAwaited);
        unsafe void SetAwaited(ulong value) => Volatile.Write(ref Cache.Heap.Attachment->Header->BellIsAwaited, value);
    }

    [Fact]
    public void Words_say_what_they_are()
    {
        var owned = WorkWord.Owned(0xFFFF, 0x3FFF, 0xFFFF_FFFF);
        Assert.Equal((true, false, 0xFFFF, 0x3FFFU, 0xFFFF_FFFF), (owned.IsOwned, owned.IsTime, owned.Slot, owned.Number, owned.Epoch));
        Assert.Equal((false, true, 5UL), (WorkWord.NotBefore(5).IsOwned, WorkWord.NotBefore(5).IsTime, WorkWord.NotBefore(5).Time));
        Assert.NotEqual(0UL, WorkWord.NotBefore(0).Bits);
        Assert.NotEqual(0UL, WorkWord.Owned(0, 0, 0).Bits);
        Assert.Equal((1UL << 61) - 1, WorkWord.NotBefore(ulong.MaxValue).Time);
        Assert.Equal((true, true, 7UL), (WorkWord.PauseUntil(7).IsPause, WorkWord.PauseUntil(7).IsTime, WorkWord.PauseUntil(7).Time));
        Assert.False(WorkWord.NotBefore(7).IsPause);
        Assert.Equal("damaged: 0000000000000000", new WorkWord(0).ToString());
    }
}
