using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Workers.Serving;

/// <summary>A port that several processes of one user listen on: the kernel gives each new connection to one of them.</summary>
internal static class SharedPort
{
    private const int SocketLevel = 1;
    private const int ReusePort = 15;

    /// <summary>What Kestrel listens on; also holds a port, without listening, while workers come and go.</summary>
    public static Socket Bind(EndPoint place)
    {
        Socket socket = new(place.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        int yes = 1;
        socket.SetRawSocketOption(SocketLevel, ReusePort, MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in yes)));
        socket.Bind(place);
        return socket;
    }
}
