using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace ShmAlloc.Tool.Output;

/// <summary>
/// Text that others have chosen (keys, names of caches, of files and of processes) as it may be shown: no byte of it moves a cursor, colours anything, turns
/// the direction of writing, or hides.
/// </summary>
internal static class Untrusted
{
    /// <summary>Bytes that should be UTF-8. What is not stands as <c>\xNN</c>, what must not be shown as <c>\u{N}</c>, and a backslash twice.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <param name="ascii">Whether everything beyond ASCII must not be shown.</param>
    /// <param name="most">No more characters than that, and then a mark that there was more; 0: all.</param>
    internal static string Show(ReadOnlySpan<byte> bytes, bool ascii, int most = 0)
    {
        StringBuilder text = new();
        int columns = 0;
        while (!bytes.IsEmpty)
        {
            bool isText = Rune.DecodeFromUtf8(bytes, out Rune rune, out int length) == System.Buffers.OperationStatus.Done;
            string shown = isText ? Show(rune, ascii) : string.Create(CultureInfo.InvariantCulture, $"\\x{bytes[0]:x2}");
            columns += Columns.Of(shown);
            if (most > 0 && columns > (length < bytes.Length ? most - 1 : most))
            {
                return text.Append(ascii ? '~' : '…').ToString();
            }

            text.Append(shown);
            bytes = bytes[(isText ? length : 1)..];
        }

        return text.ToString();
    }

    internal static string Show(string text, bool ascii, int most = 0) => Show(Encoding.UTF8.GetBytes(text), ascii, most);

    /// <summary>Whether bytes can be told as JSON text without losing any.</summary>
    internal static bool IsText(ReadOnlySpan<byte> bytes) => Utf8.IsValid(bytes);

    private static string Show(Rune rune, bool ascii) => rune.Value switch
    {
        '\\' => "\\\\",
        '\n' => "\\n",
        '\t' => "\\t",
        '\r' => "\\r",
        < ' ' or 0x7F => string.Create(CultureInfo.InvariantCulture, $"\\x{rune.Value:x2}"),
        < 0x7F => rune.ToString(),
        _ when ascii || !IsHarmless(rune) => string.Create(CultureInfo.InvariantCulture, $"\\u{{{rune.Value:x}}}"),
        _ => rune.ToString(),
    };

    /// <summary>No control, no format (those turn the direction, or have no width), no mark that would sit on what is ours, and a character at all.</summary>
    private static bool IsHarmless(Rune rune) => Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator
        or UnicodeCategory.ParagraphSeparator or UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.SpacingCombiningMark);
}
