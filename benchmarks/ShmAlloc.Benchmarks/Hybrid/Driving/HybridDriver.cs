using System.Globalization;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;
using ShmAlloc.Benchmarks.Caches.Driving;
using ShmAlloc.Benchmarks.Driving;

namespace ShmAlloc.Benchmarks.Hybrid.Driving;

/// <summary>One process with one cache, which makes calls of the kind that it was told last.</summary>
internal sealed class HybridDriver : IDisposable
{
    /// <summary>As in the other workloads: a method that is called often is compiled as those of a program are.</summary>
    private const int Chunk = 256;

    private readonly IServiceProvider _services;
    private readonly Team _team;
    private IHits? _hits;
    private KeyOrder? _order;
    private int _position;
    private string _load = "";

    private HybridDriver(IServiceProvider services, Coordination coordination)
    {
        _services = services;
        _team = new Team(new Pattern((_, _) => { }, (worker, _, operations) => Run(worker, operations)), new Parameters([]), coordination);
    }

    internal static int Run(string[] words)
    {
        (string subject, string path, string port, string meeting) = words is [var one, var two, var three, var four]
            ? (one, two, three, four)
            : throw new ArgumentException("Four words are expected.");
        using Coordination coordination = new(meeting, workers: 1);
        using ServiceProvider services = HybridSubjects.Make(subject, path, int.Parse(port, CultureInfo.InvariantCulture));
        using HybridDriver driver = new(services, coordination);
        Console.WriteLine($"ready {HybridSubjects.VersionOf(subject)}");
        while (Console.ReadLine() is { } line)
        {
            Console.WriteLine(line.Split(' ') switch
            {
                ["take", var operation, var keys, var distribution] => driver.Take(operation, uint.Parse(keys, CultureInfo.InvariantCulture), distribution),
                ["run", var operations] => driver._team.Run(long.Parse(operations, CultureInfo.InvariantCulture)),
                _ => $"unknown command: {line}",
            });
        }

        return 0;
    }

    public void Dispose() => _team.Dispose();

    private string Take(string operation, uint keys, string distribution)
    {
        try
        {
            // All kinds of values have the same keys: what the kind before had is replaced.
            string load = $"{operation} {keys}";
            if (load != _load)
            {
                _hits = HybridSubjects.HitsOf(_services, operation);
                for (uint index = 0; index < keys; index++)
                {
                    _hits.Load(index);
                }

                _load = load;
            }

            _order = new KeyOrder(keys, distribution == "zipf", wantsText: true, worker: 0);
            _position = 0;
            return "prepared";
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            return $"{failure.GetType().Name}: {failure.Message}";
        }
    }

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
    private long RunChunk()
    {
        // The length of an order is a power of two, and a multiple of a chunk.
        int position = _position;
        _position = (position + Chunk) & (_order!.Length - 1);
        return _hits!.Make(_order, position, Chunk);
    }
}
