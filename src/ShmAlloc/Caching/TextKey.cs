using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text;

namespace ShmAlloc.Caching;

/// <summary>Keys that are given as text: their UTF-8.</summary>
internal static unsafe class TextKey
{
    /// <summary>Bytes of a buffer that is large enough for nearly all of them.</summary>
    internal const int ShortBytes = 384;

    private const ushort NotAscii = 0xFF80;

    /// <summary>UTF-8 of a key: in the buffer if it fits.</summary>
    internal static ReadOnlySpan<byte> Utf8(string key, Span<byte> buffer) =>
        Encoding.UTF8.TryGetBytes(key, buffer, out int length) ? buffer[..length] : Encoding.UTF8.GetBytes(key);

    /// <summary>The key of a text of 17 to 32 characters, if all of them are ASCII: as most are, without a call.</summary>
    /// <remarks>The hash takes the bytes from registers: a read of what two stores have just written, in parts, would wait for both.</remarks>
    /// <param name="text">The text.</param>
    /// <param name="buffer">Room for the bytes.</param>
    /// <param name="seed0">For the hash.</param>
    /// <param name="seed1">For the hash.</param>
    /// <param name="key">The key.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool TryMake(string text, Buffer* buffer, ulong seed0, ulong seed1, out CacheKey key)
    {
        key = default;
        int length = text.Length;
        if (!KeyHash.IsOfTwoBlocks(length))
        {
            return false;
        }

        ref ushort characters = ref Unsafe.As<char, ushort>(ref MemoryMarshal.GetReference(text.AsSpan()));
        nuint lastAt = (nuint)(length - Vector256<ushort>.Count);
        Vector256<ushort> first = Vector256.LoadUnsafe(ref characters);
        Vector256<ushort> last = Vector256.LoadUnsafe(ref characters, lastAt);
        if (((first | last) & Vector256.Create(NotAscii)) != Vector256<ushort>.Zero)
        {
            return false;
        }

        Vector128<byte> firstBytes = Vector128.Narrow(first.GetLower(), first.GetUpper());
        Vector128<byte> lastBytes = Vector128.Narrow(last.GetLower(), last.GetUpper());
        byte* bytes = (byte*)buffer;
        firstBytes.Store(bytes);
        lastBytes.Store(bytes + lastAt);
        Vector128<ulong> words = firstBytes.AsUInt64();
        Vector128<ulong> lastWords = lastBytes.AsUInt64();
        ulong hash = KeyHash.OfTwoBlocks(words.ToScalar(), words.GetElement(1), lastWords.ToScalar(), lastWords.GetElement(1), length, seed0, seed1);
        key = new CacheKey(bytes, length, hash);
        return true;
    }

    /// <summary>The bytes of such a key.</summary>
    [InlineArray(2)]
    internal struct Buffer
    {
        private Vector128<byte> _first;
    }
}
