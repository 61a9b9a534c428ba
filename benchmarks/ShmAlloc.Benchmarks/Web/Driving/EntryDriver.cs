using System.Globalization;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.DependencyInjection;
using ShmAlloc.Benchmarks.Caches.Driving;
using ShmAlloc.Benchmarks.Caches.Subjects;

namespace ShmAlloc.Benchmarks.Web.Driving;

/// <summary>A process that fills one of the caches with many small entries, and says that all of them are there.</summary>
internal sealed class EntryDriver : IDisposable
{
    internal const string Ours = "ours";
    internal const string MemoryCache = "memory";
    internal const string Redis = "redis";
    internal const string RedisCache = "rediscache";
    internal const string Memcached = "memcached";

    private const int ValueBytes = 100;

    /// <summary>How many are asked for afterwards.</summary>
    private const int Looked = 1000;

    /// <summary>Sets of a server that are not waited for one by one.</summary>
    private const int AtOnce = 1000;

    private static readonly TimeSpan Long = TimeSpan.FromHours(10);

    private readonly ServiceProvider _services;
    private readonly ICache? _server;
    private readonly string _kind;
    private readonly uint _entries;

    private EntryDriver(string kind, string path, int port, uint entries)
    {
        (_kind, _entries) = (kind, entries);
        ServiceCollection services = new();
        services.AddLogging();
        services.AddMemoryCache();
        if (kind == RedisCache)
        {
            services.AddStackExchangeRedisCache(options => options.Configuration = $"127.0.0.1:{port}");
        }
        else
        {
            services.AddDistributedSharedMemoryCache(options => (options.Path, options.MaximumSizeBytes) = (path, 1L << 30));
        }

        _services = services.BuildServiceProvider();
        _server = kind == Redis ? new RedisSubject(port) : kind == Memcached ? new MemcachedSubject(port, ValueBytes) : null;
    }

    internal static int Run(string[] words)
    {
        using EntryDriver driver = new(words[0], words[1], Number(words[2]), (uint)Number(words[3]));
        driver.Fill(0, 1);
        Collect();
        Console.WriteLine("ready");
        Console.ReadLine();
        driver.Fill(1, driver._entries);
        int found = driver.Look();
        Collect();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"filled {found}"));
        Console.ReadLine();
        return 0;
    }

    public void Dispose()
    {
        _server?.Dispose();
        _services.Dispose();
    }

    private void Fill(uint from, uint to)
    {
        byte[] utf8 = new byte[Key.Length];
        List<Task> underWay = [];
        DistributedCacheEntryOptions options = new() { AbsoluteExpirationRelativeToNow = Long };
        for (uint index = from; index < to; index++)
        {
            string text = Key.TextOf(index);
            byte[] value = new byte[ValueBytes];
            switch (_kind)
            {
                case MemoryCache:
                    _services.GetRequiredService<IMemoryCache>().Set(text, value, Long);
                    break;
                case Redis or Memcached:
                    Key.WriteUtf8(index, utf8);
                    _server!.Load(new Key(index, text, utf8), value);
                    break;
                case RedisCache:
                    underWay.Add(_services.GetRequiredService<IDistributedCache>().SetAsync(text, value, options));
                    break;
                default:
                    _services.GetRequiredService<IDistributedCache>().Set(text, value, options);
                    break;
            }

            if (underWay.Count == AtOnce)
            {
                Task.WaitAll(underWay);
                underWay.Clear();
            }
        }

        Task.WaitAll(underWay);
        _server?.EndLoad();
    }

    /// <summary>How many of some that are spread over all of them are there, of a thousand.</summary>
    private int Look()
    {
        int found = 0;
        byte[] utf8 = new byte[Key.Length];
        byte[] value = new byte[ValueBytes];
        for (int look = 0; look < Looked; look++)
        {
            uint index = (uint)((long)look * _entries / Looked);
            string text = Key.TextOf(index);
            Key.WriteUtf8(index, utf8);
            bool isThere = _kind switch
            {
                MemoryCache => _services.GetRequiredService<IMemoryCache>().TryGetValue(text, out _),
                Redis or Memcached => _server!.TryGet(new Key(index, text, utf8), value, out _),
                _ => _services.GetRequiredService<IDistributedCache>().Get(text) != null,
            };
            found += isThere ? 1 : 0;
        }

        return found;
    }

    /// <summary>What is left is what the entries need.</summary>
    private static void Collect()
    {
        for (int turn = 0; turn < 2; turn++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
