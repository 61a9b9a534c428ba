using System.CommandLine;
using ShmAlloc.Inspection;
using ShmAlloc.Tool.Heaps;
using ShmAlloc.Tool.Output;
using ShmAlloc.Tool.Running;

namespace ShmAlloc.Tool.Verbs;

/// <summary>Whether a heap is sound.</summary>
internal static class VerifyVerb
{
    private const int DefaultMost = 1000;
    private const int Slices = 32;

    internal static Command Create(VerbContext context)
    {
        Option<bool> watch = new("--watch", "-w") { Description = "Again and again, a slice each second, until it is interrupted." };
        Option<int> most = new("--top", "-n") { Description = "List at most so many violations.", HelpName = "number", DefaultValueFactory = _ => DefaultMost };
        return context.ForHeap("verify", "Looks at every word and every entry of a heap.", [watch, most], (parsed, page, path) =>
        {
            if (parsed.GetValue(most) is < 0 or > 1_000_000)
            {
                throw new ToolException(ExitCode.Usage, "--top must lie between 0 and 1,000,000");
            }

            using ShmHeap heap = HeapSource.Look(path);
            ShmInspector inspector = new(heap);
            return parsed.GetValue(watch)
                ? Watch(page, context.Surroundings, inspector, parsed.GetValue(most))
                : Once(page, context.Surroundings, inspector, parsed.GetValue(most));
        });
    }

    private static ExitCode Once(Page page, Surroundings surroundings, ShmInspector inspector, int most)
    {
        ProgressLine? progress = surroundings.IsErrorTerminal ? new ProgressLine(surroundings) : null;
        ShmVerification found = inspector.Verify(new ShmVerifyOptions { MaxListed = most, Progress = progress, Cancellation = surroundings.Interrupted });
        progress?.Clear();
        string path = page.Show(inspector.Heap.Path);
        if (page.IsJson)
        {
            Json.Print(page, json =>
            {
                json.WriteString("path", inspector.Heap.Path);
                json.WriteBoolean("isSound", found.IsSound);
                json.WriteBoolean("isComplete", found.IsComplete);
                json.Number("blocks", found.BlocksWalked);
                json.Number("entries", found.EntriesWalked);
                json.Number("allocations", found.Allocations);
                json.Number("privateAllocations", found.PrivateAllocations);
                json.Number("violationCount", found.ViolationCount);
                json.WriteStartArray("violations");
                foreach (ShmViolation violation in found.Details)
                {
                    json.WriteStartObject();
                    Write(json, violation);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
            });
        }
        else
        {
            foreach (ShmViolation violation in found.Details)
            {
                page.Line(page.Paint(page.Show(violation.Text), Tint.Bad));
            }

            string walked = $"{Figures.Count(found.BlocksWalked)} blocks and {Figures.Count(found.EntriesWalked)} entries";
            page.Line(found switch
            {
                { IsSound: true, IsComplete: true } => page.Paint("sound", Tint.Good) + $": {walked}, {Figures.Count(found.Allocations)} allocations",
                { IsSound: true } => $"nothing wrong in {walked}; the rest was not looked at",
                _ => $"{Count(found.ViolationCount)} in {walked}. Nothing repairs a heap in place: end its processes, delete {path}, and let them make it anew",
            });
        }

        return found.IsSound ? ExitCode.Fine : ExitCode.Wrong;
    }

    private static ExitCode Watch(Page page, Surroundings surroundings, ShmInspector inspector, int most)
    {
        HashSet<string> known = [];
        for (int slice = 0; !surroundings.Interrupted.IsCancellationRequested; slice = (slice + 1) % Slices)
        {
            ShmVerification found = inspector.Verify(
                new ShmVerifyOptions { Part = slice, Parts = Slices, MaxListed = most, Cancellation = surroundings.Interrupted });
            foreach (ShmViolation violation in found.Details.Where(violation => known.Count < most && known.Add(violation.Text)))
            {
                if (page.IsJson)
                {
                    Json.PrintLine(page, json =>
                    {
                        json.Moment("at", surroundings.Clock.GetUtcNow());
                        Write(json, violation);
                    });
                }
                else
                {
                    page.Line(page.Paint(page.Show(violation.Text), Tint.Bad));
                }
            }

            page.Flush();
            surroundings.Wait(TimeSpan.FromSeconds(1), surroundings.Interrupted);
        }

        return known.Count == 0 ? ExitCode.Fine : ExitCode.Wrong;
    }

    private static string Count(long violations) => violations == 1 ? "1 violation" : $"{Figures.Count(violations)} violations";

    private static void Write(System.Text.Json.Utf8JsonWriter json, ShmViolation violation)
    {
        json.WriteString("kind", violation.Kind.ToString());
        json.Number("place", violation.Place);
        json.WriteNumber("index", violation.Index);
        if (violation.Cache is { } cache)
        {
            json.WriteNumber("cache", cache);
        }

        json.WriteString("text", violation.Text);
    }

    /// <summary>How far it has come, on a line of the terminal that is written over.</summary>
    private sealed class ProgressLine(Surroundings surroundings) : IProgress<ShmVerifyProgress>
    {
        private string _shown = "";

        public void Report(ShmVerifyProgress value)
        {
            long done = value.Blocks + value.Buckets;
            string text = $"{Figures.Percent(done, value.AllBlocks + value.AllBuckets, digits: 0)}, {Count(value.Violations)}";
            if (text != _shown)
            {
                _shown = text;
                surroundings.Error.Write($"\r{text}   ");
            }
        }

        internal void Clear() => surroundings.Error.Write($"\r{new string(' ', _shown.Length + 3)}\r");
    }
}
