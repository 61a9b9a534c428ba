using ShmAlloc.Caching;
using ShmAlloc.Disposal;
using ShmAlloc.Memory;
using ShmAlloc.Memory.Linux;
using ShmAlloc.Tests.Support;

namespace ShmAlloc.Tests.Caching;

/// <summary>Threads that wait at the bell themselves for a flight of another process.</summary>
public sealed class BellSeatTests : IDisposable
{
    private const int Seats = 4;

    private static readonly CacheFlightOptions Patient = new() { WaitLimit = Timeout.InfiniteTimeSpan };
    private static readonly TimeSpan LongEnough = TimeSpan.FromMinutes(1);

    private readonly TestCache _test = new(heap: new ShmHeapOptions { SizeBytes = TestCache.DefaultBytes, MaxParticipants = 2 });

    private SharedCache Cache => _test.Cache;

    public void Dispose() => _test.Dispose();

    [Fact]
    public void The_first_few_wait_at_the_bell_and_the_others_with_the_watch()
    {
        var elsewhere = _test.OpenElsewhere();
        Assert.Equal(CacheStatus.Ok, Cache.BeginFlight("key", out var flight));
        var waiters = Threads.Start(2 * Seats, _ => Assert.Equal([1], elsewhere.GetOrAdd("key", _ => throw new NotSupportedException(), default, Patient)));
        AwaitSeated(elsewhere, Seats);
        Await(() => elsewhere.Heap.FlightWatch.Waiting == Seats);
        Assert.Equal(CacheFlightOutcome.Stored, flight!.Complete([1], default));
        waiters();
        Assert.Equal(0, elsewhere.Waiting());
    }

    [Fact]
    public async Task A_thread_of_the_pool_waits_with_the_watch()
    {
        var elsewhere = _test.OpenElsewhere();
        Assert.Equal(CacheStatus.Ok, Cache.BeginFlight("key", out var flight));
        var waiter = Task.Run(() => elsewhere.GetOrAdd("key", _ => throw new NotSupportedException(), default, Patient), TestContext.Current.CancellationToken);
        Await(() => elsewhere.Heap.FlightWatch.Waiting == 1);
        Assert.Equal(0, elsewhere.Heap.BellSeats.Taken);
        Assert.Equal(CacheFlightOutcome.Stored, flight!.Complete([1], default));
        Assert.Equal([1], await waiter);
    }

    [Fact]
    public void A_heap_is_disposed_while_a_thread_sleeps_and_that_learns_of_it()
    {
        var leaving = _test.OpenElsewhere();
        Assert.Equal(CacheStatus.Ok, Cache.BeginFlight("key", out var flight));
        var waiter = Threads.Start(1, _ => Assert.Throws<ObjectDisposedException>(() => leaving.GetOrAdd("key", _ => [1], default, Patient)));
        AwaitSeated(leaving, 1);
        Await(() => !Visitor.IsAnyAt(leaving.Heap.AttachmentName));
        leaving.Heap.Dispose();
        waiter();
        Assert.Equal(0, leaving.Heap.BellSeats.Taken);
        flight!.Dispose();
        _test.AssertNothingIsLost();
    }

    [Fact]
    public void After_the_limit_the_waiter_takes_over()
    {
        var elsewhere = _test.OpenElsewhere();
        Assert.Equal(CacheStatus.Ok, Cache.BeginFlight("key", out var flight));
        CacheFlightOptions impatient = new() { WaitLimit = TimeSpan.FromMilliseconds(300) };
        var waiter = Threads.Start(1, _ => Assert.Equal([2], elsewhere.GetOrAdd("key", _ => [2], default, impatient)));
        AwaitSeated(elsewhere, 1);
        waiter();
        Assert.Equal(CacheFlightOutcome.Changed, flight!.Complete([1], default));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public unsafe void The_owner_dies_while_a_thread_sleeps(bool hasSlot)
    {
        var dying = _test.OpenElsewhere();
        var waiting = hasSlot ? Cache : _test.OpenElsewhere();
        Assert.Equal(hasSlot, waiting.Heap.ParticipantSlot != null);
        Assert.Equal(CacheStatus.Ok, dying.BeginFlight("key", out var flight));
        var waiter = Threads.Start(1, _ => Assert.Equal([2], waiting.GetOrAdd("key", _ => [2], default, Patient)));
        AwaitSeated(waiting, 1);
        SlotLock.Release(dying.Heap.Attachment);
        waiter();
        GC.KeepAlive(flight);
    }

    [Fact]
    public void An_interrupt_ends_the_wait()
    {
        var elsewhere = _test.OpenElsewhere();
        Assert.Equal(CacheStatus.Ok, Cache.BeginFlight("key", out var flight));
        Thread? sleeper = null;
        var waiter = Threads.Start(1, _ =>
        {
            sleeper = Thread.CurrentThread;
            Assert.Throws<ThreadInterruptedException>(() => elsewhere.GetOrAdd("key", _ => throw new NotSupportedException(), default, Patient));
        });
        AwaitSeated(elsewhere, 1);
        sleeper!.Interrupt();
        waiter();
        Assert.Equal(0, elsewhere.Heap.BellSeats.Taken);
        flight!.Dispose();
    }

    [Fact]
    public unsafe void A_ringer_that_died_before_it_woke_anybody_costs_no_more_than_a_sleep()
    {
        var elsewhere = _test.OpenElsewhere();
        Assert.Equal(CacheStatus.Ok, Cache.BeginFlight("key", out var flight));
        var isOver = false;
        var waiter = Threads.Start(1, _ =>
        {
            Assert.Equal([1], elsewhere.GetOrAdd("key", _ => throw new NotSupportedException(), default, Patient));
            Volatile.Write(ref isOver, true);
        });
        AwaitSeated(elsewhere, 1);

        // The wish is gone, the bell stays as it is, and another process says the wish again.
        Volatile.Write(ref Cache.Heap.Attachment->Header->BellIsAwaited, 0);
        Assert.Equal(CacheFlightOutcome.Stored, flight!.Complete([1], default));
        Volatile.Write(ref Cache.Heap.Attachment->Header->BellIsAwaited, 1);
        var wakes = SpinWait.SpinUntil(() => Volatile.Read(ref isOver), LongEnough);

        // Else the thread would stay.
        Bell<Hardware>.Ring(Cache.Heap.Attachment);
        waiter();
        Assert.True(wakes);
    }

    [Fact]
    public void A_thread_that_others_wake_again_and_again_gives_its_seat_up()
    {
        var elsewhere = _test.OpenElsewhere();
        Assert.Equal(CacheStatus.Ok, Cache.BeginFlight("key", out var flight));
        var waiter = Threads.Start(1, _ => Assert.Equal([1], elsewhere.GetOrAdd("key", _ => throw new NotSupportedException(), default, Patient)));
        AwaitSeated(elsewhere, 1);
        Await(() =>
        {
            Assert.Equal(CacheStatus.Ok, Cache.BeginFlight("another", out var other));
            other!.Dispose();
            return elsewhere.Heap.FlightWatch.Waiting == 1;
        });
        Assert.Equal(0, elsewhere.Heap.BellSeats.Taken);
        Assert.Equal(CacheFlightOutcome.Stored, flight!.Complete([1], default));
        waiter();
    }

    /// <summary>Until so many threads sleep at the bell, or are about to.</summary>
    private static unsafe void AwaitSeated(SharedCache cache, int count) =>
        Await(() => cache.Heap.BellSeats.Taken == count && Volatile.Read(ref cache.Heap.Attachment->Header->BellIsAwaited) != 0);

    private static void Await(Func<bool> condition) => Assert.True(SpinWait.SpinUntil(condition, LongEnough));
}
