namespace ShmAlloc.Benchmarks.Caches.Driving;

/// <summary>A key in the form that a subject wants; the other one is empty.</summary>
/// <param name="index">Its number; the value begins with it.</param>
/// <param name="text">The key as a string.</param>
/// <param name="utf8">The key as bytes.</param>
internal readonly ref struct Key(uint index, string text, ReadOnlySpan<byte> utf8)
{
    /// <summary>Length in bytes and in characters.</summary>
    internal const int Length = 25;

    private const string Prefix = "session:user:";

    internal uint Index { get; } = index;

    internal string Text { get; } = text;

    internal ReadOnlySpan<byte> Utf8 { get; } = utf8;

    /// <summary>The key of a number as a new string.</summary>
    internal static string TextOf(uint index) => string.Create(Length, index, (characters, number) =>
    {
        Prefix.CopyTo(characters);
        Digits(number).TryFormat(characters[Prefix.Length..], out _, "x12");
    });

    /// <summary>Writes the key of a number as bytes.</summary>
    internal static void WriteUtf8(uint index, Span<byte> destination)
    {
        for (int position = 0; position < Prefix.Length; position++)
        {
            destination[position] = (byte)Prefix[position];
        }

        Digits(index).TryFormat(destination[Prefix.Length..], out _, "x12");
    }

    /// <summary>Numbers of 48 bits that look like random ones; no two indices have the same.</summary>
    private static ulong Digits(uint index) => (index * 0x9E3779B97F4BUL) & 0xFFFF_FFFF_FFFF;
}
