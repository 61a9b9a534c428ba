using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using ShmAlloc.Benchmarks.Measuring;

namespace ShmAlloc.Benchmarks.Caches.Measuring;

/// <summary>Servers that the benchmark can start.</summary>
internal enum ServerKind
{
    /// <summary>Without files.</summary>
    Redis,

    /// <summary>With room for all keys.</summary>
    Memcached,
}

/// <summary>
/// A server of the benchmark's own, on a port of 127.0.0.1 that was free: whatever else listens on this machine is left alone. It ends with this object,
/// and, where util-linux has <c>setpriv</c>, with the thread that made it, however that ends.
/// </summary>
internal sealed class Server : IDisposable
{
    private const string EndWithParent = "/usr/bin/setpriv";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Process _process;

    internal Server(ServerKind kind, DataSet data)
    {
        Port = FreePort();
        (string program, string[] arguments) = kind switch
        {
            ServerKind.Redis => ("/usr/bin/redis-server", RedisArguments()),
            _ => ("/usr/bin/memcached", MemcachedArguments(data)),
        };
        if (!File.Exists(program))
        {
            throw new BenchmarkException($"{program} is not installed: ./bench does that");
        }

        ProcessStartInfo start = File.Exists(EndWithParent)
            ? new(EndWithParent, ["--pdeathsig", "KILL", program, .. arguments])
            : new(program, arguments);
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        try
        {
            _process = Process.Start(start)!;
        }
        catch (Win32Exception failure)
        {
            throw new BenchmarkException($"{program} does not start: {failure.Message}");
        }

        Leftovers.Add(this);
        _process.OutputDataReceived += (_, _) => { };
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        ProcessId = _process.Id;
        try
        {
            AwaitConnection(program);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    internal int Port { get; }

    internal int ProcessId { get; }

    public void Dispose()
    {
        if (!Leftovers.Remove(this))
        {
            return;
        }

        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private string[] MemcachedArguments(DataSet data)
    {
        const long mib = 1 << 20;
        long needed = data.Keys * (data.ValueBytes + 150L) * 3 / 2 / mib;
        string[] user = Environment.IsPrivilegedProcess ? ["-u", "root"] : [];
        return ["-l", "127.0.0.1", "-p", $"{Port}", "-U", "0", "-m", $"{needed + 128}", .. user];
    }

    private string[] RedisArguments() =>
        ["--bind", "127.0.0.1", "--port", $"{Port}", "--save", "", "--appendonly", "no", "--daemonize", "no", "--dir", Path.GetTempPath()];

    private void AwaitConnection(string program)
    {
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < Patience;)
        {
            if (_process.HasExited)
            {
                throw new BenchmarkException($"{program} ended at once, with exit code {_process.ExitCode}");
            }

            using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Connect(IPAddress.Loopback, Port);
                return;
            }
            catch (SocketException)
            {
                // Not yet.
                Thread.Yield();
            }
        }

        throw new BenchmarkException($"{program} did not listen within {Patience.TotalSeconds} seconds");
    }
}
