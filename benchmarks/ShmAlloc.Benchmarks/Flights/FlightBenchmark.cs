using ShmAlloc.Benchmarks.Flights.Measuring;
using ShmAlloc.Benchmarks.Flights.Reporting;
using ShmAlloc.Benchmarks.Measuring;
using ShmAlloc.Benchmarks.Reporting;

namespace ShmAlloc.Benchmarks.Flights;

/// <summary>What the command line asks for.</summary>
internal sealed record FlightChoice(bool Quick, bool Smoke, string? Workload, string? Json);

/// <summary>Measures flights: one works a value out, callers in this and other processes wait for it.</summary>
internal sealed class FlightBenchmark
{
    private static readonly (string Title, Func<FlightEffort, IEnumerable<FlightSeries>> Measure)[] All =
    [
        (FlightTitles.Herd, HerdMeasurement.Measure),
        (FlightTitles.Landing, LandingMeasurement.Measure),
        (FlightTitles.Death, DeathMeasurement.Measure),
        (FlightTitles.Failing, FailingMeasurement.Measure),
        (FlightTitles.Waiting, WaitingMeasurement.Measure),
    ];

    private readonly FlightChoice _choice;
    private readonly FlightReport _report = new() { Machine = Machine.Describe([]) };

    private FlightBenchmark(FlightChoice choice)
    {
        _choice = choice;
    }

    internal static int Run(FlightChoice choice)
    {
        FlightBenchmark benchmark = new(choice);
        benchmark.Measure();
        return 0;
    }

    private void Measure()
    {
        FlightEffort effort = _choice.Smoke ? FlightEffort.Smoke : _choice.Quick ? FlightEffort.Quick : FlightEffort.Full;
        Say(_report.Machine);
        Note();
        foreach ((string title, Func<FlightEffort, IEnumerable<FlightSeries>> measure) in All.Where(each => IsAskedFor(each.Title)))
        {
            Console.Error.WriteLine(title);
            Measure(title, effort, measure);
            Note();
        }

        Say(new FlightTargets(_report.Series, effort).Table());
        if (_choice.Json is { } json)
        {
            _report.Write(json);
        }
    }

    private void Measure(string title, FlightEffort effort, Func<FlightEffort, IEnumerable<FlightSeries>> measure)
    {
        try
        {
            FlightSeries[] series = [.. measure(effort)];
            _report.Series.AddRange(series);
            Say(FlightTables.Of(title, series));
        }
        catch (BenchmarkException failure)
        {
            _report.Skipped.Add($"{title}: {failure.Message}");
            Say([$"SKIPPED {_report.Skipped[^1]}", ""]);
        }
    }

    private bool IsAskedFor(string title) => _choice.Workload is not { } part || title.Contains(part, StringComparison.OrdinalIgnoreCase);

    private void Note()
    {
        _report.Loads.Add(Machine.Load);
        Say([Machine.Load, ""]);
    }

    private static void Say(IEnumerable<string> lines)
    {
        foreach (string line in lines)
        {
            Console.WriteLine(line);
        }
    }
}
