using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Text;
using ShmAlloc.Benchmarks.Measuring;

namespace ShmAlloc.Benchmarks.Web.Measuring;

/// <summary>A connection that asks, waits for the answer, and asks again, with as little as HTTP/1.1 allows: the client is to cost little.</summary>
internal sealed class WebConnection : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _buffer = new byte[8192];

    internal static async Task<WebConnection> OpenAsync(int port, CancellationToken cancellation)
    {
        WebConnection connection = new();
        try
        {
            await connection._socket.ConnectAsync(IPAddress.Loopback, port, cancellation);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <returns>The number that the answer begins with.</returns>
    /// <exception cref="SocketException">The worker is gone.</exception>
    internal async ValueTask<long> GetAsync(string path, CancellationToken cancellation)
    {
        int length = Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", _buffer);
        await _socket.SendAsync(_buffer.AsMemory(0, length), cancellation);
        int read = 0;
        int end;
        do
        {
            int more = await _socket.ReceiveAsync(_buffer.AsMemory(read), cancellation);
            read += more > 0 ? more : throw new SocketException((int)SocketError.ConnectionReset);
            end = EndOf(_buffer.AsSpan(0, read));
        }
        while (end < 0 || read < end);

        return NumberOf(_buffer.AsSpan(0, read));
    }

    public void Dispose() => _socket.Dispose();

    /// <returns>Where the answer ends; less than 0 if its head is not whole yet.</returns>
    private static int EndOf(ReadOnlySpan<byte> answer)
    {
        int body = answer.IndexOf("\r\n\r\n"u8);
        if (body < 0)
        {
            return -1;
        }

        ReadOnlySpan<byte> head = answer[..body];
        if (!head.StartsWith("HTTP/1.1 200"u8))
        {
            throw new BenchmarkException($"A worker answered: {Encoding.ASCII.GetString(head)}");
        }

        int length = head.IndexOf("Content-Length: "u8);
        return length >= 0 && Utf8Parser.TryParse(head[(length + "Content-Length: ".Length)..], out int bytes, out _)
            ? body + 4 + bytes
            : throw new BenchmarkException($"A worker did not say how long its answer is: {Encoding.ASCII.GetString(head)}");
    }

    private static long NumberOf(ReadOnlySpan<byte> answer) =>
        Utf8Parser.TryParse(answer[(answer.IndexOf("\r\n\r\n"u8) + 4)..], out long number, out _)
            ? number
            : throw new BenchmarkException($"A worker answered without a number: {Encoding.ASCII.GetString(answer)}");
}
