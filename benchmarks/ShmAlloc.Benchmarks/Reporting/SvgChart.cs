using System.Globalization;
using System.Text;
using ShmAlloc.Benchmarks.Measuring;

namespace ShmAlloc.Benchmarks.Reporting;

/// <summary>Bars on a logarithmic scale: a block for each workload, a bar for each subject.</summary>
internal static class SvgChart
{
    private const double Least = 4;
    private const double Most = 4000;
    private const int Left = 190;
    private const int Width = 620;
    private const int Right = 90;
    private const int Bar = 13;
    private const int Gap = 12;
    private const int Top = 64;

    private static readonly (Subject Subject, string Colour)[] Colours =
    [
        (Subject.Ours, "#1b6ca8"), (Subject.OursFromC, "#69b3e7"), (Subject.Glibc, "#9a9a9a"), (Subject.Mimalloc, "#e0a526"),
        (Subject.Jemalloc, "#b86b25"), (Subject.Boost, "#b03a48"), (Subject.Naive, "#7a4f8f"),
    ];

    internal static void Write(string path, IReadOnlyList<Result> results, Clock clock)
    {
        List<IGrouping<string, Result>> blocks =
        [
            .. results.Where(IsShown).GroupBy(result => $"{result.Group}, {result.Workload.Variant}").Where(block => block.Any(result => result.Subject == Subject.Ours)),
        ];
        StringBuilder bars = new();
        int y = Top;
        foreach (IGrouping<string, Result> block in blocks)
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

    private static bool IsShown(Result result) =>
        !result.Workload.IsSlow && result.Workload.HeapBytes == 64 * Workload.MiB && (result.Workload.Threads == 1 || result.Workload.Pattern == "handover");

    private static int AddBlock(StringBuilder bars, IGrouping<string, Result> block, int top, Clock clock)
    {
        int y = top;
        foreach ((Subject subject, string colour) in Colours)
        {
            if (block.FirstOrDefault(result => result.Subject == subject) is { } result)
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

    private static void AddLegend(StringBuilder svg)
    {
        svg.Append("<text x=\"8\" y=\"18\" font-size=\"14\">One malloc and one free, nanoseconds (logarithmic; shorter is better)</text>\n");
        int x = Left - 60;
        foreach ((Subject subject, string colour) in Colours)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<rect x=\"{x}\" y=\"28\" width=\"10\" height=\"10\" fill=\"{colour}\"/>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{x + 14}\" y=\"37\">{subject.Name}</text>\n");
            x += 30 + (subject.Name.Length * 6);
        }
    }

    private static void AddAxis(StringBuilder svg, int height)
    {
        foreach (int tick in (int[])[5, 10, 20, 50, 100, 200, 500, 1000, 2000])
        {
            double x = X(tick);
            svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{x:F1}\" y1=\"{Top - 6}\" x2=\"{x:F1}\" y2=\"{height - 16}\" stroke=\"#ddd\"/>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{x:F1}\" y=\"{Top - 10}\" text-anchor=\"middle\" fill=\"#777\">{tick}</text>\n");
        }
    }

    private static double X(double value) =>
        Left + (Width * Math.Log(Math.Clamp(value, Least, Most) / Least) / Math.Log(Most / Least));
}
