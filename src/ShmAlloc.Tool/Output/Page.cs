using System.Globalization;
using ShmAlloc.Tool.Running;

namespace ShmAlloc.Tool.Output;

/// <summary>How much a word wants to be seen. No fact is told by it alone: a letter or a word says the same.</summary>
internal enum Tint
{
    None,
    Good,
    Notice,
    Bad,
    Faint,
    Strong,
}

/// <summary>The rules for everything that a verb prints: width, colour, letters beyond ASCII, and what others have chosen.</summary>
internal sealed class Page
{
    private const int DefaultColumns = 100;
    private const int FewestColumns = 40;

    private static readonly string[] Eighths = [" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"];

    private static readonly string[] LocaleVariables = ["LC_ALL", "LC_CTYPE", "LANG"];

    private readonly Surroundings _surroundings;

    internal Page(Surroundings surroundings, bool json, bool? ascii, string color)
    {
        _surroundings = surroundings;
        IsJson = json;
        IsAscii = ascii ?? !IsUtf8(surroundings);
        HasColour = color switch
        {
            "always" => true,
            "never" => false,
            _ => surroundings.IsOutputTerminal
                && string.IsNullOrEmpty(surroundings.Variable("NO_COLOR"))
                && surroundings.Variable("TERM") is not (null or "dumb"),
        };
        Columns = surroundings.IsOutputTerminal && surroundings.TerminalColumns > 0 ? Math.Max(FewestColumns, surroundings.TerminalColumns) : DefaultColumns;
    }

    internal bool IsJson { get; }

    internal bool IsAscii { get; }

    internal bool HasColour { get; }

    /// <summary>Columns to lay out for.</summary>
    internal int Columns { get; }

    /// <summary>Whether what is wider is cut: only where somebody looks at it.</summary>
    internal bool Cuts => _surroundings.IsOutputTerminal;

    internal void Line(string text = "")
    {
        _surroundings.Output.Write(text);
        _surroundings.Output.Write('\n');
    }

    /// <summary>A message that is no data.</summary>
    internal void Note(string text) => _surroundings.Error.WriteLine(text);

    internal void Flush() => _surroundings.Output.Flush();

    internal string Paint(string text, Tint tint) => !HasColour || tint == Tint.None || text.Length == 0
        ? text
        : $"\e[{tint switch { Tint.Good => "32", Tint.Notice => "33", Tint.Bad => "1;31", Tint.Faint => "2", _ => "1" }}m{text}\e[0m";

    /// <summary>Text that others have chosen.</summary>
    internal string Show(ReadOnlySpan<byte> bytes, int most = 0) => Untrusted.Show(bytes, IsAscii, most);

    /// <inheritdoc cref="Show(ReadOnlySpan{byte}, int)"/>
    internal string Show(string text, int most = 0) => Untrusted.Show(text, IsAscii, most);

    /// <summary>A bar that is so much of its columns long.</summary>
    internal string Bar(double share, int columns)
    {
        share = double.IsNaN(share) ? 0 : Math.Clamp(share, 0, 1);
        if (IsAscii)
        {
            int filled = (int)Math.Round(share * columns);
            return new string('#', filled) + new string(' ', columns - filled);
        }

        int eighths = (int)Math.Round(share * columns * 8);
        string bar = new('█', eighths / 8);
        string rest = eighths % 8 == 0 ? "" : Eighths[eighths % 8];
        return bar + rest + new string(' ', columns - (eighths / 8) - (rest.Length == 0 ? 0 : 1));
    }

    /// <summary>A sign, or what stands for it in ASCII.</summary>
    internal string Sign(string sign, string ascii) => IsAscii ? ascii : sign;

    internal static string Number(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);

    private static bool IsUtf8(Surroundings surroundings)
    {
        string? locale = LocaleVariables.Select(surroundings.Variable).FirstOrDefault(value => !string.IsNullOrEmpty(value));
        return locale != null && locale.Replace("-", "", StringComparison.Ordinal).Contains("UTF8", StringComparison.OrdinalIgnoreCase);
    }
}
