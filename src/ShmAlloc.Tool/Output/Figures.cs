using System.Globalization;

namespace ShmAlloc.Tool.Output;

/// <summary>Numbers as people read them.</summary>
internal static class Figures
{
    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

    /// <summary>With commas: "1,071,644,672".</summary>
    internal static string Count(long value) => value.ToString("#,0", CultureInfo.InvariantCulture);

    /// <summary>"612.0 MiB"; below 1 KiB "100 B".</summary>
    internal static string Bytes(long value)
    {
        double size = value;
        int unit = 0;
        while (Math.Abs(size) >= 1024 && unit < Units.Length - 1)
        {
            size /= 1024;
            unit++;
        }

        return unit == 0
            ? string.Create(CultureInfo.InvariantCulture, $"{value} B")
            : string.Create(CultureInfo.InvariantCulture, $"{size:#,0.0} {Units[unit]}");
    }

    /// <summary>Large numbers of events: "88.1 M".</summary>
    internal static string Many(double value) => Math.Abs(value) switch
    {
        >= 1e12 => string.Create(CultureInfo.InvariantCulture, $"{value / 1e12:#,0.0} T"),
        >= 1e9 => string.Create(CultureInfo.InvariantCulture, $"{value / 1e9:0.0} G"),
        >= 1e6 => string.Create(CultureInfo.InvariantCulture, $"{value / 1e6:0.0} M"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{value:#,0}"),
    };

    /// <summary>"94.2 %"; "-" if there is nothing of which it could be a part.</summary>
    internal static string Percent(double part, double whole, int digits = 1) =>
        whole == 0 ? "-" : (100 * part / whole).ToString(digits == 0 ? "0" : "0.0", CultureInfo.InvariantCulture) + " %";

    /// <summary>Two units at most: "2 d 3 h", "4 min 10 s", "350 ms".</summary>
    internal static string Span(TimeSpan span)
    {
        TimeSpan length = span.Duration();
        string text = length switch
        {
            { TotalMilliseconds: < 1000 } => string.Create(CultureInfo.InvariantCulture, $"{length.TotalMilliseconds:0} ms"),
            { TotalSeconds: < 60 } => string.Create(CultureInfo.InvariantCulture, $"{length.TotalSeconds:0} s"),
            { TotalMinutes: < 60 } => Two(length.Minutes, "min", length.Seconds, "s"),
            { TotalHours: < 24 } => Two(length.Hours, "h", length.Minutes, "min"),
            { TotalDays: < 36_500 } => Two(length.Days, "d", length.Hours, "h"),
            _ => "for ages",
        };
        return span < TimeSpan.Zero ? "-" + text : text;
    }

    private static string Two(int large, string unit, int small, string smallUnit) => small == 0
        ? string.Create(CultureInfo.InvariantCulture, $"{large} {unit}")
        : string.Create(CultureInfo.InvariantCulture, $"{large} {unit} {small} {smallUnit}");
}
