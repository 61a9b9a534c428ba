using System.Text;

namespace PathCache.Files;

/// <summary>
/// Paths as the bytes that the system knows them by, one behind the other, each with a zero byte at its end. A name need not be UTF-8,
/// so a path is a string only where a person reads it.
/// </summary>
/// <param name="starts">Where each path starts in <paramref name="bytes"/>, and at the end where the last one ends.</param>
/// <param name="bytes">All paths.</param>
internal sealed class PathList(int[] starts, byte[] bytes)
{
    public int Count => starts.Length - 1;

    public ReadOnlySpan<int> Starts => starts;

    public ReadOnlySpan<byte> Bytes => bytes;

    /// <summary>A path with its zero byte, as system calls want it.</summary>
    public ReadOnlySpan<byte> WithZero(int index) => bytes.AsSpan(starts[index], starts[index + 1] - starts[index]);

    /// <summary>A path for people: what is not UTF-8 becomes a replacement character.</summary>
    public static string Display(ReadOnlySpan<byte> pathWithZero) => Encoding.UTF8.GetString(pathWithZero.TrimEnd((byte)0));
}

/// <summary>Puts a <see cref="PathList"/> together.</summary>
internal sealed class PathListBuilder
{
    private readonly List<int> _starts = [0];
    private readonly List<byte> _bytes = [];

    public int Count => _starts.Count - 1;

    public void Add(byte[] pathWithZero)
    {
        _bytes.AddRange(pathWithZero);
        _starts.Add(_bytes.Count);
    }

    public PathList ToList() => new([.. _starts], [.. _bytes]);
}
