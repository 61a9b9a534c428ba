using ShmAlloc.Benchmarks.Measuring;
using ShmAlloc.Benchmarks.Reporting;

namespace ShmAlloc.Benchmarks;

/// <summary>What the command line asks for.</summary>
internal sealed record Choice(
    bool Quick, bool Targets, bool Smoke, string? Workload, string? Subject, int? Rounds, double? Milliseconds, Clock Clock, string? Json, string? Svg);

/// <summary>Measures this library beside other allocators, in one run in which they take turns.</summary>
internal sealed class AllocatorBenchmark
{
    private readonly Choice _choice;
    private readonly Effort _effort;
    private readonly List<Subject> _subjects;
    private readonly Report _report;

    private AllocatorBenchmark(Choice choice)
    {
        _choice = choice;
        Effort effort = choice.Smoke ? Effort.Smoke : choice.Quick ? Effort.Quick : Effort.Full;
        _effort = effort with
        {
            Rounds = choice.Rounds ?? effort.Rounds,
            RoundMilliseconds = choice.Milliseconds ?? effort.RoundMilliseconds,
        };
        Subject[] asked = [.. Measuring.Subject.All.Where(subject => Contains(subject.Name, choice.Subject))];
        Presence[] presences = [.. asked.Select(Presence.Of)];
        _subjects = [.. asked.Where((_, index) => presences[index].IsPresent)];
        _report = new Report { Machine = Machine.Describe(presences) };
    }

    internal static int Run(Choice choice)
    {
        AllocatorBenchmark benchmark = new(choice);
        benchmark.Measure();
        return 0;
    }

    private void Measure()
    {
        Say(_report.Machine);
        Note();
        Say([
            $"{_effort.Rounds} rounds of about {_effort.RoundMilliseconds} ms each, in turns; nanoseconds for one malloc and one free "
                + $"({(_choice.Clock == Clock.Wall ? "time that passed" : "time that the thread was running")}): median (least .. most)",
            "",
        ]);
        HeapSizes sizes = new(isThorough: !_choice.Quick && !_choice.Smoke);
        IEnumerable<Group> groups = _choice.Smoke ? Catalogue.Smoke() : _choice.Quick || _choice.Targets ? Catalogue.ForTargets(sizes) : Catalogue.Full(sizes);
        foreach (Group group in groups.Where(group => Contains(group.Title, _choice.Workload)))
        {
            Measure(group);
        }

        MeasureRoom();
        if (_choice.Workload is null && !_choice.Smoke)
        {
            Say(new Targets(_report.Results, _report.Rooms, _choice.Clock).Table());
        }

        Note();
        Save();
    }

    private void Measure(Group group)
    {
        Group present = group with { Cells = [.. group.Cells.Where(cell => _subjects.Contains(cell.Subject))] };
        if (present.Cells.Count == 0)
        {
            return;
        }

        IReadOnlyList<Result> results = [];
        try
        {
            results = Rounds.Run(present, _effort, Skip);
        }
        catch (BenchmarkException failure)
        {
            Skip($"{group.Title}: {failure.Message}");
            return;
        }

        _report.Results.AddRange(results);
        _report.Loads.Add(Machine.Load);
        if (!_choice.Targets)
        {
            Say(Tables.Of(present, results, _choice.Clock));
        }
    }

    private void MeasureRoom()
    {
        if (Contains("utilisation", _choice.Workload))
        {
            IReadOnlyList<Subject> subjects = _choice.Targets || _choice.Quick ? [.. _subjects.Where(subject => subject == Measuring.Subject.Ours)] : _subjects;
            _report.Rooms.AddRange(RoomMeasurement.Utilisation(subjects));
            Say(_choice.Targets || _report.Rooms.Count == 0 ? [] : Tables.Of(_report.Rooms));
        }

        if (!_choice.Targets && !_choice.Quick && Contains("fragmentation", _choice.Workload))
        {
            try
            {
                _report.Ageings.AddRange(RoomMeasurement.Fragmentation(_subjects, _effort.AgeingOperations));
            }
            catch (BenchmarkException failure)
            {
                Skip($"fragmentation: {failure.Message}");
            }

            Say(Tables.Of(_report.Ageings));
        }
    }

    private void Save()
    {
        if (_choice.Json is { } json)
        {
            JsonReport.Write(json, _report, _report.Results);
        }

        if (_choice.Svg is { } svg)
        {
            AllocatorPicture.Write(svg, _report.Results, _choice.Clock);
        }
    }

    private void Note()
    {
        _report.Loads.Add(Machine.Load);
        Say([Machine.Load]);
    }

    private void Skip(string reason)
    {
        _report.Skipped.Add(reason);
        Say([$"SKIPPED {reason}", ""]);
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
