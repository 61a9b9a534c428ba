using System.Globalization;
using ShmAlloc.Benchmarks.Measuring;
using ShmAlloc.Benchmarks.Reporting;

namespace ShmAlloc.Benchmarks.Caches.Alone;

/// <summary>A table for each group, and the rows of the table of targets.</summary>
internal static class AloneReport
{
    internal static IEnumerable<string> TableOf(IReadOnlyList<AloneResult> results, Clock clock) =>
    [
        $"### {results[0].Group}",
        "",
        .. Tables.Markdown([[.. results.Select(result => result.Variant)], [.. results.Select(result => Tables.Text(result, clock))]]),
        "",
    ];

    internal static IEnumerable<TargetRow> TargetsOf(IReadOnlyList<AloneResult> results, Clock clock)
    {
        double Median(string group, string variant) =>
            results.FirstOrDefault(result => result.Group == group && result.Variant == variant)?.Median(clock) ?? double.NaN;

        TargetRow Time(string what, double most, string group, params string[] variants) => TargetRow.Bound(
            what, most, isMost: true, variants.Select(variant => new Figure(Median(group, variant), variant)), TimeText);

        TargetRow Batch(long keys, double most) => TargetRow.Bound(
            string.Create(CultureInfo.InvariantCulture, $"GetMany of 32, per key ÷ one get, {keys:N0} keys"),
            most,
            isMost: true,
            [Figure.Over(Median(AloneCatalogue.TitleOf(keys), AloneCatalogue.Many), Median(AloneCatalogue.TitleOf(keys), AloneCatalogue.Single), "")],
            value => value.ToString("0.00", CultureInfo.InvariantCulture));

        yield return Time("IsCurrent, hot", 5, AloneCatalogue.Marks, AloneCatalogue.NoDeadline);
        yield return Time("IsCurrent, hot", 10, AloneCatalogue.Marks, AloneCatalogue.Deadline);
        yield return Time("IsCurrent, hot", 15, AloneCatalogue.Marks, AloneCatalogue.TwoTags);
        yield return Batch(AloneCatalogue.FewKeys, 0.6);
        yield return Batch(AloneCatalogue.ManyKeys, 0.35);
        yield return Time(AloneCatalogue.Refused, 10_000, AloneCatalogue.Refused, AloneCatalogue.Small, AloneCatalogue.Large);
        yield return Time(AloneCatalogue.Limit, 100_000, AloneCatalogue.Limit, AloneCatalogue.Limited);
    }

    private static string TimeText(double nanoseconds) => Tables.Time(nanoseconds) + (nanoseconds < 10_000 ? " ns" : "");
}
