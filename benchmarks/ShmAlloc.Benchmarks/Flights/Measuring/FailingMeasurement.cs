using System.Globalization;

namespace ShmAlloc.Benchmarks.Flights.Measuring;

/// <summary>What the values are made of is down for a while: callers in two processes ask all the time, and allow a stale value.</summary>
internal static class FailingMeasurement
{
    internal const string Attempts = "attempts";
    internal const string Without = "callers without the stale value";
    internal const string Calls = "calls";
    internal const string Usual = "99 % of the calls that made no attempt take at most";
    internal const string Longest = "the longest call that made no attempt";

    internal static IEnumerable<FlightSeries> Measure(FlightEffort effort)
    {
        using FlightCell cell = new(processes: 2);
        FlightCell.Ask(cell.First, "expire failing");
        double[][] both = cell.AskAll(string.Create(
            CultureInfo.InvariantCulture, $"fail failing {effort.FailingSeconds * 1000:F0} {effort.RetryMilliseconds}"));
        return
        [
            new(FlightTitles.Failing, Attempts, "", [both.Sum(figures => figures[0])]),
            new(FlightTitles.Failing, Without, "", [both.Sum(figures => figures[1])]),
            new(FlightTitles.Failing, Calls, "", [both.Sum(figures => figures[2])]),
            new(FlightTitles.Failing, Usual, "µs", [.. both.Select(figures => figures[3])]),
            new(FlightTitles.Failing, Longest, "µs", [.. both.Select(figures => figures[4])]),
        ];
    }
}
