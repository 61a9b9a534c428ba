using System.Diagnostics;
using ShmAlloc.Caching;

namespace ShmAlloc.Benchmarks.Flights.Driving;

/// <summary>What a process does that waits for another one.</summary>
internal sealed class WaiterWork(SharedCache cache)
{
    private static readonly CacheFlightOptions ForEver = new() { WaitLimit = Timeout.InfiniteTimeSpan };

    private readonly List<Task<byte[]>> _parked = [];

    /// <summary>Waits as a thread.</summary>
    /// <returns>Microseconds from the landing, or not a number if that was before the wait.</returns>
    internal double[] Wait(string name)
    {
        long begun = Stopwatch.GetTimestamp();
        byte[] value = cache.GetOrAdd(FlightDriver.KeyOf(name, 0), static _ => []);
        return [Since(begun, value, Stopwatch.GetTimestamp())];
    }

    /// <summary>Waits in an asynchronous method.</summary>
    internal async Task<double[]> WaitAsync(string name)
    {
        long begun = Stopwatch.GetTimestamp();
        byte[] value = await cache.GetOrAddAsync(FlightDriver.KeyOf(name, 0), Nothing).ConfigureAwait(false);
        return [Since(begun, value, Stopwatch.GetTimestamp())];
    }

    /// <summary>Waits for a process that is killed meanwhile.</summary>
    /// <returns>Microseconds from the death until this process works instead; not a number if it came after that.</returns>
    internal double[] Inherit(string name)
    {
        long came = Stopwatch.GetTimestamp();
        long begun = 0;
        cache.GetOrAdd(FlightDriver.KeyOf(name, 0), _ => TimeValue.Of(begun = Stopwatch.GetTimestamp()));
        byte[] lastWord = cache.Get(LeaderWork.LastWordOf(name)) ?? throw new InvalidOperationException("The leader left no time.");
        long died = TimeValue.Read(lastWord);
        return [begun == 0 || died < came ? double.NaN : TimeValue.Microseconds(died, begun)];
    }

    /// <summary>Has callers wait.</summary>
    internal double[] Park(string name, int waiters)
    {
        const int settlingMilliseconds = 300;
        for (int number = 0; number < waiters; number++)
        {
            _parked.Add(cache.GetOrAddAsync(FlightDriver.KeyOf(name, number), Nothing, default, ForEver).AsTask());
        }

        GC.Collect();
        Thread.Sleep(settlingMilliseconds);
        return [];
    }

    /// <summary>Does nothing for a while.</summary>
    /// <returns>What this process has used of one processor meanwhile, in percent.</returns>
    internal static double[] Measure(int milliseconds)
    {
        TimeSpan before = Environment.CpuUsage.TotalTime;
        long begun = Stopwatch.GetTimestamp();
        Thread.Sleep(milliseconds);
        TimeSpan used = Environment.CpuUsage.TotalTime - before;
        return [used / Stopwatch.GetElapsedTime(begun) * 100];
    }

    /// <summary>Waits for those who wait.</summary>
    /// <returns>How many have no value of the leader's.</returns>
    internal async Task<double[]> GatherAsync()
    {
        byte[][] values = await Task.WhenAll(_parked).ConfigureAwait(false);
        _parked.Clear();
        return [values.Count(value => value.Length != sizeof(long))];
    }

    private static ValueTask<byte[]> Nothing(string key, CancellationToken cancellation) => ValueTask.FromResult<byte[]>([]);

    private static double Since(long begun, byte[] value, long had)
    {
        long landed = value.Length == sizeof(long) ? TimeValue.Read(value) : 0;
        return landed > begun ? TimeValue.Microseconds(landed, had) : double.NaN;
    }
}
