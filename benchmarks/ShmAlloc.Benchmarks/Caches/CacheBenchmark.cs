using ShmAlloc.Benchmarks.Caches.Alone;
using ShmAlloc.Benchmarks.Caches.Measuring;
using ShmAlloc.Benchmarks.Caches.Reporting;
using ShmAlloc.Benchmarks.Measuring;
using ShmAlloc.Benchmarks.Reporting;

namespace ShmAlloc.Benchmarks.Caches;

/// <summary>What the command line asks for.</summary>
internal sealed record CacheChoice(
    bool Quick, bool Large, bool Smoke, string? Workload, string? Subject, int? Rounds, double? Milliseconds, Clock Clock, string? Json, string? Svg);

/// <summary>Measures the shared cache beside other caches, in one run in which they take turns.</summary>
internal sealed class CacheBenchmark
{
    /// <summary>Times as many rounds as elsewhere: two that use memory at once disturb each other now more and now less.</summary>
    private const int SharingRounds = 3;

    private readonly CacheChoice _choice;
    private readonly Effort _effort;
    private readonly List<CacheSubject> _subjects;
    private readonly CacheReport _report;

    private CacheBenchmark(CacheChoice choice)
    {
        _choice = choice;
        Effort effort = choice.Smoke ? Effort.Smoke : choice.Quick ? Effort.Quick : Effort.Full;
        _effort = effort with
        {
            Rounds = choice.Rounds ?? effort.Rounds,
            RoundMilliseconds = choice.Milliseconds ?? effort.RoundMilliseconds,
        };
        CacheSubject[] asked = [.. CacheSubject.All.Where(subject => Contains(subject.Name, choice.Subject))];
        Presence[] presences = [.. asked.Select(CacheSubject.PresenceOf)];
        _subjects = [.. asked.Where((_, index) => presences[index].IsPresent)];
        _report = new CacheReport { Machine = Machine.Describe(presences) };
    }

    internal static int Run(CacheChoice choice)
    {
        CacheBenchmark benchmark = new(choice);
        benchmark.Measure();
        return 0;
    }

    private void Measure()
    {
        Say(_report.Machine);
        Note();
        Say([
            $"{_effort.Rounds} rounds of about {_effort.RoundMilliseconds} ms each, in turns; nanoseconds for one operation of one thread "
                + $"({(_choice.Clock == Clock.Wall ? "time that passed" : "time that the thread was running")}): median (least .. most)",
            "All keys are there, and all gets are hits; a key has 25 bytes. 'managed B': garbage that one operation makes on the thread that asks.",
            "",
        ]);
        CacheCatalogue catalogue = _choice.Smoke ? CacheCatalogue.Smoke
            : _choice.Quick ? CacheCatalogue.Quick
            : _choice.Large ? CacheCatalogue.Large
            : CacheCatalogue.Full;
        foreach (DataSet data in catalogue.Data)
        {
            CacheWorkload[] workloads = [.. catalogue.On(data).Where(IsAskedFor)];
            CacheWorkload[] shared = [.. catalogue.SharedOn(data).Where(IsAskedFor)];
            if (workloads.Length + shared.Length > 0)
            {
                Measure(data, workloads, shared);
            }
        }

        MeasureAlone();
        if (_choice.Workload is null && !_choice.Smoke && !_choice.Large)
        {
            Say(new CacheTargets(_report.Results, _report.Alone, _choice.Clock).Table());
        }

        Note();
        Save();
    }

    /// <summary>What other caches do not have.</summary>
    private void MeasureAlone()
    {
        IReadOnlyList<AloneGroup> groups = _choice.Smoke ? AloneCatalogue.Smoke
            : _choice.Quick ? AloneCatalogue.Quick
            : _choice.Large ? []
            : AloneCatalogue.Full;
        foreach (AloneGroup group in groups.Where(group => _subjects.Contains(CacheSubject.OursUtf8) && Contains(group.Title, _choice.Workload)))
        {
            Tell(group.Title);
            Try(group.Title, () =>
            {
                IReadOnlyList<AloneResult> results = AloneBenchmark.Measure(group, _effort);
                _report.Alone.AddRange(results);
                Say(AloneReport.TableOf(results, _choice.Clock));
            });
        }
    }

    private bool IsAskedFor(CacheWorkload workload) => Contains($"{workload.Title}, {workload.Variant}", _choice.Workload);

    private void Measure(DataSet data, CacheWorkload[] workloads, CacheWorkload[] shared)
    {
        Guests guests = Guests.Invite(_subjects, data);
        List<CacheCell> cells = [];
        try
        {
            foreach ((CacheSubject subject, int processes) in guests.Seats)
            {
                Tell($"{subject.Name}: loading {data}");
                Try($"{subject.Name}, {data}", () =>
                {
                    CacheCell cell = new(subject, data, processes);
                    cells.Add(cell);
                    NoteServer(cell);
                    cell.IsBroken = true;
                    cell.Load();
                    TryOut(cell, data);
                    cell.IsBroken = false;
                });
            }

            int first = _report.Results.Count;
            foreach (CacheWorkload workload in workloads)
            {
                Tell($"{workload.Title}, {workload.Variant}");
                Try($"{workload.Title}, {workload.Variant}", () => Measure(workload, cells));
            }

            foreach (CacheWorkload both in shared)
            {
                Tell($"{both.Title}, {both.Variant}");
                Try($"{both.Title}, {both.Variant}", () => MeasureSharing(both, cells));
            }

            _report.Loads.Add(Machine.Load);
            Say(CacheTables.Of(_report.Results.Skip(first), guests.Notes, _choice.Clock));
        }
        finally
        {
            cells.ForEach(cell => cell.Dispose());
        }
    }

    private void NoteServer(CacheCell cell)
    {
        if (cell.ServerProcess is { } server)
        {
            _report.Servers.Add(server);
            Tell($"{cell.Subject.Name}: the server is process {server}");
        }
    }

    /// <summary>The compiler sees gets and sets before it decides how either is done, as it would in a program that does both.</summary>
    private void TryOut(CacheCell cell, DataSet data)
    {
        cell.Take(new CacheWorkload(data, Operation.Half, CacheWorkload.Uniform, 1, cell.Processes));
        cell.WarmUp(_effort.RoundMilliseconds, _effort.WarmUpMilliseconds);
    }

    private void Measure(CacheWorkload workload, List<CacheCell> cells)
    {
        List<CacheCell> ready = [];
        foreach (CacheCell cell in cells.Where(cell => cell.Processes >= workload.Processes && !cell.IsBroken))
        {
            // Who fails once is out, so that the others go on.
            cell.IsBroken = true;
            Try($"{cell.Subject.Name}, {workload.Title}, {workload.Variant}", () =>
            {
                cell.Take(workload);
                cell.WarmUp(_effort.RoundMilliseconds, _effort.WarmUpMilliseconds);
                cell.IsBroken = false;
                ready.Add(cell);
            });
        }

        IReadOnlyList<Round>[] rounds = Rounds.InTurns(ready, _effort.Rounds);
        _report.Results.AddRange(ready.Select((cell, index) => new CacheResult(cell.Subject, workload, rounds[index])));
    }

    /// <summary>
    /// What it costs one process that another one does the same with the same data. Between the columns of the other tables lie minutes, in which the machine
    /// may change its pace, and one of its processors may be slower than the other. Here each process has a processor of its own, and each round is one of each
    /// process alone, which are averaged, and one of both.
    /// </summary>
    private void MeasureSharing(CacheWorkload both, List<CacheCell> cells)
    {
        CacheWorkload alone = both with { Processes = 1 };
        foreach (CacheCell cell in cells.Where(cell => cell.Processes >= both.Processes && cell.Subject.Sharing == Sharing.SharedMemory && !cell.IsBroken))
        {
            List<Round> ofOne = [];
            List<Round> ofBoth = [];
            cell.IsBroken = true;
            cell.Bind();
            cell.Take(both);
            cell.WarmUp(_effort.RoundMilliseconds, _effort.WarmUpMilliseconds);
            for (int round = 0; round < _effort.Rounds * SharingRounds; round++)
            {
                ofOne.Add(Round.Join([.. Enumerable.Range(0, both.Processes).Select(process => RunOnce(cell, alone, process))]));
                ofBoth.Add(RunOnce(cell, both, 0));
            }

            cell.IsBroken = false;
            _report.Results.Add(new CacheResult(cell.Subject, alone, ofOne));
            _report.Results.Add(new CacheResult(cell.Subject, both, ofBoth));
        }
    }

    private Round RunOnce(CacheCell cell, CacheWorkload workload, int first)
    {
        cell.Take(workload, first);
        cell.WarmUp(_effort.RoundMilliseconds, warmUpMilliseconds: 0);
        return cell.Run();
    }

    private void Save()
    {
        if (_choice.Json is { } json)
        {
            _report.Write(json);
        }

        if (_choice.Svg is { } svg)
        {
            CachePicture.Write(svg, _report.Results, _choice.Clock);
        }
    }

    private void Note()
    {
        _report.Loads.Add(Machine.Load);
        Say([Machine.Load]);
    }

    /// <summary>Does something that may go wrong for one of many.</summary>
    private void Try(string what, Action action)
    {
        try
        {
            action();
        }
        catch (BenchmarkException failure)
        {
            _report.Skipped.Add($"{what}: {failure.Message}");
            Say([$"SKIPPED {_report.Skipped[^1]}", ""]);
        }
    }

    private static void Tell(string progress) => Console.Error.WriteLine(progress);

    private static void Say(IEnumerable<string> lines)
    {
        foreach (string line in lines)
        {
            Console.WriteLine(line);
        }
    }

    private static bool Contains(string text, string? part) => part is null || text.Contains(part, StringComparison.OrdinalIgnoreCase);
}
