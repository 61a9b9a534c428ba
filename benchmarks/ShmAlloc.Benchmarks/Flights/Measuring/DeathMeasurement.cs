using ShmAlloc.Benchmarks.Measuring;

namespace ShmAlloc.Benchmarks.Flights.Measuring;

/// <summary>The process that works is killed: it has left the time right before that in the cache.</summary>
internal static class DeathMeasurement
{
    internal const string ToFactory = "until the next factory begins";

    internal const string Among = "the same, while many others in its process wait for another leader";

    private const int MostAttempts = 3;

    internal static IEnumerable<FlightSeries> Measure(FlightEffort effort)
    {
        using FlightCell cell = new(processes: 2);
        Random random = new(1);
        FlightSeries alone = new(FlightTitles.Death, ToFactory, "µs", Die(cell, effort.Deaths, "alone", random));
        FlightCell.Ask(cell.Second, $"begin others {effort.Waiters}");
        FlightCell.Ask(cell.First, $"park others {effort.Waiters}");
        FlightSeries among = new(FlightTitles.Death, Among, "µs", Die(cell, effort.Deaths, "among", random));
        FlightCell.Ask(cell.Second, "land others 0");
        FlightCell.Ask(cell.First, "gather");
        return [alone, among];
    }

    private static List<double> Die(FlightCell cell, int deaths, string name, Random random)
    {
        const int least = 30;
        const int most = 60;
        List<double> times = [];
        for (int death = 0; times.Count < deaths && death < deaths * MostAttempts; death++)
        {
            string key = $"{name}-{death}";
            DriverProcess leader = cell.Add();
            FlightCell.Ask(leader, $"begin {key} 1");
            cell.First.Tell($"inherit {key}");
            leader.Tell($"die {key} {random.Next(least, most)}");
            double time = FlightCell.Answer(cell.First, "inherit")[0];
            if (!double.IsNaN(time))
            {
                times.Add(time);
            }

            cell.Remove(leader);
        }

        return times;
    }
}
