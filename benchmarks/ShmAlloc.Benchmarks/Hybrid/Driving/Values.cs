using System.ComponentModel;

namespace ShmAlloc.Benchmarks.Hybrid.Driving;

/// <summary>An object that nobody can change: a cache may give the same one to all callers.</summary>
[ImmutableObject(true)]
internal sealed record SharedObject(uint Index, string Name, double Price, long Stock);

/// <summary>An object that callers may change: each gets its own.</summary>
internal sealed class MutableObject
{
    public uint Index { get; set; }

    public string Name { get; set; } = "";

    public double Price { get; set; }

    public long Stock { get; set; }
}

/// <summary>The values of keys.</summary>
internal static class Values
{
    private const int TextLength = 100;

    internal static string TextOf(uint index) => $"{index} ".PadRight(TextLength, 'x');

    internal static SharedObject SharedOf(uint index) => new(index, TextOf(index), index / 7.0, index);

    internal static MutableObject MutableOf(uint index) => new() { Index = index, Name = TextOf(index), Price = index / 7.0, Stock = index };

    internal static byte[] BytesOf(uint index)
    {
        byte[] bytes = new byte[TextLength];
        BitConverter.TryWriteBytes(bytes, index);
        return bytes;
    }
}
