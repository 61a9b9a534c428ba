using System.CommandLine;
using System.Globalization;
using ShmAlloc.Caching;
using ShmAlloc.Tool.Heaps;
using ShmAlloc.Tool.Output;
using ShmAlloc.Tool.Running;

namespace ShmAlloc.Tool.Verbs;

/// <summary>All facts of one entry.</summary>
internal static class KeyVerb
{
    private const int EntriesOfBucket = 7;
    private const int Label = 13;

    internal static Command Create(VerbContext context)
    {
        Option<string?> cache = context.Cache();
        Option<bool> base64 = new("--base64") { Description = "The key is given in base64." };
        return context.ForKey("key", "Shows all that is known of a key, also if its value has expired.", [cache, base64], (parsed, page, path, key) =>
        {
            using ShmHeap heap = HeapSource.Look(path);
            SharedCache from = HeapSource.Cache(heap, parsed.GetValue(cache), context.Surroundings);
            byte[] bytes = KeyText.Parse(key, parsed.GetValue(base64));
            (CacheCursor first, CacheCursor second) = from.PlacesOf(bytes);
            int found = PrintAll(page, context.Surroundings, from, first, bytes) + PrintAll(page, context.Surroundings, from, second, bytes);
            if (found == 0)
            {
                page.Note($"cache '{page.Show(from.Name)}' has nothing of this key");
            }

            return found == 0 ? ExitCode.No : ExitCode.Fine;
        });
    }

    private static int PrintAll(Page page, Surroundings surroundings, SharedCache cache, CacheCursor bucket, byte[] key)
    {
        int found = 0;
        CacheWalk walk = cache.Walk(bucket, new CacheWalkOptions { MostPlaces = EntriesOfBucket });
        while (walk.MoveNext())
        {
            if (walk.Current.Key.SequenceEqual(key))
            {
                found++;
                Print(page, surroundings, cache, walk.Current);
            }
        }

        return found;
    }

    private static void Print(Page page, Surroundings surroundings, SharedCache cache, CacheWalkEntry entry)
    {
        EntryFacts facts = EntryFacts.Of(cache.Name, entry);
        int[] places = new int[entry.Tags];
        for (int tag = 0; tag < places.Length; tag++)
        {
            places[tag] = entry.TagPlace(tag);
        }

        (string Offset, long Bucket, int Index, ulong Version) place = (entry.Offset.ToString(), entry.Bucket, entry.IndexInBucket, entry.Version.Value);
        (TimeSpan? Sliding, DateTimeOffset? StaleUntil, int Header, bool HasChecksum) more =
            (entry.Sliding, entry.StaleUntil, entry.HeaderBytes, entry.HasChecksum);
        if (page.IsJson)
        {
            Json.Print(page, json =>
            {
                facts.Write(json);
                json.Number("headerBytes", more.Header);
                json.WriteString("offset", place.Offset);
                json.Number("bucket", place.Bucket);
                json.WriteNumber("indexInBucket", place.Index);
                json.Number("version", place.Version);
                json.Number("slidingMilliseconds", (long)(more.Sliding?.TotalMilliseconds ?? 0));
                json.Moment("staleUntil", more.StaleUntil);
                json.WriteBoolean("hasChecksum", more.HasChecksum);
                json.WriteStartArray("tagPlaces");
                foreach (int tag in places)
                {
                    json.WriteNumberValue(tag);
                }

                json.WriteEndArray();
            });
            return;
        }

        DateTimeOffset now = (surroundings.CacheClock ?? surroundings.Clock).GetUtcNow();
        Fact("key", $"{page.Show(facts.Key)}   ({Figures.Count(facts.Key.Length)} bytes)");
        Fact("cache", page.Show(facts.Cache));
        Fact("state", facts.StateWord + (facts.ComputingSlot is { } slot ? $"; slot {slot} works out the next value" : ""));
        Fact("value", $"{Figures.Count(facts.LengthBytes)} bytes" + (more.HasChecksum ? ", with a checksum" : ""));
        Fact("takes", $"{Figures.Count(facts.TakesBytes)} bytes: header {more.Header}, key {facts.Key.Length}, value {Figures.Count(facts.LengthBytes)}, "
            + $"rounding {Figures.Count(facts.WasteBytes)}");
        Fact("expires", facts.Expires is { } moment ? $"{At(moment)}, {Left(moment - now)}" : "never");
        if (more.Sliding is { } window)
        {
            Fact("slides", $"{Figures.Span(window)} after each use");
        }

        if (more.StaleUntil is { } stale)
        {
            Fact("stale until", $"{At(stale)}, {Left(stale - now)}");
        }

        Fact("use", facts.Use switch
        {
            CacheUse.New => "new: not asked for since it was set",
            CacheUse.Cold => "cold: asked for, but not lately",
            _ => "used: asked for lately",
        });
        Fact("pinned", facts.IsPinned ? "yes: it stays when room is needed" : "no");
        Fact("tags", places.Length == 0 ? "none" : $"{places.Length}, of places {string.Join(", ", places)} (names are not kept)");
        Fact("version", place.Version.ToString(CultureInfo.InvariantCulture));
        Fact("lies at", $"offset {place.Offset}, bucket {Figures.Count(place.Bucket)}, entry {place.Index}");

        void Fact(string name, string text) => page.Line(page.Paint(name.PadRight(Label), Tint.Faint) + text);
    }

    private static string At(DateTimeOffset moment) => moment.ToString("u", CultureInfo.InvariantCulture);

    private static string Left(TimeSpan span) => span > TimeSpan.Zero ? $"in {Figures.Span(span)}" : $"{Figures.Span(-span)} ago";
}
