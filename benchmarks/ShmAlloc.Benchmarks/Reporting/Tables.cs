using System.Globalization;
using ShmAlloc.Benchmarks.Measuring;

namespace ShmAlloc.Benchmarks.Reporting;

/// <summary>Tables in Markdown that can also be read as they are.</summary>
internal static class Tables
{
    /// <summary>One row for each variant, one column for each subject.</summary>
    internal static IEnumerable<string> Of(Group group, IReadOnlyList<Result> results, Clock clock)
    {
        List<Subject> subjects = [.. Subject.All.Where(subject => results.Any(result => result.Subject == subject))];
        List<string[]> rows = [["", .. subjects.Select(subject => subject.Name)]];
        foreach (IGrouping<string, Result> variant in results.GroupBy(result => result.Workload.Variant))
        {
            rows.Add([variant.Key, .. subjects.Select(subject => variant.FirstOrDefault(result => result.Subject == subject) is { } result ? Text(result, clock) : "")]);
        }

        string[] note = group.Note is { } text ? ["", text] : [];
        return [$"### {group.Title}", "", .. Markdown(rows), .. note, ""];
    }

    internal static IEnumerable<string> Of(IReadOnlyList<Room> rooms)
    {
        List<Subject> subjects = [.. rooms.Select(room => room.Subject).Distinct()];
        List<string[]> rows = [["filled with", .. subjects.Select(subject => subject.Name)]];
        foreach (IGrouping<string, Room> row in rooms.GroupBy(room => room.Row))
        {
            rows.Add([row.Key, .. subjects.Select(subject => row.FirstOrDefault(room => room.Subject == subject) is { } room ? Text(room) : "")]);
        }

        return
        [
            "### room in a heap of 64 MiB: bytes asked for per byte of the file (in brackets: in units of 32 bytes, per byte of the region)",
            "",
            .. Markdown(rows),
            "",
        ];
    }

    internal static IEnumerable<string> Of(IReadOnlyList<Ageing> ageings) => ageings.Count == 0 ? [] :
    [
        string.Create(CultureInfo.InvariantCulture, $"### a heap of 64 MiB kept 80 % full: what it still gives after {ageings[0].Operations:N0} replacements"),
        "",
        .. Markdown(
            [
                ["asked for", "", "before, MiB", "after, MiB"],
                .. ageings.Select(age => (string[])[age.Request, age.Subject.Name, MiB(age.BytesBefore), MiB(age.BytesAfter)]),
            ]),
        "",
    ];

    internal static IEnumerable<string> Markdown(IReadOnlyList<string[]> rows)
    {
        int[] widths = [.. Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length))];
        yield return Line(rows[0], widths);
        yield return "|" + string.Concat(widths.Select(width => new string('-', width + 2) + "|"));
        foreach (string[] row in rows.Skip(1))
        {
            yield return Line(row, widths);
        }
    }

    /// <summary>Nanoseconds with three significant figures, in a unit that suits.</summary>
    internal static string Time(double nanoseconds) => nanoseconds switch
    {
        < 10_000 => nanoseconds.ToString(nanoseconds < 100 ? "F1" : "F0", CultureInfo.InvariantCulture),
        < 10_000_000 => (nanoseconds / 1e3).ToString("F0", CultureInfo.InvariantCulture) + " µs",
        _ => (nanoseconds / 1e6).ToString("F0", CultureInfo.InvariantCulture) + " ms",
    };

    internal static string Text(Timing result, Clock clock)
    {
        double[] sorted = result.Sorted(clock);
        string failures = result.Failures == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $", {result.Failures:N0} failed");
        return $"{Time(Statistics.Median(sorted))} ({Time(sorted[0])} .. {Time(sorted[^1])}{failures})";
    }

    private static string Text(Room room) => string.Create(CultureInfo.InvariantCulture, $"{room.OfFile * 100:F2} % ({room.OfRegion * 100:F2} %)");

    private static string MiB(long bytes) => ((double)bytes / (1 << 20)).ToString("F2", CultureInfo.InvariantCulture);

    private static string Line(string[] cells, int[] widths) => "|" + string.Concat(cells.Select((cell, column) => $" {cell.PadRight(widths[column])} |"));
}
