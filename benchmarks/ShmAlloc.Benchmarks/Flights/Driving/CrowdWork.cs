using System.Diagnostics;
using System.Runtime.InteropServices;
using ShmAlloc.Caching;

namespace ShmAlloc.Benchmarks.Flights.Driving;

/// <summary>What a process does in which many callers want the same.</summary>
internal sealed class CrowdWork(SharedCache cache)
{
    private const int ValueBytes = 100;
    private const int FactoryMilliseconds = 50;

    /// <summary>Each asks for all keys, one after the other, and waits for none before it asks for the next.</summary>
    /// <returns>How many factories ran here, how many callers got something wrong, microseconds until all had their values, and of a processor.</returns>
    internal async Task<double[]> HerdAsync(string name, int keys, int callers)
    {
        int factories = 0;
        int wrong = 0;
        long begun = Stopwatch.GetTimestamp();
        TimeSpan used = Environment.CpuUsage.TotalTime;

        async ValueTask<byte[]> WorkOutAsync(int number)
        {
            Interlocked.Increment(ref factories);
            await Task.Delay(FactoryMilliseconds).ConfigureAwait(false);
            return ValueOf(number);
        }

        async Task AskAsync(int number)
        {
            byte[] value = await cache.GetOrAddAsync(FlightDriver.KeyOf(name, number), (_, _) => WorkOutAsync(number)).ConfigureAwait(false);
            if (!IsOf(number, value))
            {
                Interlocked.Increment(ref wrong);
            }
        }

        await Task.WhenAll(Enumerable.Range(0, callers).Select(
            _ => Task.Run(() => Task.WhenAll(Enumerable.Range(0, keys).Select(AskAsync))))).ConfigureAwait(false);
        return
        [
            factories, wrong, Stopwatch.GetElapsedTime(begun).TotalMicroseconds, (Environment.CpuUsage.TotalTime - used).TotalMicroseconds,
        ];
    }

    /// <returns>How many of the keys have their value.</returns>
    internal double[] Kept(string name, int keys) =>
        [Enumerable.Range(0, keys).Count(number => cache.Get(FlightDriver.KeyOf(name, number)) is { } value && IsOf(number, value))];

    /// <summary>Sets a value that is stale when this returns.</summary>
    internal double[] Expire(string name)
    {
        cache.Set(name, ValueOf(0), new CacheEntryOptions { Lifetime = TimeSpan.FromMilliseconds(20), StaleFor = TimeSpan.FromHours(1) });
        Thread.Sleep(FactoryMilliseconds);
        return [];
    }

    /// <summary>Callers ask every millisecond or so, while every factory fails.</summary>
    /// <returns>Attempts, callers without the stale value, calls; and of calls without an attempt the time of 99 % and of the longest.</returns>
    internal async Task<double[]> FailAsync(string name, int milliseconds, int retryMilliseconds)
    {
        const int callers = 4;
        CacheFlightOptions flight = new() { AllowStale = true, RetryAfter = TimeSpan.FromMilliseconds(retryMilliseconds) };
        int attempts = 0;
        int without = 0;
        List<double> times = [];
        long end = Stopwatch.GetTimestamp() + (milliseconds * Stopwatch.Frequency / 1000);

        async ValueTask<byte[]> FailToWorkOutAsync(Attempt attempt)
        {
            attempt.WasMade = true;
            Interlocked.Increment(ref attempts);
            await Task.Delay(FactoryMilliseconds).ConfigureAwait(false);
            throw new InvalidOperationException("It is down.");
        }

        async Task AskAsync()
        {
            List<double> own = [];
            while (Stopwatch.GetTimestamp() < end)
            {
                Attempt attempt = new();
                long begun = Stopwatch.GetTimestamp();
                try
                {
                    byte[] value = await cache.GetOrAddAsync(name, (_, _) => FailToWorkOutAsync(attempt), default, flight).ConfigureAwait(false);
                    if (!IsOf(0, value))
                    {
                        Interlocked.Increment(ref without);
                    }
                }
                catch (InvalidOperationException)
                {
                    Interlocked.Increment(ref without);
                }

                own.Add(attempt.WasMade ? double.NaN : Stopwatch.GetElapsedTime(begun).TotalMicroseconds);
                await Task.Delay(1).ConfigureAwait(false);
            }

            lock (times)
            {
                // In the first ones the compiler works.
                times.AddRange(own.Skip(own.Count / 10));
            }
        }

        await Task.WhenAll(Enumerable.Range(0, callers).Select(_ => Task.Run(AskAsync))).ConfigureAwait(false);
        double[] sorted = [.. times.Where(time => !double.IsNaN(time)).Order()];
        return [attempts, without, times.Count, sorted[(int)(sorted.Length * 0.99)], sorted[^1]];
    }

    private static byte[] ValueOf(int number)
    {
        byte[] value = new byte[ValueBytes];
        MemoryMarshal.Write(value, number);
        return value;
    }

    private static bool IsOf(int number, byte[] value) => value.Length == ValueBytes && MemoryMarshal.Read<int>(value) == number;

    /// <summary>Whether a call has run the factory.</summary>
    private sealed class Attempt
    {
        internal bool WasMade { get; set; }
    }
}
