using ShmAlloc.Benchmarks.Flights.Measuring;
using ShmAlloc.Benchmarks.Reporting;

namespace ShmAlloc.Benchmarks.Flights.Reporting;

/// <summary>What a run has found out so far, and the same for programs.</summary>
internal sealed class FlightReport
{
    internal required IReadOnlyList<string> Machine { get; init; }

    internal List<string> Loads { get; } = [];

    internal List<string> Skipped { get; } = [];

    internal List<FlightSeries> Series { get; } = [];

    internal void Write(string path) => JsonReport.Write(path, new
    {
        Process = Environment.ProcessId,
        Machine,
        Loads,
        Skipped,
        Results = Series.Select(series => new
        {
            Group = series.Title,
            series.Row,
            series.Unit,
            series.Values,
        }),
    });
}
