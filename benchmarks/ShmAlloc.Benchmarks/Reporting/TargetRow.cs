using System.Globalization;

namespace ShmAlloc.Benchmarks.Reporting;

/// <summary>One figure that is to be kept small, and what it is the figure of.</summary>
internal sealed record Figure(double Value, string Name)
{
    internal static Figure Over(double one, double other, string name) => new(one / other, name);
}

/// <summary>One line of a table of targets.</summary>
internal sealed record TargetRow(string What, string Least, string Aim, string Measured, string Met)
{
    private string[] Cells => [What, Least, Aim, Measured, Met];

    /// <summary>The table.</summary>
    internal static IEnumerable<string> Table(IEnumerable<TargetRow> rows) =>
        [
            "### targets",
            "",
            .. Tables.Markdown([["what", "at least", "aim", "measured", "met"], .. rows.Select(row => row.Cells)]),
            "",
        ];

    internal static TargetRow Ratio(string what, double least, double aim, IEnumerable<Figure> figures) =>
        Worst(what, least, aim, figures, value => value.ToString(least < 0.1 ? "0.0000" : "0.00", CultureInfo.InvariantCulture));

    internal static TargetRow Time(string what, double least, double aim, IEnumerable<Figure> figures) =>
        Worst(what, least, aim, figures, value => (value / 1e3).ToString("0.#", CultureInfo.InvariantCulture) + " µs");

    /// <summary>The largest figure counts; what could not be measured does not.</summary>
    internal static TargetRow Worst(string what, double least, double aim, IEnumerable<Figure> figures, Func<double, string> text)
    {
        Figure? worst = figures.Where(figure => !double.IsNaN(figure.Value)).MaxBy(figure => figure.Value);
        string name = string.IsNullOrEmpty(worst?.Name) ? "" : $" ({worst.Name})";
        string measured = worst is null ? "not measured" : text(worst.Value) + name;
        return new TargetRow(what, text(least), text(aim), measured, Verdict(worst?.Value, value => value <= least, value => value <= aim));
    }

    /// <summary>A figure with one bound and no further aim: the worst one counts, and if it misses, the verdict says by how much.</summary>
    /// <param name="what">What is bounded.</param>
    /// <param name="bound">By what.</param>
    /// <param name="isMost">Whether it may be less, or more.</param>
    /// <param name="figures">All that there are.</param>
    /// <param name="text">How a figure is written.</param>
    internal static TargetRow Bound(string what, double bound, bool isMost, IEnumerable<Figure> figures, Func<double, string> text)
    {
        Figure[] measured = [.. figures.Where(figure => !double.IsNaN(figure.Value))];
        Figure? worst = isMost ? measured.MaxBy(figure => figure.Value) : measured.MinBy(figure => figure.Value);
        string name = string.IsNullOrEmpty(worst?.Name) ? "" : $" ({worst.Name})";
        string met = worst is null ? ""
            : isMost ? MissOf(worst.Value, bound)
            : MissOf(bound, worst.Value);
        return new TargetRow(what, $"{(isMost ? "≤" : "≥")} {text(bound)}", "", worst is null ? "not measured" : text(worst.Value) + name, met);
    }

    private static string MissOf(double less, double more) =>
        less <= more ? "yes" : more <= 0 ? "NO" : string.Create(CultureInfo.InvariantCulture, $"NO: {less / more:0.##} times");

    internal static string Verdict(double? value, Func<double, bool> isEnough, Func<double, bool> isAim) =>
        value is not { } figure ? "" : isAim(figure) ? "aim" : isEnough(figure) ? "yes" : "NO";
}
