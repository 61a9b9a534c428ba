using ShmAlloc.Benchmarks.Hybrid.Measuring;
using ShmAlloc.Benchmarks.Measuring;
using ShmAlloc.Benchmarks.Reporting;

namespace ShmAlloc.Benchmarks.Hybrid;

/// <summary>What the command line asks for.</summary>
internal sealed record HybridChoice(bool Quick, bool Smoke, string? Workload, string? Subject, int? Rounds, double? Milliseconds, Clock Clock, string? Json);

/// <summary>Measures the caches of .NET in shared memory beside those of others, in one run in which they take turns.</summary>
internal sealed class HybridBenchmark
{
    private const uint FewKeys = 1000;
    private const uint ManyKeys = 100_000;

    private static readonly string[] Distributions = ["uniform", "zipf"];

    private readonly HybridChoice _choice;
    private readonly Effort _effort;
    private readonly List<HybridResult> _results = [];
    private readonly List<string> _loads = [];
    private readonly List<string> _skipped = [];
    private readonly List<int> _servers = [];

    private HybridBenchmark(HybridChoice choice)
    {
        _choice = choice;
        Effort effort = choice.Smoke ? Effort.Smoke : choice.Quick ? Effort.Quick : Effort.Full;
        _effort = effort with { Rounds = choice.Rounds ?? effort.Rounds, RoundMilliseconds = choice.Milliseconds ?? effort.RoundMilliseconds };
    }

    internal static int Run(HybridChoice choice)
    {
        new HybridBenchmark(choice).Measure();
        return 0;
    }

    private void Measure()
    {
        List<HybridCell> cells = [];
        try
        {
            List<Presence> presences = [];
            foreach (HybridSubject subject in HybridSubject.All.Where(subject => Contains(subject.Name, _choice.Subject)))
            {
                presences.Add(Start(subject, cells));
            }

            IReadOnlyList<string> machine = Machine.Describe(presences);
            Say(machine);
            Note();
            Say(
            [
                $"{_effort.Rounds} rounds of about {_effort.RoundMilliseconds} ms each, in turns; nanoseconds for one call of one thread "
                    + $"({(_choice.Clock == Clock.Wall ? "time that passed" : "time that the thread was running")}): median (least .. most), and managed "
                    + "bytes that the call makes, if there are any. All keys are there, and all gets are hits.",
                "",
            ]);
            foreach ((string operation, string title) in HybridWorkload.Operations.Where(each => Contains(each.Title, _choice.Workload)))
            {
                Measure(operation, title, cells);
            }

            if (_choice.Workload is null && _choice.Subject is null)
            {
                Say(HybridTables.Targets(_results, _choice.Clock));
            }

            Save(machine);
        }
        finally
        {
            cells.ForEach(cell => cell.Dispose());
        }
    }

    private Presence Start(HybridSubject subject, List<HybridCell> cells)
    {
        try
        {
            HybridCell cell = new(subject);
            cells.Add(cell);
            if (cell.ServerProcess is { } server)
            {
                _servers.Add(server);
            }

            return new Presence(subject.Name, cell.Version, null);
        }
        catch (BenchmarkException failure)
        {
            _skipped.Add($"{subject.Name}: {failure.Message}");
            return new Presence(subject.Name, null, failure.Message);
        }
    }

    private void Measure(string operation, string title, List<HybridCell> cells)
    {
        int first = _results.Count;
        foreach (uint keys in _choice.Smoke ? [FewKeys] : (uint[])[FewKeys, ManyKeys])
        {
            foreach (string distribution in Distributions)
            {
                HybridWorkload workload = new(operation, title, keys, distribution);
                Console.Error.WriteLine($"{title}, {workload.Variant}");
                HybridCell[] ready = [.. cells.Where(cell => cell.Subject.TakesPartIn(workload))];
                foreach (HybridCell cell in ready)
                {
                    cell.Take(workload);
                    cell.WarmUp(_effort.RoundMilliseconds, _effort.WarmUpMilliseconds);
                }

                IReadOnlyList<Round>[] rounds = Rounds.InTurns(ready, _effort.Rounds);
                _results.AddRange(ready.Select((cell, index) => new HybridResult(cell.Subject, workload, rounds[index])));
            }
        }

        if (_results.Count > first)
        {
            Say(HybridTables.Of(_results[first..], _choice.Clock));
        }

        Note();
    }

    private void Save(IReadOnlyList<string> machine)
    {
        if (_choice.Json is { } json)
        {
            JsonReport.Write(json, new
            {
                Process = Environment.ProcessId,
                machine,
                Loads = _loads,
                Skipped = _skipped,
                Servers = _servers,
                Results = _results.Select(result => new
                {
                    result.Group,
                    result.Variant,
                    Subject = result.Name,
                    MedianWallNanoseconds = result.Median(Clock.Wall),
                    MedianCpuNanoseconds = result.Median(Clock.Cpu),
                    WallNanoseconds = result.Rounds.Select(round => round.WallNanoseconds),
                    CpuNanoseconds = result.Rounds.Select(round => round.CpuNanoseconds),
                    result.Garbage,
                    result.Failures,
                }),
            });
        }
    }

    private void Note()
    {
        _loads.Add(Machine.Load);
        Say([Machine.Load, ""]);
    }

    private static void Say(IEnumerable<string> lines)
    {
        foreach (string line in lines)
        {
            Console.WriteLine(line);
        }
    }

    private static bool Contains(string text, string? part) => part is null || text.Contains(part, StringComparison.OrdinalIgnoreCase);
}
