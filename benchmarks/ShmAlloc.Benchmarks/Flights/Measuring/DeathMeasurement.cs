using ShmAlloc.Benchmarks.Measuring;

namespace ShmAlloc.Benchmarks.Flights.Measuring;

/// <summary>The process that works is killed: it has left the time right before that in the cache.</summary>
internal static class DeathMeasurement
{
    internal const string ToFactory = "until the next factory begins";

    internal static IEnumerable<FlightSeries> Measure(FlightEffort effort)
    {
        List<double> times = [];
        Random random = new(1);
        using FlightCell cell = new(processes: 1);
        const int mostAttempts = 3;
        for (int death = 0; times.Count < effort.Deaths && death < effort.Deaths * mostAttempts; death++)
        {
            string key = $"death-{death}";
            DriverProcess leader = cell.Add();
            FlightCell.Ask(leader, $"begin {key} 1");
            cell.First.Tell($"inherit {key}");
            const int least = 30;
            const int most = 60;
            leader.Tell($"die {key} {random.Next(least, most)}");
            double time = FlightCell.Answer(cell.First, "inherit")[0];
            if (!double.IsNaN(time))
            {
                times.Add(time);
            }

            cell.Remove(leader);
        }

        return [new(FlightTitles.Death, ToFactory, "µs", times)];
    }
}
