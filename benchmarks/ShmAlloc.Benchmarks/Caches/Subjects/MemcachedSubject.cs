using System.Net;
using System.Net.Sockets;
using System.Text;
using ShmAlloc.Benchmarks.Caches.Driving;

namespace ShmAlloc.Benchmarks.Caches.Subjects;

/// <summary>memcached on loopback, by its text protocol over a blocking socket: a connection for each thread, and nothing that a client need not do.</summary>
internal sealed class MemcachedSubject : ICache
{
    private const int LoadedAtOnce = 1000;

    private readonly int _port;
    private readonly int _valueBytes;
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _buffer;
    private readonly List<MemcachedSubject> _ofThreads = [];
    private int _loading;

    internal MemcachedSubject(int port, int valueBytes)
    {
        _port = port;
        _valueBytes = valueBytes;
        _buffer = new byte[valueBytes + 256];
        _socket.Connect(IPAddress.Loopback, port);
    }

    public string Version => $"memcached {Ask("version\r\n"u8).Split(' ')[^1]} on 127.0.0.1, client of our own";

    public bool WantsText => false;

    public ICache ForThread()
    {
        MemcachedSubject connection = new(_port, _valueBytes);
        lock (_ofThreads)
        {
            _ofThreads.Add(connection);
        }

        return connection;
    }

    public bool TryGet(Key key, Span<byte> destination, out int lengthBytes)
    {
        int request = Write(0, "get "u8);
        request = Write(request, key.Utf8);
        request = Write(request, "\r\n"u8);
        _socket.Send(_buffer.AsSpan(0, request));

        // "VALUE key flags length\r\n", the value, "\r\nEND\r\n"; or only the last line.
        int received = ReceiveUntil("END\r\n"u8);
        ReadOnlySpan<byte> answer = _buffer.AsSpan(0, received);
        int line = answer.IndexOf("\r\n"u8);
        lengthBytes = received - line - "\r\n\r\nEND\r\n".Length;
        if (lengthBytes < 0)
        {
            lengthBytes = 0;
            return false;
        }

        answer.Slice(line + "\r\n".Length, lengthBytes).CopyTo(destination);
        return true;
    }

    public bool Set(Key key, byte[] value)
    {
        _socket.Send(_buffer.AsSpan(0, WriteSet(key, value, default)));
        int received = ReceiveUntil("\r\n"u8);
        return _buffer.AsSpan(0, received).SequenceEqual("STORED\r\n"u8);
    }

    public void Load(Key key, byte[] value)
    {
        _socket.Send(_buffer.AsSpan(0, WriteSet(key, value, " noreply"u8)));
        if (++_loading % LoadedAtOnce == 0)
        {
            EndLoad();
        }
    }

    public void EndLoad() => Ask("version\r\n"u8);

    public void Dispose()
    {
        _ofThreads.ForEach(connection => connection.Dispose());
        _socket.Dispose();
    }

    private string Ask(ReadOnlySpan<byte> line)
    {
        _socket.Send(line);
        return Encoding.ASCII.GetString(_buffer, 0, ReceiveUntil("\r\n"u8)).Trim();
    }

    private int WriteSet(Key key, byte[] value, ReadOnlySpan<byte> option)
    {
        int end = Write(0, "set "u8);
        end = Write(end, key.Utf8);
        end = Write(end, " 0 0 "u8);
        value.Length.TryFormat(_buffer.AsSpan(end), out int digits);
        end = Write(end + digits, option);
        end = Write(end, "\r\n"u8);
        end = Write(end, value);
        return Write(end, "\r\n"u8);
    }

    private int Write(int position, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_buffer.AsSpan(position));
        return position + bytes.Length;
    }

    /// <summary>Receives one answer: nothing comes after it, since nothing else was asked.</summary>
    private int ReceiveUntil(ReadOnlySpan<byte> end)
    {
        int received = 0;
        while (received < end.Length || !_buffer.AsSpan(0, received).EndsWith(end))
        {
            int more = _socket.Receive(_buffer.AsSpan(received));
            received += more > 0 ? more : throw new IOException("memcached closed the connection.");
        }

        return received;
    }
}
