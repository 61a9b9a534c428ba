using System.CommandLine;
using System.Globalization;
using ShmAlloc.Inspection;
using ShmAlloc.Tool.Heaps;
using ShmAlloc.Tool.Output;
using ShmAlloc.Tool.Running;

namespace ShmAlloc.Tool.Verbs;

/// <summary>Which heaps there are.</summary>
internal static class FindVerb
{
    private const int MostNames = 3;

    internal static Command Create(VerbContext context)
    {
        Argument<string[]> directories = new("dir") { Description = "Where to look, with all below. [default: /dev/shm]", Arity = ArgumentArity.ZeroOrMore };
        Option<bool> all = new("--all") { Description = "Also what containers have in theirs." };
        return context.ForAll("find", "Lists the heaps that there are, and who uses them.", [directories, all], (parsed, page) =>
        {
            string[] given = parsed.GetValue(directories) ?? [];
            IEnumerable<string> places = given.Length > 0 ? given : [context.Surroundings.SharedMemory];
            places = parsed.GetValue(all) ? places.SelectMany(place => HeapSearch.OfAllContainers(place, context.Surroundings.Processes)) : places;
            return Run(page, context.Surroundings, places);
        });
    }

    private static ExitCode Run(Page page, Surroundings surroundings, IEnumerable<string> places)
    {
        string[] directories = [.. places];
        string? missing = directories.FirstOrDefault(directory => !Directory.Exists(directory));
        if (missing != null && !missing.StartsWith(surroundings.Processes, StringComparison.Ordinal))
        {
            throw new ToolException(ExitCode.Failed, $"{page.Show(missing)}: there is no such directory");
        }

        HeapSummary[] heaps =
            [.. HeapSearch.Find(directories, out int denied).Select(found => HeapSummary.Of(found.Path, found.Report, surroundings.Processes))];
        if (page.IsJson)
        {
            PrintJson(page, heaps, denied);
        }
        else
        {
            PrintTable(page, surroundings, heaps);
            if (denied > 0)
            {
                page.Note($"{denied} more {(denied == 1 ? "file" : "files")} may not be read by us");
            }
        }

        return heaps.Length == 0 ? ExitCode.No : ExitCode.Fine;
    }

    private static void PrintTable(Page page, Surroundings surroundings, HeapSummary[] heaps)
    {
        if (heaps.Length == 0)
        {
            page.Note("no heap is there");
            return;
        }

        Table table = new("HEAP", "SIZE", "USED", "SLOTS", "AGE", "STATE", "WHO") { Texts = ["HEAP", "STATE", "WHO"], Optional = ["AGE", "SLOTS"] };
        foreach (HeapSummary heap in heaps)
        {
            ShmGeometry? geometry = heap.Report.Geometry;
            (string state, Tint tint) = StateOf(heap);
            table.Add(
                (page.Show(heap.Path), Tint.Strong),
                (geometry == null ? "-" : Figures.Bytes(geometry.CommittedBytes), Tint.None),
                (heap.Figures == null ? "-" : Figures.Percent(heap.Figures.UsedBytes, heap.Figures.CapacityBytes, digits: 0), Tint.None),
                (geometry == null || heap.Figures == null ? "-" : string.Create(CultureInfo.InvariantCulture, $"{heap.Alive}/{geometry.Slots}"), Tint.None),
                (heap.Report.Made is { } made ? Figures.Span(surroundings.Clock.GetUtcNow() - made) : "-", Tint.None),
                (state, tint),
                (WhoOf(page, heap), Tint.None));
        }

        table.Print(page);
    }

    private static (string Text, Tint Tint) StateOf(HeapSummary heap) => heap.Report.Verdict switch
    {
        ShmFailure.None when heap.Dead > 0 => ($"{heap.Dead} dead", Tint.Bad),
        ShmFailure.None => ("ok", Tint.Good),
        ShmFailure.UnknownLayout => ($"layout {heap.Report.Layout}", Tint.Notice),
        ShmFailure.DamagedHeader => ("damaged", Tint.Bad),
        ShmFailure.Truncated or ShmFailure.NotAHeap => ("cut short", Tint.Bad),
        ShmFailure.CopyOfLiveHeap => ("unsound copy", Tint.Bad),
        ShmFailure.SparseReadOnly => ("has holes", Tint.Notice),
        ShmFailure.LinkCount => ($"{heap.Report.Links} names", Tint.Notice),
        var other => (other.ToString(), Tint.Notice),
    };

    private static string WhoOf(Page page, HeapSummary heap)
    {
        string names = string.Join(", ", heap.Users.Take(MostNames).Select(user => string.Create(
            CultureInfo.InvariantCulture, $"{user.ProcessId} {page.Show(user.Command, most: 24)}")));
        return heap.Users.Count > MostNames ? $"{names}, and {heap.Users.Count - MostNames} more" : names;
    }

    private static void PrintJson(Page page, HeapSummary[] heaps, int denied) => Json.Print(page, json =>
    {
        json.WriteNumber("denied", denied);
        json.WriteStartArray("heaps");
        foreach (HeapSummary heap in heaps)
        {
            json.WriteStartObject();
            json.WriteString("path", heap.Path);
            json.WriteString("verdict", heap.Report.Verdict.ToString());
            json.WriteNumber("layout", heap.Report.Layout ?? 0);
            json.WriteString("id", heap.Report.Id?.ToString("N"));
            json.Number("committedBytes", heap.Report.Geometry?.CommittedBytes ?? 0);
            json.Number("maximumBytes", heap.Report.Geometry?.MaximumBytes ?? 0);
            json.Number("usedBytes", heap.Figures?.UsedBytes ?? 0);
            json.WriteNumber("slots", heap.Report.Geometry?.Slots ?? 0);
            json.WriteNumber("alive", heap.Alive);
            json.WriteNumber("dead", heap.Dead);
            json.Moment("made", heap.Report.Made);
            json.WriteStartArray("processes");
            foreach (HeapUser user in heap.Users)
            {
                json.WriteStartObject();
                json.WriteNumber("pid", user.ProcessId);
                json.WriteString("command", user.Command);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });
}
