using System.Globalization;
using System.Text;
using ShmAlloc.Benchmarks.Measuring;

namespace ShmAlloc.Benchmarks.Reporting;

/// <summary>Bars on a logarithmic scale: a block for each workload, a bar for each subject.</summary>
/// <param name="caption">What the bars are.</param>
/// <param name="range">Nanoseconds at the ends of the scale.</param>
/// <param name="colours">The subjects that have a bar.</param>
internal sealed class SvgChart(string caption, (double Least, double Most) range, IReadOnlyList<(string Name, string Colour)> colours)
{
    private const int Left = 190;
    private const int Width = 620;
    private const int Right = 90;
    private const int Bar = 13;
    private const int Gap = 12;
    private const int Top = 64;

    private static readonly int[] Ticks = [1, 2, 5];

    /// <summary>Draws a block for each variant of each group.</summary>
    internal void Write(string path, IEnumerable<Timing> results, Clock clock)
    {
        StringBuilder bars = new();
        int y = Top;
        foreach (IGrouping<string, Timing> block in results.GroupBy(result => $"{result.Group}, {result.Variant}"))
        {
            y = AddBlock(bars, block, y, clock);
        }

        int height = y + 20;
        StringBuilder svg = new();
        svg.Append(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{Left + Width + Right}\" height=\"{height}\" ");
        svg.Append("font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n");
        AddLegend(svg);
        AddAxis(svg, height);
        svg.Append(bars).Append("</svg>\n");
        File.WriteAllText(path, svg.ToString());
    }

    private int AddBlock(StringBuilder bars, IGrouping<string, Timing> block, int top, Clock clock)
    {
        int y = top;
        foreach ((string name, string colour) in colours)
        {
            if (block.FirstOrDefault(result => result.Name == name) is { } result)
            {
                double median = result.Median(clock);
                double width = X(median) - Left;
                bars.Append(CultureInfo.InvariantCulture, $"<rect x=\"{Left}\" y=\"{y}\" width=\"{width:F1}\" height=\"{Bar - 2}\" fill=\"{colour}\"/>\n");
                bars.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left + width + 4:F1}\" y=\"{y + Bar - 4}\" font-size=\"10\">{Tables.Time(median)}</text>\n");
                y += Bar;
            }
        }

        string[] title = block.Key.Split(", ");
        int lineTop = ((top + y) / 2) - (title.Length * 7) + 10;
        for (int line = 0; line < title.Length; line++)
        {
            bars.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left - 8}\" y=\"{lineTop + (line * 14)}\" text-anchor=\"end\">{title[line]}</text>\n");
        }

        return Math.Max(y, top + (title.Length * 14)) + Gap;
    }

    private void AddLegend(StringBuilder svg)
    {
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"8\" y=\"18\" font-size=\"14\">{caption}, nanoseconds (logarithmic; shorter is better)</text>\n");
        int x = Left - 60;
        foreach ((string name, string colour) in colours)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<rect x=\"{x}\" y=\"28\" width=\"10\" height=\"10\" fill=\"{colour}\"/>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{x + 14}\" y=\"37\">{name}</text>\n");
            x += 30 + (name.Length * 6);
        }
    }

    private void AddAxis(StringBuilder svg, int height)
    {
        IEnumerable<double> ticks = from power in Enumerable.Range(0, 7) from digit in Ticks select digit * Math.Pow(10, power);
        foreach (double tick in ticks.Where(tick => tick > range.Least && tick < range.Most))
        {
            double x = X(tick);
            svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{x:F1}\" y1=\"{Top - 6}\" x2=\"{x:F1}\" y2=\"{height - 16}\" stroke=\"#ddd\"/>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{x:F1}\" y=\"{Top - 10}\" text-anchor=\"middle\" fill=\"#777\">{tick}</text>\n");
        }
    }

    private double X(double value) =>
        Left + (Width * Math.Log(Math.Clamp(value, range.Least, range.Most) / range.Least) / Math.Log(range.Most / range.Least));
}
