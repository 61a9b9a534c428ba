using System.Globalization;
using ShmAlloc.Benchmarks.Measuring;

namespace ShmAlloc.Benchmarks.Flights.Measuring;

/// <summary>One heap with a cache, and the processes that use it; in words and figures without spaces.</summary>
internal sealed class FlightCell : IDisposable
{
    private readonly Place _place = new();
    private readonly List<DriverProcess> _drivers = [];

    internal FlightCell(int processes)
    {
        try
        {
            for (int process = 0; process < processes; process++)
            {
                Add();
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>A file name beside the heap's.</summary>
    internal string SocketPath => _place.Heap + "-socket";

    internal DriverProcess First => _drivers[0];

    internal DriverProcess Second => _drivers[1];

    /// <summary>One more process.</summary>
    internal DriverProcess Add()
    {
        DriverProcess driver = new("flights", DriverProcess.OfThisProgram("flight-driver", _place.Heap));
        _drivers.Add(driver);
        driver.Expect("ready", "starting");
        return driver;
    }

    /// <summary>Ends a process, and takes it out.</summary>
    internal void Remove(DriverProcess driver)
    {
        _drivers.Remove(driver);
        driver.Dispose();
    }

    /// <summary>Has one process do something, and returns the figures that it answers.</summary>
    internal static double[] Ask(DriverProcess driver, string command)
    {
        driver.Tell(command);
        return Answer(driver, command);
    }

    /// <summary>Has all processes do the same at once.</summary>
    internal double[][] AskAll(string command)
    {
        _drivers.ForEach(driver => driver.Tell(command));
        return [.. _drivers.Select(driver => Answer(driver, command))];
    }

    internal static double[] Answer(DriverProcess driver, string command)
    {
        string[] words = driver.Hear().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return words is ["ok", .. var figures]
            ? [.. figures.Select(figure => double.Parse(figure, CultureInfo.InvariantCulture))]
            : throw new BenchmarkException($"{command}: {string.Join(' ', words)}");
    }

    public void Dispose()
    {
        _drivers.ForEach(driver => driver.Dispose());
        _place.Dispose();
    }
}
