using System.Runtime.CompilerServices;
using System.Text;
using ShmAlloc.Caching;
using ShmAlloc.Disposal;
using ShmAlloc.Layout;
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
        if (isOwnProcess)
        {
            // There is a thread that tells them; but also who begins a flight does.
            leading.Heap.FlightWatch.Threads.StartThread = _ => throw (Exception)RuntimeHelpers.GetUninitializedObject(typeof(ThreadStartException));
        }

        Assert.Equal(CacheStatus.Ok, leading.BeginFlight("key"u8, out var flight));
        var cells = TakeAllCells(leading.Heap);
        flight!.Dispose();
        Assert.Equal(CacheStatus.Computing, Cache.BeginFlight("key"u8, out _));
        Release(leading.Heap, cells);
        var caller = (isOwnProcess ? leading : Cache).GetOrAddAsync(
            "key", (_, _) => ValueTask.FromResult<byte[]>([1]), default, Patient, TestContext.Current.CancellationToken);
        Assert.Equal([1], await caller.AsTask().WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken));
        _test.AssertNothingIsLost();
    }

    /// <summary>What a C program does, which has no thread that tells them.</summary>
    [Fact]
    public unsafe void Without_a_thread_the_next_calls_tell_others_of_the_ends_of_flights()
    {
        const int flights = Attachment.UntoldEnds;
        var leading = _test.OpenElsewhere();
        var heap = leading.Heap.Attachment;
        var table = Directory<Hardware>.Find(heap, 0);
        for (var round = 0; round < 2; round++)
        {
            for (var number = 0; number < flights; number++)
            {
                var text = Encoding.UTF8.GetBytes($"{number}");
                fixed (byte* bytes = text)
                {
                    CacheKey key = new(bytes, text.Length, HashOf(heap, bytes, text.Length));
                    var look = Flight<Hardware>.Begin(heap, table, key, new FlightRequest { Mine = Flight<Hardware>.Name(heap) }, 0);
                    Assert.Equal(FlightState.Begun, look.State);
                    UntoldEnds<Hardware>.Note(heap, table, key.Hash, look.Stamp, look.Word, WorkWord.NotBefore(0));
                }
            }

            var cells = TakeAllCells(leading.Heap);
            var waits = heap->WaitsInVain;
            UntoldEnds<Hardware>.Tell(heap);
            Assert.Equal((flights, waits), ((int)heap->Untold, heap->WaitsInVain));
            Assert.Equal(CacheStatus.Computing, Cache.BeginFlight("0", out _));
            Release(leading.Heap, cells);
            UntoldEnds<Hardware>.Tell(heap);
            Assert.Equal(0U, heap->Untold);
            for (var number = 0; number < flights; number++)
            {
                Assert.Equal(CacheStatus.Ok, Cache.BeginFlight($"{number}", out var flight));
                flight!.Dispose();
            }
        }

        _test.AssertNothingIsLost();
    }

    /// <summary>A clock may throw, or never answer: then nobody else would be told anything, nor the dead be looked after.</summary>
    [Fact]
    public void The_thread_that_tells_others_of_an_end_later_does_not_ask_the_clock_of_the_user()
    {
        HaltingClock clock = new();
        using TestCache test = new(new SharedCacheOptions { Clock = clock });
        HaltingClock leadersClock = new();
        var leading = test.OpenElsewhere(new SharedCacheOptions { Clock = leadersClock });
        var flight = BeginOnStale(test.Cache, leading, clock, leadersClock);
        var cells = TakeAllCells(leading.Heap);
        flight.Dispose();
        leadersClock.Halt(0, () => { });
        Release(leading.Heap, cells);
        Bytes.Equal("new"u8, test.Cache.GetOrAdd("key", _ => "new"u8.ToArray(), default, Patient));
        Assert.True(leadersClock.IsUnused);
    }

    [Fact]
    public void The_thread_of_the_finalizers_does_not_ask_the_clock_of_the_user()
    {
        HaltingClock clock = new();
        using TestCache test = new(new SharedCacheOptions { Clock = clock });
        HaltingClock leadersClock = new();
        var leading = test.OpenElsewhere(new SharedCacheOptions { Clock = leadersClock });
        Forget(() => BeginOnStale(test.Cache, leading, clock, leadersClock));
        leadersClock.Halt(0, () => { });
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Bytes.Equal("new"u8, test.Cache.GetOrAdd("key", _ => "new"u8.ToArray(), default, Patient));
        Assert.True(leadersClock.IsUnused);

        [MethodImpl(MethodImplOptions.NoInlining)]
        static void Forget(Action begin) => begin();
    }

    private static CacheFlight BeginOnStale(SharedCache cache, SharedCache leading, params HaltingClock[] clocks)
    {
        cache.Set("key", "old"u8, new CacheEntryOptions { Lifetime = TimeSpan.FromMilliseconds(50), StaleFor = TimeSpan.FromHours(1) });
        Assert.All(clocks, clock => clock.Advance(100));
        Assert.Equal(CacheStatus.Ok, leading.BeginFlight("key"u8, out var flight));
        return flight!;
    }

    /// <summary>Each would wait for a cell as long as somebody might give one back.</summary>
    [Fact]
    public unsafe void A_heap_that_is_disposed_while_all_cells_are_in_use_does_not_wait_for_one_for_each_flight()
    {
        const int flights = 8;
        var leaving = _test.OpenElsewhere();
        var heap = leaving.Heap;
        List<CacheFlight?> begun = [];
        for (var number = 0; number < flights; number++)
        {
            Assert.Equal(CacheStatus.Ok, leaving.BeginFlight($"{number}", out var flight));
            begun.Add(flight);
        }

        var cells = TakeAllCells(heap);
        heap.Attachment->MaxTurns = 1500;
        var before = heap.Attachment->WaitsInVain;
        heap.Dispose();
        Assert.InRange(heap.Attachment->WaitsInVain - before, 1UL, (ulong)flights);
        using (new Visit(heap))
        {
            Release(heap, cells);
        }

        Assert.True(heap.IsDisposed);
        GC.KeepAlive(begun);
    }

    /// <summary>
    /// A stale value gives way to a placeholder, because the next one has other tags: who owns its word then finds no cell to put that there, nor to say that it
    /// does not work. Another thread takes the cell that is left just then, in one of some tries.
    /// </summary>
    [Fact]
    public async Task A_flight_that_could_neither_begin_nor_say_so_says_so_later()
    {
        ManualClock clock = new();
        using TestCache test = new(new SharedCacheOptions { Clock = clock });
        var leading = test.OpenElsewhere(new SharedCacheOptions { Clock = clock });
        var isLeft = false;
        for (var tries = 0; tries < 10_000 && !isLeft; tries++)
        {
            var key = $"{tries}";
            test.Cache.Set(key, "old"u8, new CacheEntryOptions { Lifetime = TimeSpan.FromMilliseconds(50), StaleFor = TimeSpan.FromHours(1), Tags = ["tag"] });
            clock.Advance(100);
            var cells = TakeAllCells(leading.Heap);
            Release(leading.Heap, [cells[^1]]);
            cells.RemoveAt(cells.Count - 1);
            using (StartThief(test.Cache, leading.Heap, key, cells))
            {
                Bytes.Equal("new"u8, leading.GetOrAdd(key, _ => "new"u8.ToArray()));
            }

            isLeft = test.Cache.BeginFlight(key, out var flight) == CacheStatus.Computing;
            flight?.Dispose();
            Release(leading.Heap, cells);
            var next = Task.Run(() => test.Cache.GetOrAdd(key, _ => "next"u8.ToArray(), default, Patient), TestContext.Current.CancellationToken);
            Assert.Equal("next"u8.ToArray(), await next.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken));
        }

        Assert.True(isLeft);

        // Takes the last cell as soon as the word has an owner.
        static Ending StartThief(SharedCache cache, ShmHeap heap, string key, List<int> cells)
        {
            CancellationTokenSource end = new();
            Thread thief = new(() =>
            {
                while (!end.IsCancellationRequested && !IsOwned(cache.Heap, key))
                {
                }

                while (!end.IsCancellationRequested && !TryTake(heap, cells))
                {
                }
            });
            thief.Start();
            return new Ending(() =>
            {
                end.Cancel();
                thief.Join();
                end.Dispose();
            });
        }

        static unsafe bool TryTake(ShmHeap heap, List<int> cells)
        {
            var isTaken = Cells<Hardware>.TryTakeAtOnce(heap.Attachment, out var cell) == ShmStatus.Ok;
            if (isTaken)
            {
                cells.Add(cell);
            }

            return isTaken;
        }
    }

    private sealed class Ending(Action end) : IDisposable
    {
        public void Dispose() => end();
    }

    private static unsafe bool IsOwned(ShmHeap heap, string key)
    {
        var bytes = Encoding.UTF8.GetBytes(key);
        fixed (byte* first = bytes)
        {
            CacheKey sought = new(first, bytes.Length, HashOf(heap.Attachment, first, bytes.Length));
            CacheReader<Hardware>.TryReadAnywhere(heap.Attachment, Directory<Hardware>.Find(heap.Attachment, 0), sought, null, 0, out var facts, isUse: false);
            return facts.Work != 0 && new WorkWord(facts.Work).IsOwned;
        }
    }

    private static unsafe ulong HashOf(Attachment* heap, byte* key, int length)
    {
        var seed = (ulong*)&heap->Header->HashSeed;
        return KeyHash.Of(key, length, seed[0], seed[1]);
    }

    private static unsafe List<int> TakeAllCells(ShmHeap heap)
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

    private static unsafe void Release(ShmHeap heap, List<int> cells) => cells.ForEach(cell => Cells<Hardware>.Release(heap.Attachment, cell));

    /// <summary>What the factory has registered with its token, and takes its time, is no matter of the caller that leaves.</summary>
    [Fact]
    public async Task A_caller_that_leaves_does_not_wait_for_what_the_factory_does_when_it_is_cancelled()
    {
        using CancellationTokenSource leaving = new();
        using ManualResetEventSlim mayEnd = new();
        TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var call = Cache.GetOrAddAsync("key", Work, default, Patient, leaving.Token).AsTask();
        await begun.Task;
        var cancelling = Task.Run(leaving.Cancel, TestContext.Current.CancellationToken);
        try
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken));
        }
        finally
        {
            mayEnd.Set();
        }

        await cancelling;

        async ValueTask<byte[]> Work(string key, CancellationToken abandoned)
        {
            TaskCompletionSource never = new(TaskCreationOptions.RunContinuationsAsynchronously);
            using var registration = abandoned.Register(() =>
            {
                mayEnd.Wait(TestContext.Current.CancellationToken);
                never.SetCanceled(abandoned);
            });
            begun.SetResult();
            await never.Task;
            return [];
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_factory_that_never_ends_is_not_found_when_its_last_caller_has_left(bool isPrivate)
    {
        var cache = isPrivate ? _test.OpenReadOnly() : Cache;
        using CancellationTokenSource leaving = new();
        TaskCompletionSource<byte[]> never = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var call = cache.GetOrAddAsync("key", (_, _) => new ValueTask<byte[]>(never.Task), default, Patient, leaving.Token).AsTask();
        Assert.Equal(1, Found());
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        Assert.Equal(0, Found());
        never.SetResult([1]);

        int Found()
        {
            lock (cache.Heap.PrivateFlights.Gate)
            {
                return cache.Heap.OwnFlights.Registered.Count + (cache.Heap.PrivateFlights.FindOnly() == null ? 0 : 1);
            }
        }
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
