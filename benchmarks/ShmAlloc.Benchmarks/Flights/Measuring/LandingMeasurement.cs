using ShmAlloc.Benchmarks.Measuring;

namespace ShmAlloc.Benchmarks.Flights.Measuring;

/// <summary>One process lands at random moments, another one waits: the value is the time at which its landing began.</summary>
internal static class LandingMeasurement
{
    internal const string Thread = "the waiter is a thread";
    internal const string Await = "the waiter awaits";
    internal const string Socket = "without a cache: a message through a socket to a thread that waits";
    internal const string Late = "landings before the waiter came, which do not count";

    private const int LeastMilliseconds = 4;
    private const int MostMilliseconds = 24;

    /// <summary>On a busy machine a waiter may take its time to come.</summary>
    private const int MostPatience = 64;

    private static readonly (string Row, string Begin, string Wait, string Land)[] Waiters =
        [(Thread, "begin", "wait", "land"), (Await, "begin", "await", "land"), (Socket, "nothing", "receive", "send")];

    internal static IEnumerable<FlightSeries> Measure(FlightEffort effort)
    {
        List<double>[] times = [[], [], []];
        double late = 0;
        int last = 0;
        Random random = new(1);
        using FlightCell cell = new(processes: 2);
        FlightCell.Ask(cell.Second, $"listen {cell.SocketPath}");
        FlightCell.Ask(cell.First, $"connect {cell.SocketPath}");
        const int warmUp = 10;
        for (int landing = -Math.Min(warmUp, effort.Landings); landing < effort.Landings; landing++)
        {
            // In turns, so that all see the same machine.
            for (int waiter = 0; waiter < Waiters.Length; waiter++)
            {
                double time = double.NaN;
                for (int patience = 1; double.IsNaN(time) && patience <= MostPatience; patience *= 2)
                {
                    time = Land(cell, waiter, $"landing-{last++}", patience * random.Next(LeastMilliseconds, MostMilliseconds));
                    late += double.IsNaN(time) ? 1 : 0;
                }

                if (landing >= 0 && !double.IsNaN(time))
                {
                    times[waiter].Add(time);
                }
            }
        }

        return
        [
            .. Waiters.Select((waiter, index) => new FlightSeries(FlightTitles.Landing, waiter.Row, "µs", times[index])),
            new(FlightTitles.Landing, Late, "", [late]),
        ];
    }

    /// <returns>Not a number if the waiter came too late.</returns>
    private static double Land(FlightCell cell, int kind, string key, int milliseconds)
    {
        (_, string begin, string wait, string land) = Waiters[kind];
        FlightCell.Ask(cell.First, begin == "begin" ? $"begin {key} 1" : begin);
        DriverProcess waiter = cell.Second;
        waiter.Tell($"{wait} {key}");
        FlightCell.Ask(cell.First, $"{land} {key} {milliseconds}");
        return FlightCell.Answer(waiter, wait)[0];
    }
}
