using System.CommandLine;
using System.Globalization;
using ShmAlloc.Caching;
using ShmAlloc.Inspection;
using ShmAlloc.Tool.Heaps;
using ShmAlloc.Tool.Output;
using ShmAlloc.Tool.Running;

namespace ShmAlloc.Tool.Verbs;

/// <summary>Who has the heap attached: what the heap says, and what the kernel says.</summary>
internal static class PsVerb
{
    private const int CommandColumns = 28;

    internal static Command Create(VerbContext context)
    {
        Option<double> seconds = new("--seconds", "-s")
        {
            Description = "For how long figures are compared to tell rates; 0: no rates.",
            HelpName = "number",
            DefaultValueFactory = _ => 1,
        };
        seconds.Validators.Add(result =>
        {
            // What is no number at all is reported without us.
            bool isNumber = double.TryParse(result.Tokens is [var token] ? token.Value : "1", CultureInfo.InvariantCulture, out double given);
            if (isNumber && given is not (>= 0 and <= 3600))
            {
                result.AddError("--seconds must lie between 0 and 3600.");
            }
        });
        return context.ForHeap("ps", "Lists the participants of a heap, and who only reads it.", [seconds], (parsed, page, path) =>
        {
            using ShmHeap heap = HeapSource.Look(path);
            return Run(page, context.Surroundings, heap, ShmFile.Examine(path), TimeSpan.FromSeconds(parsed.GetValue(seconds)));
        });
    }

    private static ExitCode Run(Page page, Surroundings surroundings, ShmHeap heap, ShmFileReport report, TimeSpan time)
    {
        ShmInspector inspector = new(heap);
        IReadOnlyList<SharedCache> caches = HeapSource.Caches(heap, null, surroundings);
        Dictionary<int, SlotFigures> before = SlotFigures.Read(inspector, caches);
        long began = surroundings.Clock.GetTimestamp();
        if (time > TimeSpan.Zero)
        {
            surroundings.Wait(time, surroundings.Interrupted);
        }

        double passed = time == TimeSpan.Zero ? 0 : surroundings.Clock.GetElapsedTime(began).TotalSeconds;
        IReadOnlyList<HeapUser> users = HeapUsers.Find(report, surroundings.Processes, out int hidden);
        IReadOnlyList<SlotUser> slots = SlotUsers.Match(inspector, users, out IReadOnlyList<HeapUser> lookers);
        Dictionary<int, SlotFigures> now = SlotFigures.Read(inspector, caches);
        Row[] rows = [.. slots.Select(slot => new Row(slot, SlotUsers.Holds(inspector, slot.Slot), now[slot.Slot.Slot], Rates.Of(slot, before, now, passed)))];
        if (page.IsJson)
        {
            PrintJson(page, rows, lookers, hidden, report);
        }
        else
        {
            PrintTable(page, rows, lookers);
            if (hidden > 0)
            {
                page.Note($"what {hidden} {(hidden == 1 ? "process" : "processes")} of others have mapped is not visible from here");
            }
        }

        return rows.Any(row => row.User.Slot.Life == ShmLife.Dead) ? ExitCode.Wrong : ExitCode.Fine;
    }

    private static void PrintTable(Page page, Row[] rows, IReadOnlyList<HeapUser> lookers)
    {
        Table table = new("SLOT.EPOCH", "PID", "PROCESS", "STATE", "CELLS", "HITS/s", "MISS/s", "SETS/s", "HITS", "NOTE")
        {
            Texts = ["PROCESS", "STATE", "NOTE"],
            Optional = ["HITS", "MISS/s", "SETS/s", "CELLS"],
        };
        foreach (Row row in rows)
        {
            ShmParticipant slot = row.User.Slot;
            (string state, Tint tint) = StateOf(row.User);
            table.Add(
                (string.Create(CultureInfo.InvariantCulture, $"{slot.Slot}.{slot.Epoch}"), Tint.None),
                (PidOf(row.User), Tint.None),
                (row.User.Process is { } process ? page.Show(process.Command, CommandColumns) : "-", Tint.None),
                (state, tint),
                ((slot.OperationCells + slot.ReservedCells).ToString(CultureInfo.InvariantCulture), Tint.None),
                (RateOf(row.Rates?.Hits), Tint.None),
                (RateOf(row.Rates?.Misses), Tint.None),
                (RateOf(row.Rates?.Sets), Tint.None),
                (Figures.Many(row.Figures.Hits), Tint.None),
                (NoteOf(row), Tint.Faint));
        }

        foreach (HeapUser looker in lookers)
        {
            table.Add(
                ("-", Tint.None),
                (looker.ProcessId.ToString(CultureInfo.InvariantCulture), Tint.None),
                (page.Show(looker.Command, CommandColumns), Tint.None),
                (looker.Writers > 0 ? "no slot" : "reads only", Tint.Faint),
                ("-", Tint.None));
        }

        if (table.Count == 0)
        {
            page.Note("nobody has the heap attached");
            return;
        }

        table.Print(page);
    }

    private static string PidOf(SlotUser user) => (user.Process?.ProcessId ?? user.Slot.ProcessId).ToString(CultureInfo.InvariantCulture);

    private static string RateOf(double? rate) => rate is { } known ? Figures.Many(known) : "-";

    private static (string Text, Tint Tint) StateOf(SlotUser user) => user switch
    {
        { Slot.Life: ShmLife.Dead } => ("dead", Tint.Bad),
        { Slot.Life: ShmLife.Unknown } => ("not known", Tint.Notice),
        { Process.State: 'T' or 't' } => ("stopped", Tint.Notice),
        { Process.State: 'Z' } => ("ending", Tint.Notice),
        { Process.State: 'D' } => ("waits for disk", Tint.Notice),
        _ => ("alive", Tint.Good),
    };

    private static string NoteOf(Row row)
    {
        bool isWorth = row.User.Slot.ReservedCells > 0 || row.User.Slot.Life == ShmLife.Dead || row.User.Process?.State is 'T' or 't';
        string[] notes =
        [
            row.User.Note,
            isWorth && row.Holds.Length > 0 ? row.Holds : "",
            row.User.Process is { Container.Length: > 0 } process ? $"container {process.Container}" : "",
        ];
        return string.Join("; ", notes.Where(note => note.Length > 0));
    }

    private static void PrintJson(Page page, Row[] rows, IReadOnlyList<HeapUser> lookers, int hidden, ShmFileReport report) => Json.Print(page, json =>
    {
        json.WriteNumber("slots", report.Geometry?.Slots ?? 0);
        json.WriteNumber("hiddenProcesses", hidden);
        json.WriteStartArray("participants");
        foreach (Row row in rows)
        {
            ShmParticipant slot = row.User.Slot;
            json.WriteStartObject();
            json.WriteNumber("slot", slot.Slot);
            json.WriteNumber("epoch", slot.Epoch);
            json.WriteString("life", slot.Life.ToString());
            json.WriteNumber("recordedPid", slot.ProcessId);
            if (row.User.Process is { } process)
            {
                json.WriteNumber("pid", process.ProcessId);
                json.WriteString("command", process.Command);
                json.WriteString("state", process.State.ToString());
                json.WriteString("container", process.Container);
            }

            json.WriteNumber("operationCells", slot.OperationCells);
            json.WriteNumber("reservedCells", slot.ReservedCells);
            json.WriteString("holds", row.Holds);
            json.WriteString("note", row.User.Note);
            json.Number("hits", row.Figures.Hits);
            json.Number("misses", row.Figures.Misses);
            json.Number("sets", row.Figures.Sets);
            if (row.Rates is { } rates)
            {
                json.WriteNumber("hitsPerSecond", Math.Round(rates.Hits, 1));
                json.WriteNumber("missesPerSecond", Math.Round(rates.Misses, 1));
                json.WriteNumber("setsPerSecond", Math.Round(rates.Sets, 1));
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("lookers");
        foreach (HeapUser looker in lookers)
        {
            json.WriteStartObject();
            json.WriteNumber("pid", looker.ProcessId);
            json.WriteString("command", looker.Command);
            json.WriteBoolean("readsOnly", looker.Writers == 0);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });

    private sealed record Row(SlotUser User, string Holds, SlotFigures Figures, Rates? Rates);

    private sealed record Rates(double Hits, double Misses, double Sets)
    {
        /// <summary>Differences count only if the same participant has the slot still.</summary>
        internal static Rates? Of(SlotUser user, Dictionary<int, SlotFigures> before, Dictionary<int, SlotFigures> now, double seconds)
        {
            SlotFigures from = before[user.Slot.Slot];
            SlotFigures to = now[user.Slot.Slot];
            return seconds <= 0 || from.Epoch != to.Epoch || user.Slot.Life == ShmLife.Dead
                ? null
                : new Rates((to.Hits - from.Hits) / seconds, (to.Misses - from.Misses) / seconds, (to.Sets - from.Sets) / seconds);
        }
    }
}
