using System.Buffers;
using Microsoft.Extensions.Caching.Distributed;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>Bytes come back as they went in, whatever memory they lay in.</summary>
public sealed class RoundTripTests(RedisServer redis)
{
    private const int Padding = 7;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>What the bytes lie in.</summary>
    public enum Memory
    {
        /// <summary>An array of their own.</summary>
        Array,

        /// <summary>The middle of an array.</summary>
        PaddedArray,

        /// <summary>Memory that is no array.</summary>
        Foreign,

        /// <summary>Three pieces.</summary>
        ThreeSegments,
    }

    public static MatrixTheoryData<Peer, int, bool> Arrays => new([Peer.Ours, Peer.Memory, Peer.Redis], [0, 128, 1024, 16 * 1024], [false, true]);

    public static MatrixTheoryData<Peer, int, Memory, bool> Buffers =>
        new([Peer.Ours, Peer.Redis], [0, 128, 1024, 16 * 1024], Enum.GetValues<Memory>(), [false, true]);

    [Theory]
    [MemberData(nameof(Arrays))]
    public async Task An_array_comes_back(Peer peer, int length, bool isAsync)
    {
        using var application = TestApplication.DistributedOf(peer, redis);
        var cache = application.Distributed;
        var value = Bytes(length);
        if (isAsync)
        {
            await cache.SetAsync("key", value, new(), Token);
        }
        else
        {
            cache.Set("key", value, new());
        }

        var read = isAsync ? await cache.GetAsync("key", Token) : cache.Get("key");
        Assert.Equal(value, read);
    }

    [Theory]
    [MemberData(nameof(Buffers))]
    public async Task A_buffer_comes_back(Peer peer, int length, Memory memory, bool isAsync)
    {
        using var application = TestApplication.DistributedOf(peer, redis);
        var cache = (IBufferDistributedCache)application.Distributed;
        var value = Bytes(length);
        using ForeignMemory foreign = new(value);
        var sequence = In(memory, value, foreign);
        if (isAsync)
        {
            await cache.SetAsync("key", sequence, new(), Token);
        }
        else
        {
            cache.Set("key", sequence, new());
        }

        // Behind what others have written already.
        ArrayBufferWriter<byte> writer = new();
        writer.Write("before"u8);
        Assert.True(isAsync ? await cache.TryGetAsync("key", writer, Token) : cache.TryGet("key", writer));
        Assert.Equal([.. "before"u8, .. value], writer.WrittenSpan.ToArray());
        Assert.Equal(value, cache.Get("key"));
    }

    [Theory]
    [InlineData(128)]
    [InlineData(100_000)]
    public void A_writer_is_asked_once_for_room_for_all_of_it(int length)
    {
        using var application = TestApplication.OwnDistributed();
        var cache = (IBufferDistributedCache)application.Distributed;
        cache.Set("key", Bytes(length), new());
        RecordingWriter writer = new();
        Assert.True(cache.TryGet("key", writer));
        Assert.Equal([length], writer.Asked);
        Assert.Equal([length], writer.Advanced);
    }

    private static byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    private static ReadOnlySequence<byte> In(Memory memory, byte[] value, ForeignMemory foreign) => memory switch
    {
        Memory.Array => new(value),
        Memory.PaddedArray => new([.. new byte[Padding], .. value, .. new byte[Padding]], Padding, value.Length),
        Memory.Foreign => new(foreign.Memory),
        _ => Segment.Chain(value.AsMemory(0, value.Length / 4), value.AsMemory(value.Length / 4, value.Length / 4), value.AsMemory(value.Length / 4 * 2)),
    };

    private sealed class RecordingWriter : IBufferWriter<byte>
    {
        private byte[] _buffer = [];

        internal List<int> Asked { get; } = [];

        internal List<int> Advanced { get; } = [];

        public void Advance(int count) => Advanced.Add(count);

        public Memory<byte> GetMemory(int sizeHint = 0)
        {
            Asked.Add(sizeHint);
            return _buffer = new byte[sizeHint];
        }

        public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        internal static ReadOnlySequence<byte> Chain(params ReadOnlyMemory<byte>[] parts)
        {
            Segment first = new() { Memory = parts[0] };
            var last = first;
            foreach (var part in parts[1..])
            {
                Segment next = new() { Memory = part, RunningIndex = last.RunningIndex + last.Memory.Length };
                last.Next = next;
                last = next;
            }

            return new(first, 0, last, last.Memory.Length);
        }
    }
}
