using System.Text;
using ShmAlloc.Caching;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Memory.Linux;
using ShmAlloc.Participants;

namespace ShmAlloc.Tests.Caching;

/// <summary>Where flights broke when they were attacked.</summary>
public sealed class FlightEdgeTests
{
    private static readonly CacheFlightOptions Patient = new() { WaitLimit = Timeout.InfiniteTimeSpan };

    private static CacheEntryOptions Due => new() { Lifetime = TimeSpan.FromMilliseconds(100), RefreshAfter = TimeSpan.FromMilliseconds(50) };

    private static CacheEntryOptions Lasting => new() { Lifetime = TimeSpan.FromMilliseconds(100), StaleFor = TimeSpan.FromHours(1) };

    [Fact]
    public async Task Who_was_told_that_it_would_wait_for_itself_is_no_caller_any_more()
    {
        using TestCache test = new();
        using CancellationTokenSource leaves = new();
        TaskCompletionSource cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var caller = test.Cache.GetOrAddAsync("a", Work, default, Patient, leaves.Token).AsTask();
        await asked.Task;
        Assert.Equal(1, test.Cache.Heap.OwnFlights.Registered.Values.Single().Callers);
        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => caller);
        await cancelled.Task;
        Assert.Equal(CacheStatus.Ok, test.OpenElsewhere().BeginFlight("a", out _));

        async ValueTask<byte[]> Work(string key, CancellationToken abandoned)
        {
            await Assert.ThrowsAsync<InvalidOperationException>(async () =>
                await test.Cache.GetOrAddAsync("a", (_, _) => ValueTask.FromResult<byte[]>([1]), default, Patient, CancellationToken.None));
            using var registration = abandoned.Register(cancelled.SetResult);
            asked.SetResult();
            await cancelled.Task;
            return [1];
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_factory_that_fails_after_its_heap_was_disposed_is_an_exception_and_no_crash(bool isAsynchronous)
    {
        using TestCache test = new();
        var other = test.OpenElsewhere();
        await Assert.ThrowsAsync<TimeoutException>(async () => _ = isAsynchronous
            ? await other.GetOrAddAsync("key", (_, _) => Fail(), cancellation: TestContext.Current.CancellationToken)
            : other.GetOrAdd("key", _ => Fail().AsTask().GetAwaiter().GetResult()));

        async ValueTask<byte[]> Fail()
        {
            await Task.Yield();
            other.Heap.Dispose();
            throw new TimeoutException();
        }
    }

    [Fact]
    public async Task A_value_whose_heap_was_disposed_meanwhile_is_returned()
    {
        using TestCache test = new();
        var other = test.OpenElsewhere();
        var value = await other.GetOrAddAsync(
            "key",
            async (_, _) =>
            {
                await Task.Yield();
                other.Heap.Dispose();
                return [1];
            },
            cancellation: TestContext.Current.CancellationToken);
        Assert.Equal([1], value);
    }

    [Fact]
    public async Task Limits_may_be_longer_than_waits_of_the_runtime()
    {
        using TestCache test = new();
        Assert.Equal(CacheStatus.Ok, test.Cache.BeginFlight("key", out var flight));
        var waiters = new[] { TimeSpan.FromDays(30), TimeSpan.FromDays(60), TimeSpan.MaxValue }.SelectMany(limit => (Task<byte[]>[])
        [
            test.Cache.GetOrAddAsync("key", (_, _) => throw new NotSupportedException(), default, new() { WaitLimit = limit }, TestContext.Current.CancellationToken).AsTask(),
            Task.Run(() => test.Cache.GetOrAdd("key", _ => throw new NotSupportedException(), default, new() { WaitLimit = limit })),
        ]).ToList();
        SpinWait.SpinUntil(() => test.Cache.Waiting() == waiters.Count || waiters.Exists(waiter => waiter.IsFaulted));
        Assert.Equal(CacheFlightOutcome.Stored, flight!.Complete([1], default));
        Assert.All(await Task.WhenAll(waiters), value => Assert.Equal([1], value));
    }

    [Fact]
    public async Task A_value_that_expires_while_the_next_one_is_worked_out_is_not_worked_out_twice()
    {
        ManualClock clock = new();
        using TestCache test = new(new SharedCacheOptions { Clock = clock });
        test.Cache.Set("key"u8, "old"u8, Due);
        clock.Advance(50);
        Assert.Equal(CacheStatus.Ok, test.Cache.BeginFlight("key", out var flight));
        clock.Advance(50);
        var late = test.Cache.GetOrAddAsync("key", (_, _) => throw new NotSupportedException(), Due, Patient, TestContext.Current.CancellationToken);
        Assert.Equal(CacheFlightOutcome.Stored, flight!.Complete([1], Due));
        Assert.Equal([1], await late);
    }

    [Fact]
    public void A_value_that_was_touched_is_due_and_stale_by_its_new_expiry()
    {
        ManualClock clock = new();
        using TestCache test = new(new SharedCacheOptions { Clock = clock });
        var stale = new CacheFlightOptions { AllowStale = true };
        test.Cache.Set("short"u8, "old"u8, new() { Lifetime = TimeSpan.FromHours(1), StaleFor = TimeSpan.FromHours(1) });
        test.Cache.Set("long"u8, "old"u8, new() { Lifetime = TimeSpan.FromMinutes(1), StaleFor = TimeSpan.FromHours(1) });
        test.Cache.Touch("short", new() { Lifetime = TimeSpan.FromSeconds(1) });
        test.Cache.Touch("long", new() { Lifetime = TimeSpan.FromHours(10) });
        clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(CacheStatus.Exists, test.Cache.BeginFlight("long", out _));
        Assert.Equal("old"u8.ToArray(), test.Cache.GetOrAdd("short", _ => throw new TimeoutException(), default, stale with { RetryAfter = TimeSpan.Zero }));
        Assert.Equal([1], test.Cache.GetOrAdd("short", _ => [1], default, stale));
        clock.Advance(TimeSpan.FromHours(10.5));
        Assert.Equal("old"u8.ToArray(), test.Cache.GetOrAdd("long", _ => throw new TimeoutException(), default, stale));
        clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal([1], test.Cache.GetOrAdd("long", _ => [1], default, stale));
    }

    [Fact]
    public void What_is_worked_out_was_not_asked_for_yet_and_what_failed_is_no_value()
    {
        using TestCache test = new();
        test.Cache.Set("set"u8, [1]);
        test.Cache.GetOrAdd("worked out", _ => [1]);
        Assert.Throws<TimeoutException>(() => test.Cache.GetOrAdd("failed", _ => throw new TimeoutException()));
        Assert.Equal((HintWord.New, HintWord.New, HintWord.New), (UseOf(test, "set"), UseOf(test, "worked out"), UseOf(test, "failed")));
        test.Cache.GetOrAdd("worked out", _ => [1]);
        Assert.Equal(HintWord.Used, UseOf(test, "worked out"));
    }

    [Fact]
    public async Task What_a_factory_leaves_behind_may_ask_for_its_key()
    {
        using TestCache test = new();
        using ManualResetEventSlim mayAsk = new();
        var background = Task.CompletedTask;
        test.Cache.GetOrAdd(
            "key",
            _ =>
            {
                background = Task.Run(() =>
                {
                    mayAsk.Wait(TestContext.Current.CancellationToken);
                    Assert.Null(LocalFlight.Current);
                });
                return [1];
            },
            default,
            Patient);
        mayAsk.Set();
        await background;
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Who_has_a_value_that_is_due_waits_for_nobody(bool isInline)
    {
        for (var reading = 1; reading < 8; reading++)
        {
            HaltingClock clock = new();
            using TestCache test = new(new SharedCacheOptions { Clock = clock });
            var options = Due with { Lifetime = TimeSpan.FromHours(1) };
            test.Cache.Set("key"u8, "old"u8, options);
            clock.Advance(60);
            CacheFlight? other = null;
            clock.Halt(reading, () =>
            {
                test.Cache.Remove("key");
                test.Cache.BeginFlight("key"u8, out other);
            });
            var value = isInline
                ? test.Cache.GetOrAdd("key", _ => [1], options, Patient with { RefreshesInline = true })
                : await test.Cache.GetOrAddAsync("key", (_, _) => ValueTask.FromResult<byte[]>([1]), options, Patient, TestContext.Current.CancellationToken);
            Assert.True(value.AsSpan().SequenceEqual("old"u8) || value is [1]);
            Assert.Equal(0, test.Cache.Waiting());
            other?.Dispose();
        }
    }

    [Fact]
    public void A_process_that_gets_its_slot_late_owns_what_it_begins()
    {
        using TestCache test = new(heap: new ShmHeapOptions { SizeBytes = TestCache.DefaultBytes, MaxParticipants = 2 });
        var second = test.OpenElsewhere();
        var third = test.OpenElsewhere();
        Assert.Null(third.Heap.ParticipantSlot);
        second.Heap.Dispose();
        Assert.Equal(CacheStatus.Ok, third.BeginFlight("key"u8, out _));
        Assert.Equal(CacheStatus.Computing, test.Cache.BeginFlight("key"u8, out _));
    }

    [Fact]
    public async Task What_a_factory_does_when_it_is_cancelled_is_no_matter_of_who_leaves()
    {
        using TestCache test = new();
        using CancellationTokenSource leaves = new();
        TaskCompletionSource ends = new();
        var caller = test.Cache.GetOrAddAsync("key", Work, default, Patient, leaves.Token).AsTask();
        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => caller);
        ends.SetResult();

        async ValueTask<byte[]> Work(string key, CancellationToken abandoned)
        {
            abandoned.Register(() => throw new NotSupportedException());
            await ends.Task;
            return [1];
        }
    }

    [Fact]
    public async Task A_clock_that_throws_leaves_nobody_waiting()
    {
        ThrowingClock clock = new();
        using TestCache test = new(new SharedCacheOptions { Clock = clock });
        test.Cache.Set("key"u8, "old"u8, Lasting);
        clock.Now += TimeSpan.FromMilliseconds(200);
        var caller = test.Cache.GetOrAddAsync("key", Fail, default, Patient, TestContext.Current.CancellationToken).AsTask();
        Assert.NotNull(await Record.ExceptionAsync(() => caller));
        Assert.Empty(test.Cache.Heap.OwnFlights.Registered);
        clock.Throws = false;

        async ValueTask<byte[]> Fail(string key, CancellationToken abandoned)
        {
            await Task.Yield();
            clock.Throws = true;
            throw new TimeoutException();
        }
    }

    [Fact]
    public async Task A_flight_that_nobody_wants_any_more_has_not_failed()
    {
        ManualClock clock = new();
        using TestCache test = new(new SharedCacheOptions { Clock = clock });
        test.Cache.Set("key"u8, "old"u8, Lasting);
        clock.Advance(200);
        using CancellationTokenSource leaves = new();
        TaskCompletionSource<byte[]> never = new();
        var caller = test.Cache.GetOrAddAsync("key", async (_, _) => await never.Task, Lasting, default, leaves.Token).AsTask();
        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => caller);
        Assert.Equal([1], test.Cache.GetOrAdd("key", _ => [1], Lasting, new() { AllowStale = true }));
        never.SetResult([2]);
    }

    [Fact]
    public async Task Who_comes_with_a_cancelled_token_begins_nothing()
    {
        using TestCache test = new();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
            await test.Cache.GetOrAddAsync("key", (_, _) => throw new NotSupportedException(), cancellation: new CancellationToken(true)));
    }

    [Fact]
    public unsafe void A_placeholder_by_damage_is_not_written_behind()
    {
        using TestCache test = new();
        test.Cache.Set("x"u8, new byte[31]);
        test.Cache.Set("behind"u8, new byte[26]);
        var item = ItemOf(test, "x");
        Assert.Equal(64UL, new ItemShape(item->Shape).TotalBytes);
        var behind = (ulong*)((byte*)item + 64);
        var before = *behind;
        item->Shape |= ItemShape.Placeholder;
        Assert.Equal(CacheStatus.Ok, test.Cache.BeginFlight("x"u8, out _));
        Assert.Equal(before, *behind);
    }

    [Fact]
    public void Who_waits_learns_that_its_heap_is_being_disposed_although_something_is_leased()
    {
        using TestCache test = new();
        var leaving = test.OpenElsewhere();
        leaving.Set("leased"u8, [1]);
        Assert.Equal(CacheStatus.Ok, test.Cache.BeginFlight("key"u8, out var flight));
        Assert.Equal(CacheStatus.Ok, leaving.Lease("leased"u8, out var lease));
        var waiter = Support.Threads.Start(1, _ => Assert.Throws<ObjectDisposedException>(() => leaving.GetOrAdd("key", _ => [1], default, Patient)));
        SpinWait.SpinUntil(() => leaving.Waiting() == 1);
        leaving.Heap.Dispose();
        waiter();
        lease.Dispose();
        flight!.Dispose();
    }

    [Theory]
    [InlineData("writer")]
    [InlineData("read-only")]
    [InlineData("no slot")]
    public unsafe void Nobody_waits_for_the_dead(string who)
    {
        using TestCache test = new(heap: new ShmHeapOptions { SizeBytes = TestCache.DefaultBytes, MaxParticipants = 2 });
        var dying = test.OpenElsewhere();
        var waiting = who == "writer" ? test.Cache : who == "read-only" ? test.OpenReadOnly() : test.OpenElsewhere();
        Assert.Equal(who == "writer", waiting.Heap.ParticipantSlot != null);
        Assert.Equal(CacheStatus.Ok, dying.BeginFlight("key"u8, out _));
        SlotLock.Release(dying.Heap.Attachment);
        Assert.Equal([1], waiting.GetOrAdd("key", _ => [1], default, Patient));
    }

    /// <summary>Else the keys of a scan, each asked for once, would push out what is used.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_value_that_was_worked_out_for_its_mark_is_not_in_use_yet(bool isAsynchronous)
    {
        using TestCache test = new();
        var mark = isAsynchronous ? await MarkOfAsync("key") : MarkOf("key");
        Assert.Equal(HintWord.New, UseOf(test, "key"));
        Assert.True(test.Cache.IsCurrent(mark));

        CacheMark MarkOf(string key)
        {
            test.Cache.GetOrAddMarked(key, _ => [1], out var made);
            return made;
        }

        async Task<CacheMark> MarkOfAsync(string key)
        {
            var made = await test.Cache.GetOrAddMarkedAsync(
                key, (_, _) => ValueTask.FromResult<byte[]>([1]), default, default, TestContext.Current.CancellationToken);
            return made.Mark;
        }
    }

    private static unsafe int UseOf(TestCache test, string key)
    {
        var item = ItemOf(test, key);
        Attachment* heap = test.Heap.Attachment;
        Probe probeOfKey;
        Probe* probe = &probeOfKey;
        Probe.Begin(probe, Directory<Hardware>.Find(heap, 0), item->Hash);
        var unit = ((ulong)item - (ulong)heap->UserBase - Geometry.Page) >> heap->Geometry.UnitShift;
        return EntryHints<Hardware>.Read(probe, CacheSearch<Hardware>.FindUnit(probe, unit));
    }

    private static unsafe ItemHeader* ItemOf(TestCache test, string key)
    {
        Attachment* heap = test.Heap.Attachment;
        var seed = (ulong*)&heap->Header->HashSeed;
        var bytes = Encoding.UTF8.GetBytes(key);
        fixed (byte* first = bytes)
        {
            CacheKey sought = new(first, bytes.Length, KeyHash.Of(first, bytes.Length, seed[0], seed[1]));
            CacheReader<Hardware>.TryReadAnywhere(heap, Directory<Hardware>.Find(heap, 0), sought, null, 0, out var facts, isUse: false);
            return ItemAccess<Hardware>.At(heap, facts.Unit);
        }
    }
}
