namespace ShmAlloc.Tool.Output;

/// <summary>Rows with titles: columns as wide as they have to be; on a terminal the last one is cut to what is left.</summary>
internal sealed class Table(params string[] titles)
{
    private const int Gap = 2;

    private readonly List<(string Text, Tint Tint)[]> _rows = [];

    /// <summary>Columns of text; the others hold numbers, and are set to the right.</summary>
    internal HashSet<string> Texts { get; init; } = [];

    /// <summary>Columns that go, the first ones first, where all do not fit on the terminal.</summary>
    internal string[] Optional { get; init; } = [];

    internal int Count => _rows.Count;

    /// <summary>Adds a row; what is missing is empty.</summary>
    internal void Add(params (string Text, Tint Tint)[] cells) => _rows.Add(cells);

    internal void Add(params string[] cells) => _rows.Add([.. cells.Select(cell => (cell, Tint.None))]);

    internal void Print(Page page)
    {
        int[] widths = [.. titles.Select((title, column) =>
            _rows.Where(row => column < row.Length).Select(row => Columns.Of(row[column].Text)).Append(Columns.Of(title)).Max())];
        bool[] isShown = [.. titles.Select(_ => true)];
        foreach (int column in Optional.Select(title => Array.IndexOf(titles, title)))
        {
            isShown[column] = !page.Cuts || widths.Where((_, index) => isShown[index]).Sum(width => width + Gap) - Gap <= page.Columns;
        }

        PrintRow(page, widths, isShown, [.. titles.Select(title => (title, Tint.Faint))]);
        foreach ((string Text, Tint Tint)[] row in _rows)
        {
            PrintRow(page, widths, isShown, row);
        }
    }

    private void PrintRow(Page page, int[] widths, bool[] isShown, (string Text, Tint Tint)[] row)
    {
        string line = "";
        int used = 0;
        int last = Array.FindLastIndex(row, cell => cell.Text.Length != 0);
        for (int column = 0; column <= last; column++)
        {
            if (!isShown[column])
            {
                continue;
            }

            (string text, Tint tint) = row[column];
            int left = page.Columns - used;
            if (page.Cuts && left < 1)
            {
                break;
            }

            bool isText = Texts.Contains(titles[column]);
            string padded = !isText ? Columns.PadLeft(text, widths[column]) : column == last ? text : Columns.PadRight(text, widths[column]);
            padded = page.Cuts ? Columns.Cut(padded, left, page.IsAscii) : padded;
            line += page.Paint(padded, tint) + (column == last ? "" : new string(' ', Gap));
            used += Columns.Of(padded) + Gap;
        }

        page.Line(page.HasColour ? line : line.TrimEnd());
    }
}
