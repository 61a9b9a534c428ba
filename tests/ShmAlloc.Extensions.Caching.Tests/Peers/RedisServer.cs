using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

[assembly: AssemblyFixture(typeof(ShmAlloc.Extensions.Caching.Tests.RedisServer))]

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>
/// A Redis of the tests' own, without files, on a port of 127.0.0.1 that was free: started when the first test asks for it, and ended with the tests, also if
/// they are killed: a shell ends it when its input ends.
/// </summary>
public sealed class RedisServer : IDisposable
{
    private const string Program = "/usr/bin/redis-server";
    private const string EndWithInput = "\"$@\" & server=$!; (cat > /dev/null; kill -9 $server) <&3 & wait $server";

    private readonly Lock _gate = new();
    private Process? _process;
    private int _port;

    internal static bool IsInstalled => File.Exists(Program);

    internal const string HowToGetIt = $"There is no {Program}: install the package redis-server, or run ./test as root, which does it.";

    /// <summary>Where it listens.</summary>
    internal string Address
    {
        get
        {
            lock (_gate)
            {
                if (_process == null)
                {
                    Start();
                }

                return $"127.0.0.1:{_port}";
            }
        }
    }

    public void Dispose()
    {
        if (_process is { } process)
        {
            process.StandardInput.Close();
            process.WaitForExit();
            process.Dispose();
        }
    }

    private void Start()
    {
        // Another program may take the port in between: then the server ends at once.
        for (var turn = 0; turn < 10; turn++)
        {
            _port = FreePort();
            string[] arguments = ["--bind", "127.0.0.1", "--port", $"{_port}", "--save", "", "--appendonly", "no", "--dir", Path.GetTempPath()];
            ProcessStartInfo start = new("/bin/sh", ["-c", $"exec 3<&0; {EndWithInput}", "sh", Program, .. arguments])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            };
            var process = Process.Start(start)!;
            process.OutputDataReceived += (_, _) => { };
            process.BeginOutputReadLine();
            if (IsListening(process))
            {
                _process = process;
                return;
            }

            process.Dispose();
        }

        throw new InvalidOperationException($"{Program} does not start.");
    }

    private bool IsListening(Process process)
    {
        for (var begun = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(begun) < Patience.ForAStep && !process.HasExited;)
        {
            using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Connect(IPAddress.Loopback, _port);
                return true;
            }
            catch (SocketException)
            {
                // Not yet.
                Thread.Yield();
            }
        }

        return process.HasExited ? false : throw new TimeoutException($"{Program} does not listen.");
    }

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
