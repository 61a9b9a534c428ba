using System.Globalization;
using ShmAlloc.Benchmarks.Flights.Measuring;
using ShmAlloc.Benchmarks.Reporting;

namespace ShmAlloc.Benchmarks.Flights.Reporting;

/// <summary>One table for each measurement.</summary>
internal static class FlightTables
{
    internal static IEnumerable<string> Of(string title, IReadOnlyList<FlightSeries> series) =>
    [
        $"### {title}",
        "",
        .. Tables.Markdown(
            [["", "figures", "least", "median", "99 %", "most"], .. series.Select(Row)]),
        "",
    ];

    /// <summary>A figure with its unit.</summary>
    internal static string Text(double value, string unit) => double.IsNaN(value) ? "" : unit switch
    {
        "µs" when value >= 10_000 => (value / 1000).ToString("F0", CultureInfo.InvariantCulture) + " ms",
        "µs" => value.ToString(value < 100 ? "F1" : "F0", CultureInfo.InvariantCulture) + " µs",
        "" => value.ToString("N0", CultureInfo.InvariantCulture),
        _ => value.ToString("0.##", CultureInfo.InvariantCulture) + " " + unit,
    };

    private static string[] Row(FlightSeries series)
    {
        string Of(double value) => Text(value, series.Unit);
        return
        [
            series.Row, series.Values.Count.ToString("N0", CultureInfo.InvariantCulture),
            Of(series.Least), Of(series.Median), Of(series.Percentile(99)), Of(series.Most),
        ];
    }
}
