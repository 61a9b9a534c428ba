using System.Runtime.CompilerServices;
using ShmAlloc.Caching;
using ShmAlloc.Memory;
using ShmAlloc.Participants;
using ShmAlloc.Tests.Support;

namespace ShmAlloc.Tests.Caching;

/// <summary>Flights whose heap goes, or whose object is forgotten; and those who wait for them.</summary>
public sealed class FlightEndTests : IDisposable
{
    private static readonly CacheFlightOptions Patient = new() { WaitLimit = Timeout.InfiniteTimeSpan };

    private readonly TestCache _test = new();

    private SharedCache Cache => _test.Cache;

    public void Dispose() => _test.Dispose();

    [Fact]
    public void A_heap_that_is_disposed_with_flights_and_a_lease_lets_others_work_at_once()
    {
        var leaving = _test.OpenElsewhere();
        leaving.Set("leased"u8, "value"u8);
        Assert.Equal(CacheStatus.Ok, leaving.Lease("leased"u8, out var lease));
        Assert.Equal(CacheStatus.Ok, leaving.BeginFlight("key"u8, out var flight));
        leaving.Heap.Dispose();
        Assert.Equal([1], Cache.GetOrAdd("key", _ => [1], default, Patient));
        Assert.Equal(CacheStatus.Exists, Cache.BeginFlight("key"u8, out _));
        Assert.Equal(CacheFlightOutcome.Unavailable, flight!.Complete("late"u8, default));
        lease.Dispose();
        _test.AssertNothingIsLost();
    }

    [Fact]
    public void Who_waits_in_a_heap_that_is_disposed_learns_of_it()
    {
        var leaving = _test.OpenElsewhere();
        Assert.Equal(CacheStatus.Ok, Cache.BeginFlight("key"u8, out var flight));
        var waiters = Threads.Start(4, _ => Assert.Throws<ObjectDisposedException>(() => leaving.GetOrAdd("key", _ => [1], default, Patient)));
        SpinWait.SpinUntil(() => leaving.Waiting() == 4);
        leaving.Heap.Dispose();
        waiters();
        flight!.Dispose();
        _test.AssertNothingIsLost();
    }

    [Fact]
    public void A_flight_that_is_forgotten_ends_with_its_object()
    {
        Begin(Cache);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.Equal([1], _test.OpenElsewhere().GetOrAdd("key", _ => [1], default, Patient));

        [MethodImpl(MethodImplOptions.NoInlining)]
        static void Begin(SharedCache cache) => Assert.Equal(CacheStatus.Ok, cache.BeginFlight("key"u8, out _));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_flight_that_could_not_tell_others_of_its_end_tells_them_later(bool isOwnProcess)
    {
        var leading = _test.OpenElsewhere();
        Assert.Equal(CacheStatus.Ok, leading.BeginFlight("key"u8, out var flight));
        var cells = TakeAllCells(leading.Heap);
        flight!.Dispose();
        Assert.Equal(CacheStatus.Computing, Cache.BeginFlight("key"u8, out _));
        Release(leading.Heap, cells);
        var caller = (isOwnProcess ? leading : Cache).GetOrAddAsync(
            "key", (_, _) => ValueTask.FromResult<byte[]>([1]), default, Patient, TestContext.Current.CancellationToken);
        Assert.Equal([1], await caller.AsTask().WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken));
        _test.AssertNothingIsLost();

        static unsafe List<int> TakeAllCells(ShmHeap heap)
        {
            // Nobody gives one back: so there is no use in waiting long.
            heap.Attachment->MaxTurns = 1;
            List<int> taken = [];
            while (Cells<Hardware>.TryTakeAtOnce(heap.Attachment, out var cell) == ShmStatus.Ok)
            {
                taken.Add(cell);
            }

            return taken;
        }

        static unsafe void Release(ShmHeap heap, List<int> cells) => cells.ForEach(cell => Cells<Hardware>.Release(heap.Attachment, cell));
    }

    [Fact]
    public void Who_may_only_read_waits_for_others()
    {
        var reader = _test.OpenReadOnly();
        Assert.Equal(CacheStatus.Ok, Cache.BeginFlight("key"u8, out var flight));
        var waiter = Threads.Start(1, _ => Assert.Equal([1], reader.GetOrAdd("key", _ => throw new NotSupportedException(), default, Patient)));
        SpinWait.SpinUntil(() => reader.Waiting() == 1);
        Assert.Equal(CacheFlightOutcome.Stored, flight!.Complete([1], default));
        waiter();
    }
}
