using System.Globalization;
using ShmAlloc.Benchmarks.Caches.Measuring;
using ShmAlloc.Benchmarks.Measuring;
using ShmAlloc.Benchmarks.Reporting;

namespace ShmAlloc.Benchmarks.Caches.Reporting;

/// <summary>One table for each operation on a data set.</summary>
internal static class CacheTables
{
    /// <param name="results">All on one data set.</param>
    /// <param name="notes">What to say under each table.</param>
    /// <param name="clock">Which times.</param>
    internal static IEnumerable<string> Of(IEnumerable<CacheResult> results, IReadOnlyList<string> notes, Clock clock) =>
        results.GroupBy(result => result.Group).SelectMany(table => Of([.. table], notes, clock));

    private static IEnumerable<string> Of(IReadOnlyList<CacheResult> table, IReadOnlyList<string> notes, Clock clock)
    {
        List<string> variants = [.. table.Select(result => result.Variant).Distinct()];
        List<string[]> rows = [["", .. variants, "managed B"]];
        foreach (IGrouping<string, CacheResult> row in table.GroupBy(result => result.Name))
        {
            double allocated = row.First().MedianAllocatedBytes;
            rows.Add(
            [
                row.Key,
                .. variants.Select(variant => row.FirstOrDefault(result => result.Variant == variant) is { } result ? Tables.Text(result, clock) : ""),
                allocated.ToString(allocated is > 0 and < 10 ? "F1" : "F0", CultureInfo.InvariantCulture),
            ]);
        }

        return [$"### {table[0].Group}", "", .. Tables.Markdown(rows), "", .. notes, ""];
    }
}
