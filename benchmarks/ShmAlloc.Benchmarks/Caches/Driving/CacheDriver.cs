using System.Globalization;
using System.Runtime.InteropServices;
using ShmAlloc.Benchmarks.Caches.Subjects;
using ShmAlloc.Benchmarks.Driving;

namespace ShmAlloc.Benchmarks.Caches.Driving;

/// <summary>One process that uses a cache as its parent says, line by line: it loads all keys once, and then takes one workload after the other.</summary>
internal sealed class CacheDriver : IDisposable
{
    private readonly CacheParameters _parameters;
    private readonly ICache _cache;
    private readonly Dictionary<int, KeyOrder> _orders = [];
    private string _distribution = "";
    private Team? _team;
    private Coordination? _coordination;

    private CacheDriver(CacheParameters parameters, ICache cache)
    {
        _parameters = parameters;
        _cache = cache;
    }

    internal static int Run(string[] words)
    {
        CacheParameters parameters = new(words);
        ICache cache;
        try
        {
            cache = CacheSubjects.Open(parameters);
            Console.WriteLine($"ready {cache.Version}");
        }
#pragma warning disable CA1031 // Whatever keeps a peer from working is the reason why it is left out.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            Console.WriteLine($"missing {failure.Message.ReplaceLineEndings(" ")}");
            return 1;
        }

        using CacheDriver driver = new(parameters, cache);
        while (Console.ReadLine() is { } line)
        {
            Console.WriteLine(driver.Do(line.Split(' ')));
        }

        return 0;
    }

    public void Dispose()
    {
        _team?.Dispose();
        _coordination?.Dispose();
        _cache.Dispose();
    }

    private string Do(string[] words) => words switch
    {
        ["load"] => Load(),
        ["take", var distribution, var sets, var threads, var process, var processes, var coordination] =>
            Take(distribution, uint.Parse(sets, CultureInfo.InvariantCulture), threads, process, processes, coordination),
        ["bind", var processor] => Bind(int.Parse(processor, CultureInfo.InvariantCulture)),
        ["run", var operations] => _team!.Run(long.Parse(operations, CultureInfo.InvariantCulture)),
        ["frequencies", var distribution] => Frequencies(distribution),
        _ => throw new ArgumentException($"Unknown command: {string.Join(' ', words)}"),
    };

    private string Load()
    {
        byte[] value = new byte[_parameters.ValueBytes];
        new Random(1).NextBytes(value);
        byte[] utf8 = new byte[Key.Length];
        for (uint index = 0; index < _parameters.Keys; index++)
        {
            MemoryMarshal.Write(value, (ulong)index);
            if (!_cache.WantsText)
            {
                Key.WriteUtf8(index, utf8);
            }

            _cache.Load(_cache.WantsText ? new Key(index, Key.TextOf(index), default) : new Key(index, "", utf8), value);
        }

        _cache.EndLoad();
        return "loaded";
    }

    private string Take(string distribution, uint setPercent, string threads, string process, string processes, string coordination)
    {
        _team?.Dispose();
        _coordination?.Dispose();
        if (distribution != _distribution)
        {
            // Those of the other distribution would only take memory: workloads come ordered by it.
            _orders.Clear();
            _distribution = distribution;
        }

        Parameters parameters = new([$"threads={threads}", $"process={process}", $"processes={processes}"]);
        _coordination = new Coordination(coordination, parameters.Threads * parameters.Processes);
        CacheWork work = new(_cache, _parameters.ValueBytes, setPercent, OrderOf);
        _team = new Team(work.Pattern, parameters, _coordination);
        return "prepared";
    }

    /// <summary>From now on the first worker, which is this thread, runs on one processor.</summary>
    private static string Bind(int processor)
    {
        Processors.Bind(processor);
        return "bound";
    }

    /// <summary>How many keys are drawn, and how often the most frequent ones are: for a test.</summary>
    private string Frequencies(string distribution)
    {
        const int most = 100;
        KeyOrder order = new(_parameters.Keys, distribution == "zipf", _cache.WantsText, worker: 0);
        return $"frequencies {order.Length} {string.Join(' ', order.Frequencies.Take(most))}";
    }

    private KeyOrder OrderOf(int worker)
    {
        lock (_orders)
        {
            if (!_orders.TryGetValue(worker, out KeyOrder? order))
            {
                order = new KeyOrder(_parameters.Keys, _distribution == "zipf", _cache.WantsText, worker);
                _orders.Add(worker, order);
            }

            return order;
        }
    }
}
