using System.CommandLine;
using ShmAlloc.Caching;
using ShmAlloc.Inspection;
using ShmAlloc.Tool.Health;
using ShmAlloc.Tool.Heaps;
using ShmAlloc.Tool.Output;
using ShmAlloc.Tool.Running;

namespace ShmAlloc.Tool.Verbs;

/// <summary>What may be wrong with a heap, and with the machine under it, and what to do about it.</summary>
internal static class DoctorVerb
{
    private const int NameColumns = 16;

    internal static Command Create(VerbContext context)
    {
        Argument<string?> heap = new("heap")
        {
            Description = "The heap's file. [default: the machine only]",
            Arity = ArgumentArity.ZeroOrOne,
            HelpName = "heap",
        };
        heap.CompletionSources.Add(completion => context.Heaps(completion));
        Option<string?> directory = new("--dir") { Description = "Where heaps lie, or will. [default: that of the heap, else /dev/shm]", HelpName = "dir" };
        return context.ForAll("doctor", "Looks for what may be wrong, and says what to do.", [heap, directory], (parsed, page) =>
        {
            string? path = parsed.GetValue(heap);
            string place = parsed.GetValue(directory)
                ?? (path == null ? context.Surroundings.SharedMemory : Path.GetDirectoryName(Path.GetFullPath(path)) ?? "/");
            if (!Directory.Exists(place))
            {
                throw new ToolException(ExitCode.Failed, $"{page.Show(place)}: there is no such directory");
            }

            List<Finding> findings = [.. MachineChecks.OfFileSystem(context.Surroundings, place)];
            if (path == null)
            {
                findings.Add(MachineChecks.OfMemoryLimit(context.Surroundings, 0));
                findings.Add(MachineChecks.OfTime(context.Surroundings));
            }
            else
            {
                findings.AddRange(OfHeap(page, context.Surroundings, path));
            }

            Print(page, findings);
            return findings.Any(finding => finding.Urgency == Urgency.Act) ? ExitCode.Wrong : ExitCode.Fine;
        });
    }

    private static List<Finding> OfHeap(Page page, Surroundings surroundings, string path)
    {
        ShmFileReport report = ShmFile.Examine(path);
        if (report.Verdict is ShmFailure.NotFound or ShmFailure.NotARegularFile or ShmFailure.NoPath or ShmFailure.AccessDenied)
        {
            throw new ToolException(ExitCode.Failed, $"{page.Show(path)}: {report.Text}");
        }

        HeapChecks checks = new(page, surroundings, path, report);
        List<Finding> findings = [.. checks.OfFile(), checks.OfName()];
        long mayGrow = 0;
        if (report.Verdict == ShmFailure.None)
        {
            using ShmHeap heap = HeapSource.Look(path);
            ShmInspector inspector = new(heap);
            ShmStatistics memory = heap.GetStatistics();
            mayGrow = memory.CapacityBytes - memory.CommittedBytes;
            IReadOnlyList<ShmCacheInfo> infos = inspector.ReadCaches();
            (SharedCache Cache, ShmCacheInfo Info)[] caches =
                [.. from cache in HeapSource.Caches(heap, null, surroundings) join info in infos on cache.Name equals info.Name select (cache, info)];
            findings.AddRange(checks.OfParticipants(inspector, out int hidden));
            findings.Add(MachineChecks.OfVisibility(surroundings, hidden));
            findings.AddRange(checks.OfMemory(inspector, memory, caches));
            findings.AddRange(caches.SelectMany(cache => checks.OfCache(memory, cache.Cache, cache.Info)));
        }

        findings.Add(MachineChecks.OfMemoryLimit(surroundings, mayGrow));
        findings.Add(MachineChecks.OfSessions(surroundings, Path.GetFullPath(path), report.Owner));
        findings.Add(MachineChecks.OfTime(surroundings));
        return findings;
    }

    private static void Print(Page page, List<Finding> findings)
    {
        if (page.IsJson)
        {
            Json.Print(page, json =>
            {
                json.WriteStartArray("findings");
                foreach (Finding finding in findings)
                {
                    json.WriteStartObject();
                    json.WriteString("urgency", Word(finding.Urgency));
                    json.WriteString("name", finding.Name);
                    json.WriteString("text", finding.Text);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
            });
            return;
        }

        // What somebody has to do comes first.
        foreach (Finding finding in findings.OrderByDescending(finding => finding.Urgency))
        {
            Tint tint = finding.Urgency switch { Urgency.Act => Tint.Bad, Urgency.Look => Tint.Notice, _ => Tint.Good };
            page.Line($"{page.Paint(Word(finding.Urgency).PadRight(6), tint)}{Columns.PadRight(finding.Name, NameColumns)}{finding.Text}");
        }
    }

    private static string Word(Urgency urgency) => urgency switch { Urgency.Act => "act", Urgency.Look => "look", _ => "fine" };
}
