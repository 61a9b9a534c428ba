using ShmAlloc.Caching;
using ShmAlloc.Tests.Support;

namespace ShmAlloc.Tests.Caching;

/// <summary>How a caller waits whose limit is short, or over.</summary>
public sealed class FlightLimitTests
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>The runtime waits for whole milliseconds. The clock of the cache is read at each look.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Who_waits_for_less_than_a_millisecond_sleeps_all_the_same(bool isSynchronous)
    {
        const int rounds = 20;
        const int mostReadings = 20;
        CountingClock clock = new();
        using TestCache test = new(new SharedCacheOptions { Clock = clock });
        CacheFlightOptions hasty = new() { WaitLimit = TimeSpan.FromTicks(TimeSpan.TicksPerMillisecond - 1) };
        for (var round = 0; round < rounds; round++)
        {
            Assert.Equal(CacheStatus.Ok, test.Cache.BeginFlight($"{round}", out var flight));
            var value = isSynchronous
                ? await Task.Run(() => test.Cache.GetOrAdd($"{round}", _ => [1], default, hasty), Cancellation)
                : await test.Cache.GetOrAddAsync($"{round}", (_, _) => ValueTask.FromResult<byte[]>([1]), default, hasty, Cancellation);
            Assert.Equal([1], value);
            flight!.Dispose();
        }

        Assert.InRange(clock.Readings, rounds, rounds * mostReadings);
    }

    /// <summary>Who begins a flight may be making room for it, on a file system that takes its time.</summary>
    [Fact]
    public async Task Who_has_waited_too_long_for_one_that_is_just_beginning_works()
    {
        using TestCache test = new();
        TaskCompletionSource<byte[]> end = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var first = test.Cache.GetOrAddAsync("key", (_, _) => new ValueTask<byte[]>(end.Task), default, default, Cancellation).AsTask();
        using ManualResetEventSlim isHeld = new();
        using ManualResetEventSlim mayEnd = new();
        var holder = Threads.Start(1, _ =>
        {
            lock (Assert.Single(test.Heap.OwnFlights.Registered).Value.Gate)
            {
                isHeld.Set();
                mayEnd.Wait(Cancellation);
            }
        });
        isHeld.Wait(Cancellation);
        try
        {
            var second = Task.Run(() => test.Cache.GetOrAdd("key", _ => [2], default, new() { WaitLimit = TimeSpan.FromMilliseconds(50) }), Cancellation);
            Assert.Equal([2], await second.WaitAsync(Long, Cancellation));
        }
        finally
        {
            mayEnd.Set();
            holder();
        }

        end.SetResult([1]);
        Assert.Equal([1], await first);
    }

    private sealed class CountingClock : TimeProvider
    {
        private int _readings;

        internal int Readings => Volatile.Read(ref _readings);

        public override DateTimeOffset GetUtcNow()
        {
            Interlocked.Increment(ref _readings);
            return DateTimeOffset.UnixEpoch.AddYears(50);
        }
    }
}
