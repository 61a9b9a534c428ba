using System.CommandLine;
using System.Globalization;
using System.Text;
using ShmAlloc.Inspection;
using ShmAlloc.Tool.Heaps;
using ShmAlloc.Tool.Output;
using ShmAlloc.Tool.Running;

namespace ShmAlloc.Tool.Verbs;

/// <summary>A picture of the heap's memory: a sign for each block, or for several of them.</summary>
internal static class MapVerb
{
    private const int CellsPerLine = 64;
    private const int MostLines = 32;
    private const int NumberColumns = 8;

    private static readonly string[] Levels = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

    internal static Command Create(VerbContext context)
    {
        Option<long?> block = new("--block", "-b") { Description = "The units of one block: . free, - and P used, p private, # closed.", HelpName = "number" };
        Option<bool> zoom = new("--zoom", "-z") { Description = "A sign for each block, however many there are." };
        return context.ForHeap("map", "Draws what the blocks of a heap are used for.", [block, zoom], (parsed, page, path) =>
        {
            using ShmHeap heap = HeapSource.Look(path);
            ShmInspector inspector = new(heap);
            if (parsed.GetValue(block) is { } number)
            {
                PrintBlock(page, inspector, number);
            }
            else
            {
                PrintMap(page, inspector, parsed.GetValue(zoom));
            }

            return ExitCode.Fine;
        });
    }

    /// <summary>All blocks; what several do not fit into one sign is summed up.</summary>
    internal static ShmBlock[] ReadAll(ShmInspector inspector)
    {
        ShmBlock[] blocks = new ShmBlock[inspector.Geometry.CommittedBlocks];
        return blocks[..inspector.ReadBlocks(0, blocks)];
    }

    private static void PrintMap(Page page, ShmInspector inspector, bool zooms)
    {
        ShmGeometry geometry = inspector.Geometry;
        ShmBlock[] blocks = ReadAll(inspector);
        HashSet<long> index = [.. inspector.ReadCaches().SelectMany(cache => BlocksOf(geometry, cache))];
        if (page.IsJson)
        {
            PrintJson(page, geometry, blocks, index);
            return;
        }

        int perLine = Math.Min(CellsPerLine, page.Columns - NumberColumns - 1);
        int perCell = zooms ? 1 : Math.Max(1, (blocks.Length + (perLine * MostLines) - 1) / (perLine * MostLines));
        page.Line(page.Paint(
            page.IsAscii
                ? ". free  1 to 9 open, by use  R run  I index  g garbage  b given back  ! moving"
                : "░ free  ▁▂▃▄▅▆▇█ open, by use  R run  I index  g garbage  b given back  ! moving",
            Tint.Faint) + $"   {Figures.Count(perCell)} {(perCell == 1 ? "block" : "blocks")} of {Figures.Bytes(geometry.BlockBytes)} a sign");
        for (int line = 0; line * perLine * perCell < blocks.Length; line++)
        {
            StringBuilder signs = new();
            int from = line * perLine * perCell;
            for (int cell = from; cell < Math.Min(blocks.Length, from + (perLine * perCell)); cell += perCell)
            {
                (string sign, Tint tint) = SignOf(page, geometry, blocks.AsSpan(cell, Math.Min(perCell, blocks.Length - cell)), index);
                signs.Append(page.Paint(sign, tint));
            }

            page.Line(from.ToString(CultureInfo.InvariantCulture).PadLeft(NumberColumns) + " " + signs);
        }
    }

    /// <summary>What needs to be seen comes first; then what most of the blocks are; open ones show how much of them is used.</summary>
    private static (string Sign, Tint Tint) SignOf(Page page, ShmGeometry geometry, ReadOnlySpan<ShmBlock> blocks, HashSet<long> index)
    {
        int free = 0, givenBack = 0, runs = 0, indexes = 0, garbage = 0;
        long used = 0;
        foreach (ShmBlock block in blocks)
        {
            if (block.Kind is ShmBlockKind.Moving or ShmBlockKind.Unknown)
            {
                return ("!", Tint.Bad);
            }

            free += block.Kind is ShmBlockKind.Free or ShmBlockKind.GivenBack ? 1 : 0;
            givenBack += block.Kind == ShmBlockKind.GivenBack ? 1 : 0;
            bool isIndex = index.Contains(block.Index);
            indexes += isIndex ? 1 : 0;
            runs += !isIndex && block.Kind is ShmBlockKind.Run or ShmBlockKind.RunBody ? 1 : 0;
            garbage += block.HasGarbageHint && block.PrivateUnits > 0 ? 1 : 0;
            used += block.UsedUnits + block.PrivateUnits;
        }

        int half = (blocks.Length + 1) / 2;
        if (free == blocks.Length)
        {
            return givenBack >= half ? ("b", Tint.Faint) : (page.Sign("░", "."), Tint.Faint);
        }

        double share = (double)used / ((long)blocks.Length * geometry.UnitsPerBlock);
        return garbage >= half ? ("g", Tint.Notice)
            : indexes >= half ? ("I", Tint.Strong)
            : runs >= half ? ("R", Tint.Strong)
            : page.IsAscii ? (Math.Clamp((int)Math.Ceiling(share * 9), 1, 9).ToString(CultureInfo.InvariantCulture), Tint.Good)
            : (Levels[Math.Clamp((int)Math.Ceiling(share * Levels.Length) - 1, 0, Levels.Length - 1)], Tint.Good);
    }

    private static IEnumerable<long> BlocksOf(ShmGeometry geometry, ShmCacheInfo cache)
    {
        long first = geometry.BlockOf(cache.Table);
        long last = geometry.BlockOf(new ShmOffset(cache.Table.Value + (ulong)Math.Max(0, cache.TableBytes - 1)));
        for (long block = first; block <= Math.Min(last, geometry.CommittedBlocks - 1); block++)
        {
            yield return block;
        }
    }

    private static void PrintBlock(Page page, ShmInspector inspector, long number)
    {
        ShmGeometry geometry = inspector.Geometry;
        if (number < 0 || number >= geometry.CommittedBlocks)
        {
            throw new ToolException(ExitCode.Usage, $"there are blocks 0 to {Figures.Count(geometry.CommittedBlocks - 1)}");
        }

        ShmBlock[] block = new ShmBlock[1];
        inspector.ReadBlocks(number, block);
        byte[] states = new byte[geometry.UnitsPerBlock];
        inspector.ReadUnits(number, states);
        string units = Encoding.ASCII.GetString(states);
        if (page.IsJson)
        {
            Json.Print(page, json =>
            {
                json.WriteStartObject("block");
                Write(json, block[0]);
                json.WriteString("units", units);
                json.WriteEndObject();
            });
            return;
        }

        page.Line($"block {Figures.Count(number)} at offset {geometry.OffsetOf(number)}: {block[0].Kind}, "
            + $"{Figures.Count(block[0].UsedUnits)} of {Figures.Count(geometry.UnitsPerBlock)} units of {geometry.UnitBytes} B used, "
            + $"{Figures.Count(block[0].PrivateUnits)} private, {Figures.Count(block[0].FreeUnits)} free "
            + $"(largest place {Figures.Count(block[0].LargestFreeUnits)}), "
            + $"{Figures.Count(block[0].Allocations)} allocations");
        for (int at = 0; at < units.Length; at += CellsPerLine)
        {
            page.Line($"{at.ToString(CultureInfo.InvariantCulture).PadLeft(NumberColumns)} {units[at..Math.Min(units.Length, at + CellsPerLine)]}");
        }
    }

    private static void PrintJson(Page page, ShmGeometry geometry, ShmBlock[] blocks, HashSet<long> index) => Json.PrintLine(page, json =>
    {
        json.WriteNumber("unitBytes", geometry.UnitBytes);
        json.WriteNumber("blockBytes", geometry.BlockBytes);
        json.WriteStartArray("blocks");
        foreach (ShmBlock block in blocks)
        {
            json.WriteStartObject();
            Write(json, block);
            json.WriteBoolean("isIndex", index.Contains(block.Index));
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });

    private static void Write(System.Text.Json.Utf8JsonWriter json, ShmBlock block)
    {
        json.Number("index", block.Index);
        json.WriteString("kind", block.Kind.ToString());
        json.WriteNumber("slot", block.Slot);
        json.Number("runBlocks", block.RunBlocks);
        json.WriteNumber("usedUnits", block.UsedUnits);
        json.WriteNumber("privateUnits", block.PrivateUnits);
        json.WriteNumber("freeUnits", block.FreeUnits);
        json.WriteNumber("largestFreeUnits", block.LargestFreeUnits);
        json.WriteNumber("allocations", block.Allocations);
        json.WriteBoolean("garbageHint", block.HasGarbageHint);
        json.WriteBoolean("itemsHint", block.HasItemsHint);
    }
}
