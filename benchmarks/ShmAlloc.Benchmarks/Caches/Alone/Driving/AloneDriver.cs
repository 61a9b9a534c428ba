using System.Diagnostics;
using System.Globalization;
using System.Runtime;
using System.Runtime.CompilerServices;
using ShmAlloc.Benchmarks.Driving;

namespace ShmAlloc.Benchmarks.Caches.Alone.Driving;

/// <summary>One process that makes calls of one kind, so many for each line that it reads.</summary>
internal sealed class AloneDriver : IDisposable
{
    /// <summary>As in the other workloads: a method that is called often is compiled as those of a program are.</summary>
    private const int Chunk = 256;

    private readonly ICalls _calls;
    private readonly Team _team;

    private AloneDriver(ICalls calls, Coordination coordination)
    {
        _calls = calls;
        _team = new Team(new Pattern((_, _) => { }, (worker, _, operations) => Run(worker, operations)), new Parameters([]), coordination);
    }

    internal static int Run(string[] words)
    {
        AloneParameters parameters = new(words);
        using Coordination coordination = new(parameters.Coordination, workers: 1);
        using ShmHeap heap = ShmHeap.Open(
            parameters.Path, new ShmHeapOptions { SizeBytes = parameters.HeapBytes, MaximumSizeBytes = parameters.HeapBytes });
        ICalls calls = parameters.Work switch
        {
            "marks" => new MarkCalls(heap, parameters),
            "gets" => new GetCalls(heap, parameters),
            "refused" => new RefusedCalls(heap, parameters),
            "limited" => new LimitedCalls(heap, parameters),
            _ => throw new ArgumentException($"There are no calls '{parameters.Work}'."),
        };
        using AloneDriver driver = new(calls, coordination);
        Console.WriteLine("ready");
        while (Console.ReadLine() is { } line)
        {
            long operations = long.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture);
            Console.WriteLine(parameters.Percent is { } percent ? driver.RunEach(operations, percent) : driver._team.Run(operations));
        }

        return 0;
    }

    public void Dispose() => _team.Dispose();

    private void Run(Worker worker, long operations)
    {
        worker.StartClock();
        for (long done = 0; done < operations; done += Chunk)
        {
            worker.Failures += RunChunk();
        }

        worker.StopClock();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private long RunChunk() => _calls.Make(Chunk);

    /// <summary>Times each call, and tells what so many of a hundred do not exceed.</summary>
    private string RunEach(long operations, double percent)
    {
        double nanoseconds = 1e9 / Stopwatch.Frequency;
        double[] times = new double[operations];
        long failures = 0;
        for (long operation = 0; operation < operations; operation++)
        {
            long begun = Stopwatch.GetTimestamp();
            failures += _calls.Make(1);
            times[operation] = (Stopwatch.GetTimestamp() - begun) * nanoseconds;
        }

        Array.Sort(times);
        double time = times[Math.Max(0, (int)Math.Ceiling(operations * percent / 100) - 1)];
        return string.Create(
            CultureInfo.InvariantCulture,
            $"wall {time:F4} cpu {time:F4} failures {failures} compiled {JitInfo.GetCompiledMethodCount()} allocated 0");
    }
}
