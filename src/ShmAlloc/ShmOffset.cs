using System.Globalization;

namespace ShmAlloc;

/// <summary>
/// A place in a heap: the distance in bytes from the heap's user base. It means the same in every process that has the
/// heap attached, wherever each of them mapped the file, so it may be stored in the heap itself and handed to others.
/// </summary>
/// <param name="Value">Distance from the user base in bytes; 0 is null. The first 4096 bytes are never handed out.</param>
public readonly record struct ShmOffset(ulong Value)
{
    /// <summary>The offset that names nothing.</summary>
    public static ShmOffset Null => default;

    /// <summary>Whether this offset names nothing.</summary>
    public bool IsNull => Value == 0;

    /// <summary>The offset as the integer to store in shared memory.</summary>
    /// <param name="offset">The offset.</param>
    public static explicit operator ulong(ShmOffset offset) => offset.Value;

    /// <summary>An offset from the integer that was stored in shared memory. It is checked where it is used.</summary>
    /// <param name="value">Distance from the user base in bytes.</param>
    public static explicit operator ShmOffset(ulong value) => new(value);

    /// <summary>The offset in hexadecimal.</summary>
    /// <returns>For example <c>0x1040</c>.</returns>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"0x{Value:x}");
}
