namespace ShmAlloc.Benchmarks.Flights.Measuring;

/// <summary>How many, how often, and how long.</summary>
internal sealed record FlightEffort
{
    internal static readonly FlightEffort Full = new()
    {
        Keys = 10_000,
        Herds = 5,
        Landings = 1000,
        Deaths = 30,
        FailingSeconds = 10,
        Waiters = 20_000,
        WaitingRounds = 5,
        WaitingMilliseconds = 2000,
    };

    internal static readonly FlightEffort Quick = new()
    {
        Keys = 10_000,
        Herds = 2,
        Landings = 200,
        Deaths = 10,
        FailingSeconds = 3,
        Waiters = 20_000,
        WaitingRounds = 2,
        WaitingMilliseconds = 2000,
    };

    internal static readonly FlightEffort Smoke = new()
    {
        Keys = 20,
        Herds = 1,
        Landings = 3,
        Deaths = 1,
        FailingSeconds = 0.4,
        Waiters = 50,
        WaitingRounds = 1,
        WaitingMilliseconds = 50,
    };

    /// <summary>Keys of a herd.</summary>
    internal required int Keys { get; init; }

    internal required int Herds { get; init; }

    /// <summary>Of each kind of waiter.</summary>
    internal required int Landings { get; init; }

    internal required int Deaths { get; init; }

    /// <summary>For how long factories fail; a tenth of it is how long the next attempt waits.</summary>
    internal required double FailingSeconds { get; init; }

    internal required int Waiters { get; init; }

    internal required int WaitingRounds { get; init; }

    /// <summary>Over how long the time of the processor is taken.</summary>
    internal required int WaitingMilliseconds { get; init; }

    /// <summary>How long nobody tries again after a failure.</summary>
    internal int RetryMilliseconds => (int)(FailingSeconds * 1000 / Attempts);

    /// <summary>How many attempts may follow the first one.</summary>
    internal static int Attempts => 10;
}
