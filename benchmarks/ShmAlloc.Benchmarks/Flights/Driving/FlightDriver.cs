using System.Globalization;
using ShmAlloc.Caching;

namespace ShmAlloc.Benchmarks.Flights.Driving;

/// <summary>One process that uses a cache as its parent says, line by line. It answers each with <c>ok</c> and figures, or with what went wrong.</summary>
internal sealed class FlightDriver : IDisposable
{
    private const long SizeBytes = 128L << 20;

    private readonly ShmHeap _heap;
    private readonly SharedCache _cache;
    private readonly LeaderWork _leader;
    private readonly WaiterWork _waiter;
    private readonly CrowdWork _crowd;
    private readonly SocketWork _socket = new();

    private FlightDriver(string path)
    {
        _heap = ShmHeap.Open(path, new ShmHeapOptions { SizeBytes = SizeBytes });
        _cache = SharedCache.Open(_heap);
        _leader = new LeaderWork(_cache);
        _waiter = new WaiterWork(_cache);
        _crowd = new CrowdWork(_cache);
    }

    internal static int Run(string path)
    {
        using FlightDriver driver = new(path);
        Console.WriteLine("ready");
        while (Console.ReadLine() is { } line)
        {
            Console.WriteLine(driver.Answer(line));
        }

        return 0;
    }

    public void Dispose()
    {
        _socket.Dispose();
        _heap.Dispose();
    }

    /// <summary>The key of a number, of those that share a name.</summary>
    internal static string KeyOf(string name, int number) => string.Create(CultureInfo.InvariantCulture, $"{name}-{number}");

    private string Answer(string line)
    {
        try
        {
            return string.Join(' ', ["ok", .. Do(line.Split(' ')).Select(figure => figure.ToString("R", CultureInfo.InvariantCulture))]);
        }
#pragma warning disable CA1031 // The parent tells what went wrong.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            return failure.ToString().ReplaceLineEndings(" ");
        }
    }

    private double[] Do(string[] words) => words switch
    {
        ["nothing"] => [],
        ["clear"] => Clear(),
        ["begin", var name, var flights] => _leader.Begin(name, Number(flights)),
        ["land", var name, var milliseconds] => _leader.Land(name, Number(milliseconds)),
        ["busy", var name, var milliseconds, var landings] => _leader.LandOthers(name, Number(milliseconds), Number(landings)),
        ["die", var name, var milliseconds] => _leader.Die(name, Number(milliseconds)),
        ["wait", var name] => _waiter.Wait(name),
        ["await", var name] => _waiter.WaitAsync(name).GetAwaiter().GetResult(),
        ["inherit", var name] => _waiter.Inherit(name),
        ["park", var name, var waiters] => _waiter.Park(name, Number(waiters)),
        ["measure", var milliseconds] => WaiterWork.Measure(Number(milliseconds)),
        ["gather"] => _waiter.GatherAsync().GetAwaiter().GetResult(),
        ["listen", var path] => _socket.Listen(path),
        ["connect", var path] => _socket.Connect(path),
        ["send", _, var milliseconds] => _socket.Send(Number(milliseconds)),
        ["receive", _] => _socket.Receive(),
        ["herd", var name, var keys, var callers] => _crowd.HerdAsync(name, Number(keys), Number(callers)).GetAwaiter().GetResult(),
        ["kept", var name, var keys] => _crowd.Kept(name, Number(keys)),
        ["expire", var name] => _crowd.Expire(name),
        ["fail", var name, var milliseconds, var retry] => _crowd.FailAsync(name, Number(milliseconds), Number(retry)).GetAwaiter().GetResult(),
        _ => throw new ArgumentException($"Unknown command: {string.Join(' ', words)}"),
    };

    private double[] Clear()
    {
        _cache.Clear();
        return [];
    }

    private static int Number(string word) => int.Parse(word, CultureInfo.InvariantCulture);
}
