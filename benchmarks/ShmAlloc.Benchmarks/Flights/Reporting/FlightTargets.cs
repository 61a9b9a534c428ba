using System.Globalization;
using ShmAlloc.Benchmarks.Flights.Measuring;
using ShmAlloc.Benchmarks.Reporting;

namespace ShmAlloc.Benchmarks.Flights.Reporting;

/// <summary>The targets of flights: the worst round counts, unless the target is a median or a share of all.</summary>
internal sealed class FlightTargets(IReadOnlyList<FlightSeries> series, FlightEffort effort)
{
    /// <summary>What "at once" is taken for.</summary>
    private const double AtOnceMicroseconds = 1000;

    internal IEnumerable<string> Table() => TargetRow.Table(Rows());

    private IEnumerable<TargetRow> Rows()
    {
        string keys = effort.Keys.ToString("N0", CultureInfo.InvariantCulture);
        FlightSeries? herds = Find(HerdMeasurement.Factories);
        FlightSeries? kept = Find(HerdMeasurement.Kept);
        yield return AtMost($"{keys} keys missing at once: factories", effort.Keys, Of(herds, each => each.Most, ""), "");
        yield return TargetRow.Bound(
            $"{keys} keys missing at once: values kept", effort.Keys, isMost: false, Of(kept, each => each.Least, ""), value => Text(value, ""));
        yield return AtMost("a process that waits, of a processor", 5, [.. Waiting(1), .. Waiting(effort.Waiters)], "%");
        yield return AtMost("landing to a waiter in another process, median", 100, Landings(each => each.Median), "µs");
        yield return AtMost("landing to a waiter in another process, 99 %", 2000, Landings(each => each.Percentile(99)), "µs");
        yield return AtMost(
            "death of the leader to the next factory, the worst",
            30_000,
            [.. Of(Find(DeathMeasurement.ToFactory), each => each.Most, ""), .. Of(Find(DeathMeasurement.Among), each => each.Most, "many others wait")],
            "µs");
        yield return AtMost("factory fails, stale allowed: callers without a value", 0, Of(Find(FailingMeasurement.Without), each => each.Most, ""), "");
        yield return AtMost(
            "factory fails, stale allowed: a call, 99 %", AtOnceMicroseconds, Of(Find(FailingMeasurement.Usual), each => each.Most, ""), "µs");
        yield return AtMost(
            "factory fails, stale allowed: attempts in 10 × RetryAfter, besides the first", FlightEffort.Attempts,
            Of(Find(FailingMeasurement.Attempts), each => each.Most - 1, ""), "");
    }

    private IEnumerable<Figure> Landings(Func<FlightSeries, double> what) =>
        [.. Of(Find(LandingMeasurement.Thread), what, LandingMeasurement.Thread), .. Of(Find(LandingMeasurement.Await), what, LandingMeasurement.Await)];

    /// <summary>The median of the rounds: a process does other things, too, in its first seconds.</summary>
    private IEnumerable<Figure> Waiting(int waiters) =>
        from isBusy in (bool[])[false, true]
        let row = WaitingMeasurement.RowOf(waiters, isBusy)
        from figure in Of(Find(row), each => each.Median, row)
        select figure;

    private static IEnumerable<Figure> Of(FlightSeries? found, Func<FlightSeries, double> what, string name) =>
        found is null ? [] : [new Figure(what(found), name)];

    private static TargetRow AtMost(string what, double most, IEnumerable<Figure> figures, string unit) =>
        TargetRow.Bound(what, most, isMost: true, figures, value => Text(value, unit));

    private static string Text(double value, string unit) => FlightTables.Text(value, unit);

    private FlightSeries? Find(string row) => series.FirstOrDefault(each => each.Row == row);
}
