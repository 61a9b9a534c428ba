using System.Diagnostics;

namespace ShmAlloc.Benchmarks.Measuring;

/// <summary>One subject at one workload, with its processes, for all rounds.</summary>
internal abstract class Cell : IDisposable
{
    private static readonly TimeSpan LongestWarmUp = TimeSpan.FromSeconds(5);

    private long _operations;

    /// <summary>The processes that work.</summary>
    protected abstract IReadOnlyList<DriverProcess> Workers { get; }

    /// <summary>Operations come in multiples of this.</summary>
    protected virtual long Granularity => 1;

    /// <summary>With how many operations the warm-up begins.</summary>
    protected virtual long FirstOperations => 256;

    public abstract void Dispose();

    /// <summary>Finds out how many operations take about so long, and lets the compiler finish its work.</summary>
    internal void WarmUp(double roundMilliseconds, double warmUpMilliseconds)
    {
        double nanoseconds = 0;
        long compiled = 0;
        long change = Stopwatch.GetTimestamp();
        long start = change;
        bool isDone = false;
        _operations = FirstOperations;
        while (!isDone)
        {
            _operations = WholeBatches(_operations);
            Round round = Run();
            nanoseconds = Math.Max(round.WallNanoseconds * _operations, 1);
            change = round.CompiledMethods == compiled ? change : Stopwatch.GetTimestamp();
            compiled = round.CompiledMethods;

            // On a busy machine the compiler, a thread in the background, may take its time.
            bool isLongEnough = nanoseconds / 1e6 >= roundMilliseconds / 2;
            bool isQuiet = Stopwatch.GetElapsedTime(change).TotalMilliseconds >= warmUpMilliseconds;
            isDone = isLongEnough && (isQuiet || Stopwatch.GetElapsedTime(start) > LongestWarmUp);
            _operations = isLongEnough ? _operations : _operations * 2;
        }

        double scale = roundMilliseconds * 1e6 / nanoseconds;
        _operations = WholeBatches(Math.Max(1, (long)(_operations * scale)));
    }

    /// <summary>Runs a round on all processes.</summary>
    internal Round Run() => Run(_operations);

    internal Round Run(long operations)
    {
        foreach (DriverProcess driver in Workers)
        {
            driver.Tell($"run {operations}");
        }

        return Round.Join([.. Workers.Select(driver => Round.Parse(driver.Hear()))]);
    }

    private long WholeBatches(long operations) => (operations + Granularity - 1) / Granularity * Granularity;
}
