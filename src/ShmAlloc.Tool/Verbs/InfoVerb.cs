using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using ShmAlloc.Caching;
using ShmAlloc.Inspection;
using ShmAlloc.Tool.Heaps;
using ShmAlloc.Tool.Output;
using ShmAlloc.Tool.Running;

namespace ShmAlloc.Tool.Verbs;

/// <summary>A heap on one screen; of one that cannot be attached, its header field by field.</summary>
internal static class InfoVerb
{
    private const int BarColumns = 30;
    private const int Label = 9;

    internal static Command Create(VerbContext context) => context.ForHeap(
        "info", "Shows a heap on one screen: memory, caches, who uses it.", [], (_, page, path) => Run(page, context.Surroundings, path));

    private static ExitCode Run(Page page, Surroundings surroundings, string path)
    {
        ShmFileReport report = ShmFile.Examine(path);
        if (report.Verdict == ShmFailure.None)
        {
            using ShmHeap heap = HeapSource.Look(path);
            Print(page, surroundings, Facts.Read(heap, report, surroundings));
            return ExitCode.Fine;
        }

        if (report.Layout == null && report.Geometry == null)
        {
            throw new ToolException(ExitCode.Failed, $"{page.Show(path)}: {HeapSource.Reason(report)}");
        }

        PrintBroken(page, surroundings, path, report);
        return ExitCode.Wrong;
    }

    private static void Print(Page page, Surroundings surroundings, Facts facts)
    {
        if (page.IsJson)
        {
            Json.Print(page, json => Write(json, surroundings, facts));
            return;
        }

        page.Line(Title(page, surroundings, facts.Heap.Path, facts.Report));
        PrintMemory(page, facts);
        PrintCaches(page, facts);
        int taken = facts.Alive + facts.Dead;
        string who = $"{taken} of {facts.Geometry.Slots} slots";
        page.Line("who".PadRight(Label) + (facts.Dead == 0 ? who : $"{who}; " + page.Paint(
            $"{facts.Dead} dead, not recovered: shmalloc reap {page.Show(facts.Heap.Path)}", Tint.Bad)));
    }

    private static string Title(Page page, Surroundings surroundings, string path, ShmFileReport report)
    {
        string id = report.Id?.ToString("N") ?? "";
        string shortId = id.Length == 0 ? "-" : $"{id[..8]}{page.Sign("…", "..")}{id[^4..]}";
        string type = Mounts.TypeOf(path, surroundings.Processes);
        return page.Paint(page.Show(path), Tint.Strong)
            + $"   heap {shortId}   layout {report.Layout}   mode {HeapSource.Octal(report.Mode)} "
            + $"{page.Show(Users.NameOf(report.Owner, surroundings.Configuration))}   {type}";
    }

    private static void PrintMemory(Page page, Facts facts)
    {
        ShmStatistics memory = facts.Memory;
        double share = (double)memory.UsedBytes / Math.Max(1, memory.CapacityBytes);
        string committed = memory.CommittedBytes == memory.CapacityBytes ? "all committed" : $"{Figures.Bytes(memory.CommittedBytes)} committed";
        page.Line("memory".PadRight(Label) + $"{Figures.Bytes(memory.UsedBytes)} used of {Figures.Bytes(memory.CapacityBytes)} "
            + page.Paint(page.Bar(share, BarColumns), share > 0.9 ? Tint.Notice : Tint.Good)
            + $" {Figures.Percent(memory.UsedBytes, memory.CapacityBytes, digits: 0)}   ({committed})");
        page.Line(new string(' ', Label) + $"free {Figures.Bytes(memory.FreeBytes)}, largest place {Figures.Bytes(memory.LargestFreeBytes)}; "
            + $"in pieces {Figures.Bytes(facts.InPieces)} ({Figures.Percent(facts.InPieces, memory.FreeBytes)} of what is free)");
        string givenBack = memory.GivenBackBytes == 0 ? "" : $", given back to the system {Figures.Bytes(memory.GivenBackBytes)}";
        page.Line(new string(' ', Label) + $"garbage, reserved or in work {Figures.Bytes(memory.PrivateBytes)}, management "
            + $"{Figures.Bytes(memory.ManagementBytes)}{givenBack}");
        page.Line(new string(' ', Label) + $"{Figures.Count(memory.Allocations)} allocations in units of {facts.Geometry.UnitBytes} B, blocks of "
            + Figures.Bytes(facts.Geometry.BlockBytes));
    }

    private static void PrintCaches(Page page, Facts facts)
    {
        if (facts.Caches.Count == 0)
        {
            page.Line("cache".PadRight(Label) + "none");
            return;
        }

        Table table = new("cache", "entries", "of room", "bytes", "limit", "hits", "sets", "expired", "evicted")
        {
            Texts = ["cache"],
            Optional = ["sets", "expired", "limit"],
        };
        foreach ((ShmCacheInfo info, CacheStatistics figures) in facts.Caches)
        {
            table.Add(
                (page.Show(info.Name), Tint.Strong),
                (Figures.Count(figures.Entries), Tint.None),
                (Figures.Count(figures.Capacity), Tint.None),
                (Figures.Bytes(figures.Bytes), Tint.None),
                (info.LimitBytes == 0 ? "none" : Figures.Bytes(info.LimitBytes), Tint.None),
                (Figures.Percent(figures.Hits, figures.Hits + figures.Misses), Tint.None),
                (Figures.Many(figures.Sets), Tint.None),
                (Figures.Many(figures.Expirations), Tint.None),
                (Figures.Many(Evicted(figures)), Tint.None));
        }

        table.Print(page);
    }

    private static long Evicted(CacheStatistics figures) => figures.EvictionsForEntry + figures.EvictionsForLimit + figures.EvictionsForRoom;

    private static void PrintBroken(Page page, Surroundings surroundings, string path, ShmFileReport report)
    {
        if (page.IsJson)
        {
            Json.Print(page, json =>
            {
                WriteFile(json, surroundings, path, report);
                json.WriteStartArray("header");
                foreach (ShmHeaderField field in report.Header)
                {
                    json.WriteStartObject();
                    json.WriteString("name", field.Name);
                    json.WriteNumber("at", field.At);
                    json.Number("value", field.Value);
                    json.WriteBoolean("isRight", field.IsRight);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
            });
            return;
        }

        page.Line(Title(page, surroundings, path, report));
        page.Line(page.Paint(HeapSource.Reason(report), Tint.Bad));
        page.Line($"file     {Figures.Count(report.LengthBytes)} bytes, {Figures.Count(report.BackedBytes)} with storage, {report.Links} "
            + (report.Links == 1 ? "name" : "names"));
        Table table = new("AT", "FIELD", "VALUE", "", "EXPECTED") { Texts = ["FIELD", ""] };
        foreach (ShmHeaderField field in report.Header)
        {
            table.Add(
                (field.At.ToString(CultureInfo.InvariantCulture), Tint.Faint),
                (field.Name, Tint.None),
                (field.Value.ToString(CultureInfo.InvariantCulture), field.IsRight ? Tint.None : Tint.Bad),
                (field.Expected == null ? "" : field.IsRight ? "ok" : "wrong", field.IsRight ? Tint.Good : Tint.Bad),
                (field.IsRight ? "" : field.Expected?.ToString(CultureInfo.InvariantCulture) ?? "", Tint.None));
        }

        table.Print(page);
    }

    private static void WriteFile(Utf8JsonWriter json, Surroundings surroundings, string path, ShmFileReport report)
    {
        json.WriteString("path", path);
        json.WriteString("verdict", report.Verdict.ToString());
        json.WriteNumber("layout", report.Layout ?? 0);
        json.WriteString("id", report.Id?.ToString("N"));
        json.WriteString("fileSystem", Mounts.TypeOf(path, surroundings.Processes));
        json.WriteString("mode", HeapSource.Octal(report.Mode));
        json.WriteNumber("owner", report.Owner);
        json.WriteNumber("links", report.Links);
        json.Number("inode", report.Inode);
        json.Number("lengthBytes", report.LengthBytes);
        json.Number("backedBytes", report.BackedBytes);
        json.Moment("made", report.Made);
    }

    private static void Write(Utf8JsonWriter json, Surroundings surroundings, Facts facts)
    {
        ShmStatistics memory = facts.Memory;
        WriteFile(json, surroundings, facts.Heap.Path, facts.Report);
        json.WriteStartObject("memory");
        json.WriteNumber("unitBytes", facts.Geometry.UnitBytes);
        json.WriteNumber("blockBytes", facts.Geometry.BlockBytes);
        json.Number("capacityBytes", memory.CapacityBytes);
        json.Number("committedBytes", memory.CommittedBytes);
        json.Number("usedBytes", memory.UsedBytes);
        json.Number("privateBytes", memory.PrivateBytes);
        json.Number("freeBytes", memory.FreeBytes);
        json.Number("freeInPiecesBytes", facts.InPieces);
        json.Number("largestFreeBytes", memory.LargestFreeBytes);
        json.Number("givenBackBytes", memory.GivenBackBytes);
        json.Number("managementBytes", memory.ManagementBytes);
        json.Number("allocations", memory.Allocations);
        json.WriteEndObject();
        json.WriteStartArray("caches");
        foreach ((ShmCacheInfo info, CacheStatistics figures) in facts.Caches)
        {
            json.WriteStartObject();
            json.WriteString("name", info.Name);
            json.WriteNumber("number", info.Number);
            json.WriteNumber("tagPlaces", info.TagPlaces);
            json.WriteBoolean("checksums", info.Checksums);
            json.WriteBoolean("allowsRemoveAll", info.AllowsRemoveAll);
            json.Number("limitBytes", info.LimitBytes);
            json.Number("tableBytes", info.TableBytes);
            CacheFigures.Write(json, figures);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteNumber("slots", facts.Geometry.Slots);
        json.WriteNumber("alive", facts.Alive);
        json.WriteNumber("dead", facts.Dead);
    }

    private sealed record Facts(
        ShmHeap Heap,
        ShmFileReport Report,
        ShmGeometry Geometry,
        ShmStatistics Memory,
        IReadOnlyList<(ShmCacheInfo Info, CacheStatistics Figures)> Caches,
        int Alive,
        int Dead)
    {
        /// <summary>What is free in blocks that are in use.</summary>
        internal long InPieces => Memory.FreeBytes - ((Memory.Blocks.Free + Memory.Blocks.GivenBack) * Geometry.BlockBytes);

        internal static Facts Read(ShmHeap heap, ShmFileReport report, Surroundings surroundings)
        {
            ShmInspector inspector = new(heap);
            ShmGeometry geometry = inspector.Geometry;
            ShmParticipant[] slots = new ShmParticipant[geometry.Slots];
            inspector.ReadParticipants(slots);
            IReadOnlyList<ShmCacheInfo> infos = inspector.ReadCaches();
            IReadOnlyList<SharedCache> caches = HeapSource.Caches(heap, null, surroundings);
            return new Facts(
                heap,
                report,
                geometry,
                heap.GetStatistics(),
                [.. from cache in caches join info in infos on cache.Name equals info.Name select (info, cache.GetStatistics())],
                slots.Count(slot => slot.Life is ShmLife.Alive or ShmLife.Unknown),
                slots.Count(slot => slot.Life == ShmLife.Dead));
        }
    }
}
