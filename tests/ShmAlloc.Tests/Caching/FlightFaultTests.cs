using System.Runtime.CompilerServices;
using ShmAlloc.Caching;
using ShmAlloc.Memory.Linux;

namespace ShmAlloc.Tests.Caching;

/// <summary>Flights where something else fails: the start of a thread, a clock, a finalizer that comes late, a process that waits without a slot.</summary>
public sealed class FlightFaultTests
{
    private static readonly CacheFlightOptions Patient = new() { WaitLimit = Timeout.InfiniteTimeSpan };
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    private static CacheEntryOptions Lasting => new() { Lifetime = TimeSpan.FromMilliseconds(100), StaleFor = TimeSpan.FromHours(1) };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string, bool> Waiting => new MatrixTheoryData<string, bool>(["writer", "read-only", "no slot"], [true, false]);

    [Theory]
    [InlineData(typeof(OutOfMemoryException), false)]
    [InlineData(typeof(OutOfMemoryException), true)]
    [InlineData(typeof(ThreadStartException), false)]
    [InlineData(typeof(ThreadStartException), true)]
    public async Task Where_no_thread_can_be_started_those_who_wait_look_for_themselves(Type why, bool isSynchronous)
    {
        using TestCache test = new();
        var waiting = test.OpenElsewhere();
        var tries = 0;
        waiting.Heap.FlightWatch.Threads.StartThread = _ =>
        {
            Interlocked.Increment(ref tries);
            throw OfType(why);
        };
        Assert.Equal(CacheStatus.Ok, test.Cache.BeginFlight("key", out var flight));
        var waiter = isSynchronous
            ? Task.Run(() => waiting.GetOrAdd("key", _ => throw new NotSupportedException(), default, Patient), Cancellation)
            : waiting.GetOrAddAsync("key", (_, _) => throw new NotSupportedException(), default, Patient, Cancellation).AsTask();
        SpinWait.SpinUntil(() => waiter.IsCompleted || waiting.Waiting() == 1);
        Assert.Equal(CacheFlightOutcome.Stored, flight!.Complete([1], default));
        Assert.Equal([1], await waiter.WaitAsync(Long, Cancellation));
        Assert.NotEqual(0, tries);
    }

    [Fact]
    public void Where_no_thread_can_be_started_a_stale_value_is_given_out_all_the_same()
    {
        ManualClock clock = new();
        using TestCache test = new(new SharedCacheOptions { Clock = clock });
        test.Cache.Set("key"u8, "old"u8, Lasting);
        clock.Advance(100);
        Assert.Equal(CacheStatus.Ok, test.Cache.BeginFlight("key", out var flight));
        var other = test.OpenElsewhere(new SharedCacheOptions { Clock = clock });
        other.Heap.FlightWatch.Threads.StartThread = _ => throw OfType(typeof(OutOfMemoryException));
        Bytes.Equal("old"u8, other.GetOrAdd("key", _ => throw new NotSupportedException(), default, Patient with { AllowStale = true }));
        flight!.Dispose();
    }

    /// <summary>Who waits already when the owner dies does not find its slot free by taking it.</summary>
    [Theory]
    [MemberData(nameof(Waiting))]
    public async Task One_that_dies_while_it_is_waited_for_is_not_waited_for_any_longer(string who, bool hasThread)
    {
        using TestCache test = new(heap: new ShmHeapOptions { SizeBytes = TestCache.DefaultBytes, MaxParticipants = 2 });
        var dying = test.OpenElsewhere();

        // With trimming, a process without a slot would get one by and by, and so recover the dead.
        using var slotless = who == "no slot" ? ShmHeap.Attach(test.Path, new ShmHeapOptions { TrimAfter = Timeout.InfiniteTimeSpan }) : null;
        var waiting = who == "writer" ? test.Cache : who == "read-only" ? test.OpenReadOnly() : SharedCache.Open(slotless!);
        Assert.Equal(who == "writer", waiting.Heap.ParticipantSlot != null);
        waiting.Heap.FlightWatch.Threads.StartThread = hasThread ? waiting.Heap.FlightWatch.Threads.StartThread : _ => throw OfType(typeof(OutOfMemoryException));
        Assert.Equal(CacheStatus.Ok, dying.BeginFlight("key"u8, out _));
        var waiter = Task.Run(() => waiting.GetOrAdd("key", _ => [1], default, Patient), Cancellation);
        SpinWait.SpinUntil(() => waiting.Waiting() == 1);
        Release(dying.Heap);
        Assert.Equal([1], await waiter.WaitAsync(Long, Cancellation));

        static unsafe void Release(ShmHeap heap) => SlotLock.Release(heap.Attachment);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_flight_whose_clock_throws_at_its_end_keeps_nobody_waiting(bool isSynchronous)
    {
        ThrowingClock clock = new();
        using TestCache test = new(new SharedCacheOptions { Clock = clock });
        var other = test.OpenElsewhere(new SharedCacheOptions { Clock = new ManualClock { Now = clock.Now + TimeSpan.FromMilliseconds(200) } });
        test.Cache.Set("key"u8, "old"u8, Lasting);
        clock.Now += TimeSpan.FromMilliseconds(200);
        await Assert.ThrowsAsync<TimeoutException>(async () => _ = isSynchronous
            ? test.Cache.GetOrAdd("key", _ => Fail(), Lasting, Patient)
            : await test.Cache.GetOrAddAsync("key", async (_, _) => await Task.FromResult(Fail()), Lasting, Patient, Cancellation));
        Assert.Equal(CacheStatus.Ok, other.BeginFlight("key", out var flight));
        flight!.Dispose();

        byte[] Fail()
        {
            clock.Throws = true;
            throw new TimeoutException();
        }
    }

    /// <summary>A participant has 128 cells; what is leaked is missed soon.</summary>
    [Fact]
    public void A_lease_whose_clock_throws_holds_nothing()
    {
        ThrowingClock clock = new();
        using TestCache test = new(new SharedCacheOptions { Clock = clock });
        test.Cache.Set("key"u8, "value"u8, new() { Lifetime = TimeSpan.FromHours(1) });
        clock.Throws = true;
        for (var number = 0; number < 200; number++)
        {
            Assert.Throws<NotSupportedException>(() => test.Cache.Lease("key"u8, out _));
        }

        clock.Throws = false;
        Assert.Equal(CacheStatus.Ok, test.Cache.Lease("key"u8, out var lease));
        lease.Dispose();
        test.AssertNothingIsLost();
    }

    [Fact]
    public void A_reservation_whose_clock_throws_holds_nothing()
    {
        ThrowingClock clock = new();
        using TestCache test = new(new SharedCacheOptions { Clock = clock });
        for (var number = 0; number < 200; number++)
        {
            clock.Throws = false;
            Assert.Equal(CacheStatus.Ok, test.Cache.Reserve("key"u8, 5, out var reservation));
            clock.Throws = true;
            Assert.Throws<NotSupportedException>(() => reservation!.Commit());
        }

        clock.Throws = false;
        Assert.Null(test.Cache.Get("key"u8));
        test.AssertNothingIsLost();
    }

    [Fact]
    public void A_flight_that_is_forgotten_and_not_finalized_yet_is_given_up_with_its_heap()
    {
        using TestCache test = new();
        using ManualResetEventSlim isFinalizing = new();
        using ManualResetEventSlim mayEnd = new();
        var leaving = test.OpenElsewhere();
        leaving.Set("leased"u8, [1]);
        Assert.Equal(CacheStatus.Ok, leaving.Lease("leased"u8, out var lease));
        try
        {
            Forget(() => _ = new Late(isFinalizing, mayEnd));
            GC.Collect();
            Assert.True(isFinalizing.Wait(Long, Cancellation));
            Forget(() => Assert.Equal(CacheStatus.Ok, leaving.BeginFlight("key"u8, out _)));
            GC.Collect();
            leaving.Heap.Dispose();
            Assert.Equal(CacheStatus.Ok, test.Cache.BeginFlight("key"u8, out _));
        }
        finally
        {
            mayEnd.Set();
            GC.WaitForPendingFinalizers();
            lease.Dispose();
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        static void Forget(Action begin) => begin();
    }

    /// <summary>One of those that only the runtime makes.</summary>
    private static Exception OfType(Type type) => (Exception)RuntimeHelpers.GetUninitializedObject(type);

    /// <summary>Keeps the thread of the finalizers.</summary>
    private sealed class Late(ManualResetEventSlim isFinalizing, ManualResetEventSlim mayEnd)
    {
        ~Late()
        {
            isFinalizing.Set();
            mayEnd.Wait(Long);
        }
    }
}
