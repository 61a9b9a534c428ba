using System.Globalization;

namespace ShmAlloc.Benchmarks.Flights.Measuring;

/// <summary>
/// Callers of one process wait for values that another one works out: what the waiting costs, while nothing lands, and while other values land.
/// </summary>
internal static class WaitingMeasurement
{
    internal const string Wrong = "waiters with a wrong value or none";

    /// <summary>Values that nobody waits for, in a second.</summary>
    private const int Landings = 1000;

    internal static string RowOf(int waiters, bool isBusy)
    {
        string landings = isBusy ? string.Create(CultureInfo.InvariantCulture, $"{Landings:N0} other values land in a second") : "nothing lands";
        return string.Create(CultureInfo.InvariantCulture, $"{waiters:N0} {(waiters == 1 ? "waiter" : "waiters")}, {landings}");
    }

    internal static IEnumerable<FlightSeries> Measure(FlightEffort effort)
    {
        double wrong = 0;
        List<FlightSeries> rows = [];
        using FlightCell cell = new(processes: 2);
        foreach (int waiters in (int[])[1, effort.Waiters])
        {
            foreach (bool isBusy in (bool[])[false, true])
            {
                List<double> percents = [];
                for (int round = 0; round < effort.WaitingRounds; round++)
                {
                    string key = $"waiting-{waiters}-{isBusy}-{round}";
                    FlightCell.Ask(cell.First, $"begin {key} {waiters}");
                    FlightCell.Ask(cell.Second, $"park {key} {waiters}");
                    string measure = $"measure {effort.WaitingMilliseconds}";
                    cell.Second.Tell(measure);
                    FlightCell.Ask(cell.First, isBusy ? $"busy {key} {effort.WaitingMilliseconds} {Landings}" : "nothing");
                    percents.Add(FlightCell.Answer(cell.Second, measure)[0]);
                    FlightCell.Ask(cell.First, $"land {key} 0");
                    wrong += FlightCell.Ask(cell.Second, "gather")[0];
                    FlightCell.Ask(cell.First, "clear");
                }

                rows.Add(new(FlightTitles.Waiting, RowOf(waiters, isBusy), "%", percents));
            }
        }

        return [.. rows, new(FlightTitles.Waiting, Wrong, "", [wrong])];
    }
}
