using System.Text;

namespace ShmAlloc.Tool.Output;

/// <summary>How many columns of a terminal a text takes.</summary>
internal static class Columns
{
    internal static int Of(string text)
    {
        int columns = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            columns += Of(rune);
        }

        return columns;
    }

    /// <summary>The text, with blanks up to so many columns.</summary>
    internal static string PadRight(string text, int columns) => text + new string(' ', Math.Max(0, columns - Of(text)));

    internal static string PadLeft(string text, int columns) => new string(' ', Math.Max(0, columns - Of(text))) + text;

    /// <summary>No more than so many columns of a text; what is cut ends with a mark.</summary>
    internal static string Cut(string text, int columns, bool ascii)
    {
        if (Of(text) <= columns)
        {
            return text;
        }

        StringBuilder kept = new();
        int used = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            used += Of(rune);
            if (used > columns - 1)
            {
                break;
            }

            kept.Append(rune);
        }

        return kept.Append(ascii ? '~' : '…').ToString();
    }

    /// <summary>What East Asian scripts and pictures take. Source: Unicode, EastAsianWidth.txt, in broad strokes.</summary>
    private static int Of(Rune rune) => rune.Value switch
    {
        < 0x1100 => 1,
        <= 0x115F or (>= 0x2E80 and <= 0xA4CF) or (>= 0xAC00 and <= 0xD7A3) or (>= 0xF900 and <= 0xFAFF) or (>= 0xFE30 and <= 0xFE6F) => 2,
        (>= 0xFF00 and <= 0xFF60) or (>= 0xFFE0 and <= 0xFFE6) or (>= 0x1F300 and <= 0x1FAFF) or (>= 0x20000 and <= 0x3FFFD) => 2,
        _ => 1,
    };
}
