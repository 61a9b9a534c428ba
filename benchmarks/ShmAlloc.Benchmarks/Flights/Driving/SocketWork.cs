using System.Diagnostics;
using System.Net.Sockets;

namespace ShmAlloc.Benchmarks.Flights.Driving;

/// <summary>One process sends the time to another one that waits for it in the kernel: what it takes this machine to wake a thread, without a cache.</summary>
internal sealed class SocketWork : IDisposable
{
    private readonly Socket _listening = New();
    private Socket? _socket;

    public void Dispose()
    {
        _socket?.Dispose();
        _listening.Dispose();
    }

    internal double[] Listen(string path)
    {
        _listening.Bind(new UnixDomainSocketEndPoint(path));
        _listening.Listen();
        return [];
    }

    internal double[] Connect(string path)
    {
        _socket = New();
        _socket.Connect(new UnixDomainSocketEndPoint(path));
        return [];
    }

    internal double[] Send(int milliseconds)
    {
        Thread.Sleep(milliseconds);
        _socket!.Send(TimeValue.Now());
        Thread.Sleep(LeaderWork.RestMilliseconds);
        return [];
    }

    /// <returns>Microseconds from the sending, or not a number if that was before this process waited.</returns>
    internal double[] Receive()
    {
        _socket ??= _listening.Accept();
        byte[] value = new byte[sizeof(long)];
        long begun = Stopwatch.GetTimestamp();
        _socket.Receive(value);
        long had = Stopwatch.GetTimestamp();
        long sent = TimeValue.Read(value);
        return [sent > begun ? TimeValue.Microseconds(sent, had) : double.NaN];
    }

    private static Socket New() => new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
}
