using System.Globalization;
using ShmAlloc.Benchmarks.Flights.Measuring;
using ShmAlloc.Benchmarks.Reporting;
using ShmAlloc.Benchmarks.Web.Measuring;

namespace ShmAlloc.Benchmarks.Web;

/// <summary>The targets of three web workers.</summary>
internal sealed class WebTargets(IReadOnlyList<FlightSeries> series)
{
    internal IEnumerable<string> Table() => TargetRow.Table(
    [
        TargetRow.Bound(
            "requests/s ÷ Redis", 2, isMost: false,
            [Figure.Over(Median(LoadMeasurement.RateOf(WebSubject.Ours)), Median(LoadMeasurement.RateOf(WebSubject.Redis)), "")], Ratio),
        TargetRow.Bound(
            "cold start: calls of the backend ÷ keys", 1, isMost: true, [new Figure(Median(ColdStartMeasurement.CallsOf(WebSubject.Ours)), "")], Ratio),
        TargetRow.Bound(
            "answers from before a removal that was answered", 0, isMost: true,
            [new Figure(Median(StaleMeasurement.StaleOf(WebSubject.Ours)), "")], value => value.ToString("N0", CultureInfo.InvariantCulture)),
        TargetRow.Bound(
            "memory of three processes ÷ three MemoryCaches", 0.4, isMost: true, [Memory(MemoryMeasurement.MemoryOf)], Ratio),
        TargetRow.Bound(
            "longest pause of the collector ÷ that with MemoryCaches", 0.2, isMost: true, [Memory(MemoryMeasurement.PauseOf)], Ratio),
        TargetRow.Bound(
            "bytes of an entry ÷ those of the least of the others", 1, isMost: true,
            [Figure.Over(Median(EntryMeasurement.Ours), LeastOf(EntryMeasurement.Others), "")], Ratio),
    ]);

    private static string Ratio(double value) => value.ToString("0.00", CultureInfo.InvariantCulture);

    private Figure Memory(Func<string, string> row) => Figure.Over(Median(row(MemoryMeasurement.Ours)), Median(row(MemoryMeasurement.Private)), "");

    /// <summary>Of those that were measured.</summary>
    private double LeastOf(IEnumerable<string> rows) => rows.Select(Median).Where(value => !double.IsNaN(value)).DefaultIfEmpty(double.NaN).Min();

    private double Median(string row) => series.FirstOrDefault(each => each.Row == row)?.Median ?? double.NaN;
}
