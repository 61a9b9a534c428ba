using System.Globalization;
using ShmAlloc.Benchmarks.Hybrid.Measuring;
using ShmAlloc.Benchmarks.Measuring;
using ShmAlloc.Benchmarks.Reporting;

namespace ShmAlloc.Benchmarks.Hybrid;

/// <summary>A table for each kind of call, and the table of targets.</summary>
internal static class HybridTables
{
    internal static IEnumerable<string> Of(IReadOnlyList<HybridResult> results, Clock clock)
    {
        string[] names = [.. results.Select(result => result.Name).Distinct()];
        List<string[]> rows = [["", .. names]];
        foreach (IGrouping<string, HybridResult> row in results.GroupBy(result => result.Variant))
        {
            rows.Add([row.Key, .. names.Select(name => row.FirstOrDefault(result => result.Name == name) is { } result ? Text(result, clock) : "")]);
        }

        return [$"### {results[0].Group}", "", .. Tables.Markdown(rows), ""];
    }

    internal static IEnumerable<string> Targets(IReadOnlyList<HybridResult> results, Clock clock)
    {
        // Who waits for a server uses no processor: there only the time that passed says something.
        Clock ClockOf(HybridSubject other) => other.NeedsRedis ? Clock.Wall : clock;

        IEnumerable<Figure> Over(string title, HybridSubject other) =>
            from ours in results
            where ours.Subject == HybridSubject.Ours && ours.Group == title
            from theirs in results
            where theirs.Subject == other && theirs.Workload == ours.Workload
            select Figure.Over(ours.Median(ClockOf(other)), theirs.Median(ClockOf(other)), ours.Variant);

        TargetRow Ratio(string what, double most, string title, HybridSubject other) => TargetRow.Bound(
            what, most, isMost: true, Over(title, other), value => value.ToString(most < 0.1 ? "0.0000" : "0.00", CultureInfo.InvariantCulture));

        return TargetRow.Table(
        [
            Ratio("a string ÷ Microsoft's first level", 1.0, HybridWorkload.Text, HybridSubject.Microsoft),
            Ratio("an object that nobody can change ÷ Microsoft's first level", 1.0, HybridWorkload.Shared, HybridSubject.Microsoft),
            Ratio("an object of each caller's own ÷ Microsoft's first level", 0.8, HybridWorkload.Mutable, HybridSubject.Microsoft),
            Ratio("IDistributedCache.Get ÷ MemoryDistributedCache", 0.8, HybridWorkload.Get, HybridSubject.Memory),
            Ratio("IDistributedCache.Get ÷ RedisCache, time that passed", 0.01, HybridWorkload.Get, HybridSubject.Redis),
            TargetRow.Bound(
                "garbage of a hit whose key is given as characters", 0, isMost: true,
                from ours in results
                where ours.Subject == HybridSubject.Ours && ours.Group == HybridWorkload.Span
                select new Figure(Math.Round(ours.Garbage, 1), ours.Variant),
                value => value.ToString("0.#", CultureInfo.InvariantCulture) + " B"),
        ]);
    }

    private static string Text(HybridResult result, Clock clock) =>
        Tables.Text(result, clock) + (Math.Round(result.Garbage) == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $", {result.Garbage:N0} B"));
}
