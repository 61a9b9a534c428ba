using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Transcoder = System.Text.Unicode.Utf8;

namespace ShmAlloc.Caching;

/// <summary>Keys that are given as text: their UTF-8.</summary>
internal static unsafe class TextKey
{
    /// <summary>Bytes of a buffer that is large enough for nearly all of them.</summary>
    internal const int ShortBytes = 384;

    private const ushort NotAscii = 0xFF80;

    /// <summary>Bytes that a character takes at most: also half of a pair that stands alone.</summary>
    private const int MostBytesOfCharacter = 3;

    /// <summary>UTF-8 of a text: in the buffer if it fits.</summary>
    /// <remarks>
    /// Half of a surrogate pair that stands alone, as in a text that was cut, is no Unicode, and has no UTF-8; it gets the three bytes that the same rule
    /// yields for its number (as in WTF-8, Simon Sapin, simonsapin.github.io/wtf-8). So different texts have different bytes, and no key means another one's
    /// value.
    /// </remarks>
    internal static ReadOnlySpan<byte> Utf8(ReadOnlySpan<char> text, Span<byte> buffer) =>
        TryUtf8(text, buffer, out int length) ? buffer[..length] : AnyUtf8(text);

    /// <summary>The same, if it fits into the buffer, and has no halves of pairs.</summary>
    internal static bool TryUtf8(ReadOnlySpan<char> text, Span<byte> buffer, out int length) =>
        Transcoder.FromUtf16(text, buffer, out _, out length, replaceInvalidSequences: false) == OperationStatus.Done;

    /// <summary>The key that a text is, which must not be null.</summary>
    /// <param name="text">The text.</param>
    /// <param name="room">Room for its bytes in the frame of the caller: <c>out _</c>.</param>
    internal static ReadOnlySpan<byte> Of(string text, [UnscopedRef] out Room room)
    {
        ArgumentNullException.ThrowIfNull(text, "key");
        Unsafe.SkipInit(out room);
        return Utf8(text, room);
    }

    /// <summary>What is longer than the buffer, or has halves of pairs.</summary>
    private static ReadOnlySpan<byte> AnyUtf8(ReadOnlySpan<char> text)
    {
        byte[] bytes = new byte[checked(text.Length * MostBytesOfCharacter)];
        int length = 0;
        while (true)
        {
            OperationStatus status = Transcoder.FromUtf16(text, bytes.AsSpan(length), out int read, out int written, replaceInvalidSequences: false);
            length += written;
            if (status == OperationStatus.Done)
            {
                return bytes.AsSpan(0, length);
            }

            uint half = text[read];
            bytes[length++] = (byte)(0xE0 | (half >> 12));
            bytes[length++] = (byte)(0x80 | ((half >> 6) & 0x3F));
            bytes[length++] = (byte)(0x80 | (half & 0x3F));
            text = text[(read + 1)..];
        }
    }

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

    /// <summary>Room for a key of average length.</summary>
    [InlineArray(ShortBytes)]
    internal struct Room
    {
        private byte _first;
    }

    /// <summary>The bytes of such a key.</summary>
    [InlineArray(2)]
    internal struct Buffer
    {
        private Vector128<byte> _first;
    }
}
