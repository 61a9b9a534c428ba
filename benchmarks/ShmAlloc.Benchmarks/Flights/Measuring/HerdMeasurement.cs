namespace ShmAlloc.Benchmarks.Flights.Measuring;

/// <summary>A cache is emptied, and everybody asks for everything: how many factories run, and how many values are kept.</summary>
internal static class HerdMeasurement
{
    internal const string Factories = "factories that ran";
    internal const string Kept = "values kept";
    internal const string Wrong = "callers with a wrong value or none";
    internal const string Duration = "until the last caller has its value";
    internal const string Load = "a processor's time, of each process, while callers wait";

    private const int Callers = 4;

    internal static IEnumerable<FlightSeries> Measure(FlightEffort effort)
    {
        List<double> factories = [];
        List<double> kept = [];
        List<double> wrong = [];
        List<double> durations = [];
        List<double> processorTimes = [];
        using FlightCell cell = new(processes: 2);

        // What the compiler has to do would otherwise be most of the first herd.
        cell.AskAll($"herd warm {Math.Min(effort.Keys, 500)} {Callers}");
        for (int herd = 0; herd < effort.Herds; herd++)
        {
            FlightCell.Ask(cell.First, "clear");
            double[][] both = cell.AskAll($"herd round-{herd} {effort.Keys} {Callers}");
            factories.Add(both.Sum(figures => figures[0]));
            wrong.Add(both.Sum(figures => figures[1]));
            durations.Add(both.Max(figures => figures[2]));
            processorTimes.AddRange(both.Select(figures => figures[3]));
            kept.Add(FlightCell.Ask(cell.Second, $"kept round-{herd} {effort.Keys}")[0]);
        }

        return
        [
            new(FlightTitles.Herd, Factories, "", factories),
            new(FlightTitles.Herd, Kept, "", kept),
            new(FlightTitles.Herd, Wrong, "", wrong),
            new(FlightTitles.Herd, Duration, "µs", durations),
            new(FlightTitles.Herd, Load, "µs", processorTimes),
        ];
    }
}
