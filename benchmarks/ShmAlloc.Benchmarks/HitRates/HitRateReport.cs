using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using ShmAlloc.Benchmarks.HitRates.Traces;
using ShmAlloc.Benchmarks.Reporting;

namespace ShmAlloc.Benchmarks.HitRates;

/// <summary>The rows as tables for people and as JSON for programs.</summary>
internal static class HitRateReport
{
    private static readonly JsonSerializerOptions Format = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    internal static IEnumerable<string> Table(IReadOnlyList<HitRateRow> rows) =>
    [
        "Hit rates in percent, at equal bytes; the first fifth of each trace does not count.",
        "",
        .. Tables.Markdown(
        [
            ["trace", "cache", .. rows[0].Outcomes.Keys, "ours - best of LRU, CLOCK"],
            .. rows.Select(row => (string[])
                [row.Workload, Size(row), .. row.Outcomes.Values.Select(outcome => Number(100 * outcome.HitRate)), Signed(row.Lead)]),
        ]),
        "",
    ];

    internal static IEnumerable<string> Residence(IReadOnlyList<HitRateRow> rows) =>
    [
        "Resident bytes in percent of the cache, on average: entries only, without fragmentation.",
        "",
        .. Tables.Markdown(
        [
            ["trace", "cache", .. rows[0].Outcomes.Keys],
            .. rows.Select(row => (string[])[row.Workload, Size(row), .. row.Outcomes.Values.Select(outcome => Number(100 * outcome.ResidentShare))]),
        ]),
        "",
    ];

    internal static void Write(string path, IReadOnlyList<HitRateRow> rows) => File.WriteAllText(
        path,
        JsonSerializer.Serialize(
            new
            {
                Request.OverheadBytes,
                Rows = rows.Select(row => new
                {
                    row.Workload,
                    row.Share,
                    row.CapacityBytes,
                    row.Requests,
                    row.Lead,
                    Policies = row.Outcomes.Select(outcome => new { Policy = outcome.Key, outcome.Value.HitRate, outcome.Value.ResidentShare }),
                }),
            },
            Format) + "\n");

    private static string Size(HitRateRow row) => string.Create(
        CultureInfo.InvariantCulture, $"{100 * row.Share:0.##} % = {row.CapacityBytes / 1048576.0:0.0} MiB");

    private static string Number(double percent) => percent.ToString("F1", CultureInfo.InvariantCulture);

    private static string Signed(double? points) =>
        points is { } lead ? Math.Round(lead, 1).ToString("+0.0;-0.0;0.0", CultureInfo.InvariantCulture) : "";
}
