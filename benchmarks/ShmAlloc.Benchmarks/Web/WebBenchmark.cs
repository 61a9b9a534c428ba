using ShmAlloc.Benchmarks.Flights.Measuring;
using ShmAlloc.Benchmarks.Flights.Reporting;
using ShmAlloc.Benchmarks.Hybrid.Driving;
using ShmAlloc.Benchmarks.Measuring;
using ShmAlloc.Benchmarks.Reporting;
using ShmAlloc.Benchmarks.Web.Measuring;

namespace ShmAlloc.Benchmarks.Web;

/// <summary>What the command line asks for.</summary>
internal sealed record WebChoice(bool Quick, bool Smoke, string? Workload, string? Json);

/// <summary>Measures three web workers that share a cache beside three that share a Redis, and three that have a cache each.</summary>
internal sealed class WebBenchmark
{
    private static readonly (string Title, Func<WebEffort, IEnumerable<FlightSeries>> Measure)[] All =
    [
        (LoadMeasurement.Title, LoadMeasurement.Measure),
        (ColdStartMeasurement.Title, ColdStartMeasurement.Measure),
        (StaleMeasurement.Title, StaleMeasurement.Measure),
        (MemoryMeasurement.Title, MemoryMeasurement.Measure),
        (EntryMeasurement.Title, EntryMeasurement.Measure),
    ];

    private readonly WebChoice _choice;
    private readonly FlightReport _report = new() { Machine = Machine.Describe([.. Versions()]) };

    private WebBenchmark(WebChoice choice) => _choice = choice;

    internal static int Run(WebChoice choice)
    {
        new WebBenchmark(choice).Measure();
        return 0;
    }

    private static IEnumerable<Presence> Versions() =>
        from subject in (string[])[HybridSubjects.Ours, HybridSubjects.MicrosoftRedis, HybridSubjects.Redis, HybridSubjects.Memory]
        select new Presence(subject, HybridSubjects.VersionOf(subject), null);

    private void Measure()
    {
        WebEffort effort = _choice.Smoke ? WebEffort.Smoke : _choice.Quick ? WebEffort.Quick : WebEffort.Full;
        Say(_report.Machine);
        Note();
        foreach ((string title, Func<WebEffort, IEnumerable<FlightSeries>> measure) in All.Where(each => IsAskedFor(each.Title)))
        {
            Console.Error.WriteLine(title);
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

            Note();
        }

        Say(new WebTargets(_report.Series).Table());
        if (_choice.Json is { } json)
        {
            _report.Write(json);
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
