using System.Net;
using ShmAlloc.Benchmarks.Caches.Driving;
using StackExchange.Redis;

namespace ShmAlloc.Benchmarks.Caches.Subjects;

/// <summary>Redis on loopback, through StackExchange.Redis: all threads of the process share one connection, as its authors advise.</summary>
internal sealed class RedisSubject : ICache
{
    private const int LoadedAtOnce = 10_000;

    private readonly ConnectionMultiplexer _connection;
    private readonly IDatabase _database;
    private int _loading;

    internal RedisSubject(int port)
    {
        _connection = ConnectionMultiplexer.Connect(new ConfigurationOptions
        {
            EndPoints = { new IPEndPoint(IPAddress.Loopback, port) },
            AbortOnConnectFail = true,
        });
        _database = _connection.GetDatabase();
    }

    public string Version => $"redis-server {_connection.GetServers()[0].Version} on 127.0.0.1, {CacheSubjects.PackageOf(typeof(ConnectionMultiplexer))}";

    public bool WantsText => true;

    public bool TryGet(Key key, Span<byte> destination, out int lengthBytes)
    {
        using Lease<byte>? value = _database.StringGetLease(key.Text);
        if (value is null)
        {
            lengthBytes = 0;
            return false;
        }

        lengthBytes = value.Length;
        value.Span.CopyTo(destination);
        return true;
    }

    public bool Set(Key key, byte[] value) => _database.StringSet(key.Text, value);

    public void Load(Key key, byte[] value)
    {
        // It is sent later, when the caller has changed the buffer.
        _database.StringSet(key.Text, value.AsSpan().ToArray(), flags: CommandFlags.FireAndForget);
        if (++_loading % LoadedAtOnce == 0)
        {
            EndLoad();
        }
    }

    public void EndLoad() => _database.Ping();

    public void Dispose() => _connection.Dispose();
}
