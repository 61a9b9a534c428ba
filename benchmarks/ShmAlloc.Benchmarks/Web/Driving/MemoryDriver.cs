using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.DependencyInjection;

namespace ShmAlloc.Benchmarks.Web.Driving;

/// <summary>A process that has many large entries in memory, and works with them.</summary>
internal sealed class MemoryDriver : IDisposable
{
    internal const string Ours = "ours";
    internal const string MemoryCache = "memory";

    private const int ReplacedOfHundred = 5;
    private const int LeastOperations = 1000;

    private readonly ServiceProvider _services;
    private readonly Func<string, byte[]?> _get;
    private readonly Action<string, byte[]> _set;
    private readonly string[] _keys;
    private readonly int _valueBytes;

    private MemoryDriver(string kind, string path, int entries, int valueBytes)
    {
        ServiceCollection services = new();
        services.AddLogging();
        services.AddMemoryCache();
        services.AddDistributedSharedMemoryCache(options => (options.Path, options.MaximumSizeBytes) = (path, (2L * entries * valueBytes) + (64 << 20)));
        _services = services.BuildServiceProvider();
        if (kind == Ours)
        {
            IDistributedCache cache = _services.GetRequiredService<IDistributedCache>();
            DistributedCacheEntryOptions options = new() { AbsoluteExpirationRelativeToNow = TimeSpan.FromHours(10) };
            (_get, _set) = (cache.Get, (key, value) => cache.Set(key, value, options));
        }
        else
        {
            IMemoryCache cache = _services.GetRequiredService<IMemoryCache>();
            (_get, _set) = (key => cache.Get<byte[]>(key), (key, value) => cache.Set(key, value, TimeSpan.FromHours(10)));
        }

        _keys = [.. Enumerable.Range(0, entries).Select(number => $"entry {number}")];
        _valueBytes = valueBytes;
    }

    internal static int Run(string[] words)
    {
        using MemoryDriver driver = new(words[0], words[1], Number(words[2]), Number(words[3]));
        Console.WriteLine("ready");
        while (Console.ReadLine() is { } line)
        {
            Console.WriteLine(line.Split(' ') switch
            {
                ["fill"] => driver.Fill(),
                ["work", var milliseconds] => driver.Work(TimeSpan.FromMilliseconds(Number(milliseconds))),
                _ => $"unknown command: {line}",
            });
        }

        return 0;
    }

    public void Dispose() => _services.Dispose();

    private string Fill()
    {
        foreach (string key in _keys)
        {
            _set(key, new byte[_valueBytes]);
        }

        return "filled";
    }

    /// <summary>Reads at random, and replaces some.</summary>
    private string Work(TimeSpan time)
    {
        Random random = new(Environment.ProcessId);
        using GcPauses pauses = new();
        long missing = 0;
        long operations = 0;
        for (long start = Stopwatch.GetTimestamp(); operations < LeastOperations || Stopwatch.GetElapsedTime(start) < time; operations++)
        {
            string key = _keys[random.Next(_keys.Length)];
            if (random.Next(100) < ReplacedOfHundred)
            {
                _set(key, new byte[_valueBytes]);
            }
            else
            {
                missing += _get(key)?.Length == _valueBytes ? 0 : 1;
            }
        }

        return string.Create(
            CultureInfo.InvariantCulture, $"worked {operations} missing {missing} pause {pauses.Longest.TotalMicroseconds} collections {pauses.Collections}");
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
