namespace ShmAlloc.Benchmarks.Flights.Measuring;

/// <summary>The headings of the tables.</summary>
internal static class FlightTitles
{
    internal const string Herd = "herd: many keys missing at once, 4 callers of each in both of 2 processes";
    internal const string Landing = "landing: from the moment when a value lands until a waiter in another process has it";
    internal const string Death = "death: from the death of the leader until the factory of a waiter in another process begins";
    internal const string Failing = "failing: every factory fails, and callers allow a stale value";
    internal const string Waiting = "waiting: what a process uses of one processor while its callers wait for another process";
}
