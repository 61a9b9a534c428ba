using System.Globalization;
using ShmAlloc.Benchmarks.Measuring;

namespace ShmAlloc.Benchmarks.Reporting;

/// <summary>The table of targets: ratios of medians of one run, and a few absolute figures.</summary>
internal sealed class Targets(IReadOnlyList<Result> results, IReadOnlyList<Room> rooms, Clock clock)
{
    private static readonly Func<Workload, bool> Alone = work => work is { Threads: 1, Processes: 1, HeapBytes: 64 * Workload.MiB };
    private static readonly Func<Workload, bool> TwoThreads = work => work is { Threads: 2, HeapBytes: 64 * Workload.MiB };
    private static readonly Func<Workload, bool> TwoProcesses = work => work is { Processes: 2, HeapBytes: 64 * Workload.MiB };

    private static readonly string[] Plain = [Catalogue.Pair100, Catalogue.Churn128, Catalogue.Churn1000];
    private static readonly string[] Handovers = [Catalogue.Handover100, Catalogue.Handover1000];
    private static readonly Subject[] Private = [Subject.Glibc, Subject.Mimalloc, Subject.Jemalloc];

    internal IEnumerable<string> Table() => TargetRow.Table(Rows());

    private IEnumerable<TargetRow> Rows()
    {
        yield return TargetRow.Ratio(
            "pair 100 B, one thread, .NET API ÷ fastest of glibc, mimalloc, jemalloc", 1.4, 1.0,
            [Figure.Over(Median(Catalogue.Pair100, Subject.Ours, Alone), Private.Min(subject => Median(Catalogue.Pair100, subject, Alone)), "")]);
        yield return TargetRow.Ratio("churn 1..1000 B ÷ mimalloc", 2.0, 1.2, [Between(Catalogue.Churn1000, Subject.Ours, Alone, Subject.Mimalloc, Alone)]);
        yield return TargetRow.Ratio("churn 1..128 B ÷ mimalloc", 2.0, 1.2, [Between(Catalogue.Churn128, Subject.Ours, Alone, Subject.Mimalloc, Alone)]);
        yield return TargetRow.Ratio(
            "two threads or two processes ÷ one, per operation (the worst)", 1.15, 1.05,
            from title in Plain
            from two in ((string Name, Func<Workload, bool> Is)[])[("two threads", TwoThreads), ("two processes", TwoProcesses)]
            select Between(title, Subject.Ours, two.Is, Subject.Ours, Alone, $"{title}, {two.Name}"));
        yield return TargetRow.Ratio(
            "producer/consumer over two processes ÷ mimalloc's over two threads (the worst)", 2.0, 1.0,
            from title in Handovers select Between(title, Subject.Ours, TwoProcesses, Subject.Mimalloc, TwoThreads, title));
        yield return TargetRow.Ratio(
            "97 % full ÷ half full", 4, 2,
            [Between(Catalogue.NearlyFull, Subject.Ours, work => Alone(work) && work.Percent == 97, Subject.Ours, work => Alone(work) && work.Percent == 50)]);
        yield return TargetRow.Ratio(
            "16 GiB heap ÷ 64 MiB heap (the worst)", 1.25, 1.1,
            from title in (string[])[Catalogue.Pair100, Catalogue.Churn1000]
            select Between(title, Subject.Ours, work => work.HeapBytes == HeapSizes.Huge, Subject.Ours, Alone, title));
        yield return TargetRow.Time(
            "out of memory on a full 1 GiB heap (the worst)", 1e6, 100e3,
            from result in results
            where result.Subject == Subject.Ours && result.Group.StartsWith(Catalogue.Refused, StringComparison.Ordinal)
            select new Figure(result.Median(clock), result.Group[Catalogue.Refused.Length..].Trim()));
        yield return TargetRow.Time(
            "attach to a 1 GiB heap with 8 participants", 1e6, 200e3, [new Figure(Median(Catalogue.AttachTitle, Subject.Ours, _ => true), "")]);
        yield return Utilisation();
        yield return TargetRow.Ratio(
            "ours ÷ Boost.Interprocess, churn, two processes", 0.2, 0.05,
            [Between(Catalogue.Churn1000, Subject.Ours, TwoProcesses, Subject.Boost, TwoProcesses)]);
    }

    private TargetRow Utilisation()
    {
        const double least = 0.88;
        const double aim = 0.93;
        Room? worst = rooms.Where(room => room.Subject == Subject.Ours).MinBy(room => room.OfRegion);
        string measured = worst is null ? "not measured" : $"{Percent(worst.OfRegion)} ({worst.Row}); of the file: {Percent(worst.OfFile)}";
        string verdict = TargetRow.Verdict(worst?.OfRegion, share => share >= least, share => share >= aim);
        return new TargetRow("utilisation, worst row", Percent(least), Percent(aim), measured, verdict);
    }

    private double Median(string title, Subject subject, Func<Workload, bool> which)
    {
        Result? result = results.FirstOrDefault(result => result.Group == title && result.Subject == subject && which(result.Workload));
        return result?.Median(clock) ?? double.NaN;
    }

    private Figure Between(string title, Subject one, Func<Workload, bool> oneIs, Subject other, Func<Workload, bool> otherIs, string name = "") =>
        Figure.Over(Median(title, one, oneIs), Median(title, other, otherIs), name);

    private static string Percent(double share) => (share * 100).ToString("0.##", CultureInfo.InvariantCulture) + " %";
}
