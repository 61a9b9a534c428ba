using System.Globalization;
using ShmAlloc.Benchmarks.HitRates.Traces;
using ShmAlloc.Benchmarks.Measuring;

namespace ShmAlloc.Benchmarks.HitRates;

/// <summary>What the command line asks for.</summary>
internal sealed record HitRateChoice(string? Trace, bool Quick, string? Policy, string? Workload, string? Json);

/// <summary>Compares the hit rates of eviction policies at equal bytes.</summary>
internal sealed class HitRateBenchmark
{
    private const int FullRequests = 2_000_000;
    private const int QuickRequests = 400_000;

    /// <summary>What does not grow with a cache, and the units in which it works, count too much in smaller ones.</summary>
    private const long LeastCapacityBytes = 1 << 20;

    private static readonly double[] SharesOfFiles = [0.01, 0.1, 0.3];

    private readonly HitRateChoice _choice;
    private readonly List<Contender> _contenders;
    private readonly List<HitRateRow> _rows = [];

    private HitRateBenchmark(HitRateChoice choice)
    {
        _choice = choice;
        _contenders = [.. Contender.All.Where(contender => Contains(contender.Name, choice.Policy))];
    }

    /// <returns>The exit code: 0, or 1 after an error that is printed.</returns>
    internal static int Run(HitRateChoice choice)
    {
        try
        {
            new HitRateBenchmark(choice).Measure();
            return 0;
        }
        catch (BenchmarkException failure)
        {
            Console.Error.WriteLine(failure.Message);
            return 1;
        }
    }

    private void Measure()
    {
        List<TraceSource> workloads = [.. Workloads()];
        if (_contenders.Count == 0 || workloads.Count == 0)
        {
            throw new BenchmarkException(
                "Nothing is left to compare. Policies: " + string.Join(", ", Contender.All.Select(contender => contender.Name))
                + ". Workloads: " + string.Join(", ", SyntheticTraces.All.Select(workload => workload.Title)) + ".");
        }

        foreach ((int index, TraceSource workload) in workloads.Index())
        {
            Progress($"[{index + 1}/{workloads.Count}] {workload.Title}");
            Measure(workload);
        }

        foreach (string line in (IEnumerable<string>)[.. HitRateReport.Table(_rows), .. HitRateReport.Residence(_rows)])
        {
            Console.WriteLine(line);
        }

        if (_choice.Json is { } json)
        {
            HitRateReport.Write(json, _rows);
        }
    }

    private IEnumerable<TraceSource> Workloads()
    {
        if (_choice.Trace is not { } path)
        {
            return SyntheticTraces.All.Where(workload => Contains(workload.Title, _choice.Workload));
        }

        Progress($"Reading {path}");
        Request[] trace = TraceFile.Read(path);
        return [new TraceSource(Path.GetFileName(path), _ => trace, SharesOfFiles)];
    }

    private void Measure(TraceSource workload)
    {
        Request[] trace = workload.Requests(_choice.Quick ? QuickRequests : FullRequests);
        long bytes = WorkingSet.Of(trace).Bytes;
        foreach (long capacity in workload.Shares.Select(share => Math.Max(LeastCapacityBytes, (long)(share * bytes))).Distinct())
        {
            Dictionary<string, Outcome> outcomes = [];
            foreach (Contender contender in _contenders)
            {
                Progress(string.Create(CultureInfo.InvariantCulture, $"  {100.0 * capacity / bytes:0.##} %: {contender.Name}"));
                outcomes.Add(contender.Name, Replay.Run(contender, trace, capacity));
            }

            _rows.Add(new HitRateRow(workload.Title, (double)capacity / bytes, capacity, trace.Length, outcomes));
        }
    }

    private static void Progress(string line) => Console.Error.WriteLine(line);

    private static bool Contains(string text, string? part) => part is null || text.Contains(part, StringComparison.OrdinalIgnoreCase);
}
