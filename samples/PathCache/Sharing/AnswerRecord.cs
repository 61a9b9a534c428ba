using System.Runtime.InteropServices;
using PathCache.Files;
using ShmAlloc;

namespace PathCache.Sharing;

/// <summary>
/// An answer in shared memory: this header, and behind it the path with its zero byte. It is written while it is private, and never changed
/// once it is published; so a reader needs no lock and no second look.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct AnswerRecord
{
    /// <summary>The system takes no longer paths than 4096 bytes; the walk may have found one that is longer by a name.</summary>
    public const int LongestPathBytes = 4096 + 256;

    public ulong PathHash;
    public ulong SizeBytes;
    public long ModifiedNanoseconds;
    public ulong ContentHash;
    public int PathBytes;
    public ushort Error;
    public FileKind Kind;
    private readonly byte _reserved;

    public static unsafe int HeaderBytes => sizeof(AnswerRecord);

    public static int TotalBytes(ReadOnlySpan<byte> path) => HeaderBytes + path.Length;

    /// <summary>Fills a reservation.</summary>
    public static void Write(Span<byte> room, ReadOnlySpan<byte> path, ulong pathHash, in Answer answer)
    {
        var header = new AnswerRecord
        {
            PathHash = pathHash,
            SizeBytes = answer.SizeBytes,
            ModifiedNanoseconds = answer.ModifiedNanoseconds,
            ContentHash = answer.ContentHash,
            PathBytes = path.Length,
            Error = (ushort)answer.Error,
            Kind = answer.Kind,
        };
        MemoryMarshal.Write(room, header);
        path.CopyTo(room[HeaderBytes..]);
    }

    /// <summary>Reads the answer for a path if the record is about this path. The heap checks that every byte lies inside it.</summary>
    /// <exception cref="SharedDataException">The offset leads out of the heap.</exception>
    public static bool TryRead(ShmHeap heap, ShmOffset offset, ReadOnlySpan<byte> path, ulong pathHash, out Answer answer)
    {
        try
        {
            // A copy, so that what is checked is what is used.
            AnswerRecord header = MemoryMarshal.Read<AnswerRecord>(heap.GetReadOnlySpan(offset, HeaderBytes));
            answer = header.Answer;
            return header.PathHash == pathHash && header.PathBytes == path.Length
                && heap.GetReadOnlySpan(offset, TotalBytes(path))[HeaderBytes..].SequenceEqual(path);
        }
        catch (ArgumentOutOfRangeException exception)
        {
            throw new SharedDataException($"the index names {offset}: {exception.Message}");
        }
    }

    /// <summary>Reads whatever record is at an offset, believing nothing.</summary>
    /// <param name="heap">Where.</param>
    /// <param name="offset">From an entry of the index.</param>
    /// <param name="path">The path with its zero byte.</param>
    /// <param name="answer">The answer.</param>
    /// <returns>What is wrong with the record; null if nothing is.</returns>
    public static string? TryReadAny(ShmHeap heap, ShmOffset offset, out ReadOnlySpan<byte> path, out Answer answer)
    {
        path = default;
        answer = default;
        long usableBytes = heap.UsableSize(offset);
        if (usableBytes < HeaderBytes)
        {
            return $"{offset} is not an allocation that could hold an answer";
        }

        AnswerRecord header = MemoryMarshal.Read<AnswerRecord>(heap.GetReadOnlySpan(offset, HeaderBytes));
        if (header.PathBytes is < 2 or > LongestPathBytes || header.PathBytes > usableBytes - HeaderBytes)
        {
            return $"the answer at {offset} says that its path has {header.PathBytes} bytes";
        }

        path = heap.GetReadOnlySpan(offset, HeaderBytes + header.PathBytes)[HeaderBytes..];
        answer = header.Answer;
        return path.IndexOf((byte)0) != path.Length - 1 || AnswerIndex.HashOf(path) != header.PathHash ? $"the path in the answer at {offset} is damaged" : null;
    }

    private readonly Answer Answer => new(Kind, Error, SizeBytes, ModifiedNanoseconds, ContentHash);
}
