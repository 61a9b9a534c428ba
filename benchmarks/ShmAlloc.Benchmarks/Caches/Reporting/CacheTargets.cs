using ShmAlloc.Benchmarks.Caches.Alone;
using ShmAlloc.Benchmarks.Caches.Measuring;
using ShmAlloc.Benchmarks.Measuring;
using ShmAlloc.Benchmarks.Reporting;

namespace ShmAlloc.Benchmarks.Caches.Reporting;

/// <summary>The targets of the cache: ratios of medians of one run. The worst of both forms of keys and of both distributions counts.</summary>
internal sealed class CacheTargets(IReadOnlyList<CacheResult> results, IReadOnlyList<AloneResult> alone, Clock clock)
{
    private static readonly CacheSubject[] Ours = [CacheSubject.OursUtf8, CacheSubject.OursText];
    internal IEnumerable<string> Table() => TargetRow.Table([.. Rows(), .. AloneReport.TargetsOf(alone, clock)]);

    private IEnumerable<TargetRow> Rows()
    {
        string data = CacheCatalogue.Small.ToString();
        yield return TargetRow.Ratio($"get {data} ÷ ConcurrentDictionary, get and copy", 1.0, 0.5, Against(Operation.Get, CacheSubject.Dictionary));
        yield return TargetRow.Ratio($"set {data} ÷ ConcurrentDictionary", 1.0, 0.5, Against(Operation.Set, CacheSubject.Dictionary));
        yield return TargetRow.Ratio(
            "get, two processes ÷ one, per operation", 1.1, 1.0,
            from ours in Ours
            from distribution in CacheWorkload.Distributions
            select Figure.Over(
                Median(ours, Operation.SharedGet, distribution, 2), Median(ours, Operation.SharedGet, distribution, 1), $"{ours.Name}, {distribution}"));
        yield return TargetRow.Ratio("get ÷ LMDB with a transaction for each get", 0.25, 0.1, Against(Operation.Get, CacheSubject.Lmdb));
        yield return TargetRow.Ratio("get ÷ Redis on loopback", 0.01, 0.005, Against(Operation.Get, CacheSubject.Redis));
        yield return TargetRow.Worst(
            "managed bytes for one TryGet into the caller's buffer", 0, 0,
            from result in results
            where Ours.Contains(result.Subject) && result.Workload.Operation == Operation.Get
            select new Figure(result.MedianAllocatedBytes, $"{result.Name}, {result.Group}, {result.Variant}"),
            value => value.ToString("0.##", System.Globalization.CultureInfo.InvariantCulture));
    }

    private IEnumerable<Figure> Against(Operation operation, CacheSubject peer) =>
        from ours in Ours
        from distribution in CacheWorkload.Distributions
        select Figure.Over(Median(ours, operation, distribution, 1), Median(peer, operation, distribution, 1), $"{ours.Name}, {distribution}");

    private double Median(CacheSubject subject, Operation operation, string distribution, int processes)
    {
        CacheWorkload workload = new(CacheCatalogue.Small, operation, distribution, 1, processes);
        return results.FirstOrDefault(result => result.Subject == subject && result.Workload == workload)?.Median(clock) ?? double.NaN;
    }
}
