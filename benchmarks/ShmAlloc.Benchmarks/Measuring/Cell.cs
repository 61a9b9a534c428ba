using System.Diagnostics;
using System.Globalization;

namespace ShmAlloc.Benchmarks.Measuring;

/// <summary>One subject at one workload, with its processes, for all rounds.</summary>
internal sealed class Cell : IDisposable
{
    private static readonly TimeSpan LongestWarmUp = TimeSpan.FromSeconds(5);

    private readonly Place _place = new();
    private readonly List<DriverProcess> _drivers = [];
    private readonly List<DriverProcess> _idle = [];
    private long _operations;

    internal Cell(Subject subject, Workload workload)
    {
        Subject = subject;
        Workload = workload;
        try
        {
            Start();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    internal Subject Subject { get; }

    internal Workload Workload { get; }

    /// <summary>Bytes of the heap's file.</summary>
    internal long FileBytes => new FileInfo(_place.Heap).Length;

    /// <summary>Makes the heap of this library; the others make theirs themselves.</summary>
    internal static void MakeHeap(Subject subject, Place place, long committedBytes, long maximumBytes)
    {
        if (subject.IsOurs)
        {
            ShmHeap.Create(place.Heap, new ShmHeapOptions { SizeBytes = committedBytes, MaximumSizeBytes = maximumBytes }).Dispose();
        }
    }

    /// <summary>Finds out how many operations take about so long, and lets the compiler finish its work.</summary>
    internal void WarmUp(double roundMilliseconds, double warmUpMilliseconds)
    {
        double nanoseconds = 0;
        long compiled = 0;
        long change = Stopwatch.GetTimestamp();
        long start = change;
        bool isDone = false;
        _operations = Workload.IsSlow ? 1 : 256;
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
        _drivers.ForEach(driver => driver.Tell($"run {operations}"));
        Round[] rounds = [.. _drivers.Select(driver => Round.Parse(driver.Hear()))];
        return new Round(
            rounds.Average(round => round.WallNanoseconds),
            rounds.Average(round => round.CpuNanoseconds),
            rounds.Sum(round => round.Failures),
            rounds.Sum(round => round.CompiledMethods));
    }

    /// <summary>Fills the heap up, and empties it again as far.</summary>
    internal (long Count, long Bytes, long Rounded) Fill()
    {
        _drivers[0].Tell("fill");
        string answer = _drivers[0].Hear();
        long[] figures = [.. answer.Split(' ').Where((_, index) => index % 2 == 1).Select(text => long.Parse(text, CultureInfo.InvariantCulture))];
        return (figures[0], figures[1], figures[2]);
    }

    /// <summary>A checksum of the random choices of the driver.</summary>
    internal string Sequence()
    {
        _drivers[0].Tell("sequence");
        return _drivers[0].Hear();
    }

    public void Dispose()
    {
        _drivers.ForEach(driver => driver.Dispose());
        _idle.ForEach(driver => driver.Dispose());
        _place.Dispose();
    }

    private void Start()
    {
        MakeHeap(Subject, _place, Workload.CommittedBytes ?? Workload.HeapBytes, Workload.HeapBytes);
        string coordination = _place.NewCoordination("meet");
        for (int process = 0; process < Workload.Processes; process++)
        {
            _drivers.Add(new DriverProcess(
                Subject, [.. Workload.Words, $"process={process}", $"path={_place.Heap}", $"coordination={coordination}"]));
            ExpectReady(_drivers[^1]);
        }

        string elsewhere = _place.NewCoordination("idle");
        for (int idle = 0; idle < Workload.IdleParticipants; idle++)
        {
            _idle.Add(new DriverProcess(
                Subject, [.. Workload.Words, "pattern=idle", "process=1", $"path={_place.Heap}", $"coordination={elsewhere}"]));
            ExpectReady(_idle[^1]);
        }

        _drivers.ForEach(driver => driver.Tell("go"));
        _drivers.ForEach(driver => Expect(driver, "prepared"));
    }

    private long WholeBatches(long operations) => (operations + Workload.Granularity - 1) / Workload.Granularity * Workload.Granularity;

    private void ExpectReady(DriverProcess driver) => Expect(driver, "ready");

    private void Expect(DriverProcess driver, string word)
    {
        string answer = driver.Hear();
        if (!answer.StartsWith(word, StringComparison.Ordinal))
        {
            throw new BenchmarkException($"{Subject.Name}, {Workload.Title}, {Workload.Variant}: {answer}");
        }
    }
}

/// <summary>The figures of one round, for one operation: a malloc and a free.</summary>
internal sealed record Round(double WallNanoseconds, double CpuNanoseconds, long Failures, long CompiledMethods)
{
    internal static Round Parse(string answer)
    {
        string[] words = answer.Split(' ');
        return new Round(
            double.Parse(words[1], CultureInfo.InvariantCulture),
            double.Parse(words[3], CultureInfo.InvariantCulture),
            long.Parse(words[5], CultureInfo.InvariantCulture),
            long.Parse(words[7], CultureInfo.InvariantCulture));
    }
}
