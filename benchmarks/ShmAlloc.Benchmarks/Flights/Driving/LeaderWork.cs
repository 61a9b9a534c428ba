using System.Diagnostics;
using ShmAlloc.Caching;

namespace ShmAlloc.Benchmarks.Flights.Driving;

/// <summary>What a process does that works values out for others.</summary>
internal sealed class LeaderWork(SharedCache cache)
{
    /// <summary>After a landing, so that the answer to the parent takes no time of the processor that the waiter is woken on.</summary>
    internal const int RestMilliseconds = 2;

    private readonly List<CacheFlight> _flights = [];

    /// <summary>Where the moment of a death is left.</summary>
    internal static string LastWordOf(string name) => name + "-died";

    internal double[] Begin(string name, int flights)
    {
        for (int number = 0; number < flights; number++)
        {
            _flights.Add(Begin(FlightDriver.KeyOf(name, number)));
        }

        return [];
    }

    /// <summary>Lands all flights; each value is the moment right before its landing.</summary>
    internal double[] Land(string name, int milliseconds)
    {
        Thread.Sleep(milliseconds);
        foreach (CacheFlight flight in _flights)
        {
            Complete(flight, name);
        }

        Thread.Sleep(RestMilliseconds);
        _flights.Clear();
        return [];
    }

    /// <summary>Lands values that nobody waits for, so many in a second.</summary>
    internal double[] LandOthers(string name, int milliseconds, int landingsPerSecond)
    {
        long begun = Stopwatch.GetTimestamp();
        int landed = 0;
        for (double passed = 0; passed < milliseconds; passed = Stopwatch.GetElapsedTime(begun).TotalMilliseconds)
        {
            for (; landed < passed * landingsPerSecond / 1000; landed++)
            {
                Complete(Begin(FlightDriver.KeyOf(name + "-other", landed)), name);
            }

            Thread.Sleep(1);
        }

        return [landed];
    }

    internal double[] Die(string name, int milliseconds)
    {
        Thread.Sleep(milliseconds);
        using Process self = Process.GetCurrentProcess();
        cache.Set(LastWordOf(name), TimeValue.Now());
        self.Kill();
        return [];
    }

    private CacheFlight Begin(string key)
    {
        CacheStatus status = cache.BeginFlight(key, out CacheFlight? flight);
        return flight ?? throw new InvalidOperationException($"{key} could not be begun: {status}.");
    }

    private static void Complete(CacheFlight flight, string name)
    {
        CacheFlightOutcome outcome = flight.Complete(TimeValue.Now(), default);
        if (outcome != CacheFlightOutcome.Stored)
        {
            throw new InvalidOperationException($"A value of {name} was not stored: {outcome}.");
        }
    }
}
