using System.CommandLine;
using System.Globalization;
using ShmAlloc.Caching;
using ShmAlloc.Tool.Heaps;
using ShmAlloc.Tool.Output;
using ShmAlloc.Tool.Running;

namespace ShmAlloc.Tool.Verbs;

/// <summary>A line for each interval, for logs: the first one is about everything since the caches were made, as that of vmstat.</summary>
internal static class StatVerb
{
    private const int LinesPerTitle = 40;

    private static readonly (string Title, int Width)[] Titles =
        [("ENTRIES", 11), ("USED", 11), ("HIT", 7), ("GETS/s", 9), ("SETS/s", 9), ("REMOVED/s", 10), ("EVICTED/s", 10), ("EXPIRED/s", 10), ("SLOTS", 6)];

    internal static Command Create(VerbContext context)
    {
        Argument<double?> seconds = new("seconds") { Description = "Between two lines. [default: one line only]", Arity = ArgumentArity.ZeroOrOne };
        Argument<int?> lines = new("lines") { Description = "How many lines. [default: until it is interrupted]", Arity = ArgumentArity.ZeroOrOne };
        Option<string?> cache = context.Cache();
        return context.ForHeap("stat", "Prints a line of rates for each interval.", [seconds, lines, cache], (parsed, page, path) =>
        {
            double? every = parsed.GetValue(seconds);
            int? most = parsed.GetValue(lines);
            if (every is <= 0 or > 86_400 || most is <= 0)
            {
                throw new ToolException(ExitCode.Usage, "seconds and lines must be positive");
            }

            using ShmHeap heap = HeapSource.Look(path);
            return Run(page, context.Surroundings, heap, HeapSource.Caches(heap, parsed.GetValue(cache), context.Surroundings), every, most);
        });
    }

    private static ExitCode Run(Page page, Surroundings surroundings, ShmHeap heap, IReadOnlyList<SharedCache> caches, double? every, int? most)
    {
        Sample last = Sample.Read(heap, caches);
        Print(page, surroundings, last, default, null, 0);
        int all = every == null ? 1 : most ?? int.MaxValue;
        for (int line = 1; line < all && !surroundings.Interrupted.IsCancellationRequested; line++)
        {
            page.Flush();
            long began = surroundings.Clock.GetTimestamp();
            surroundings.Wait(TimeSpan.FromSeconds(every!.Value), surroundings.Interrupted);
            double passed = surroundings.Clock.GetElapsedTime(began).TotalSeconds;
            if (!surroundings.Interrupted.IsCancellationRequested)
            {
                Sample now = Sample.Read(heap, caches);
                Print(page, surroundings, now, last, passed, line);
                last = now;
            }
        }

        return ExitCode.Fine;
    }

    private static void Print(Page page, Surroundings surroundings, Sample now, Sample last, double? seconds, int line)
    {
        if (page.IsJson)
        {
            PrintJson(page, surroundings, now, last, seconds);
            return;
        }

        if (line % LinesPerTitle == 0)
        {
            page.Line(page.Paint(string.Concat(Titles.Select(title => title.Title.PadLeft(title.Width))), Tint.Faint));
        }

        long gets = now.Hits + now.Misses - last.Hits - last.Misses;
        string[] cells =
        [
            Figures.Count(now.Entries),
            Figures.Bytes(now.UsedBytes),
            Figures.Percent(now.Hits - last.Hits, gets),
            Rate(gets),
            Rate(now.Sets - last.Sets),
            Rate(now.Removals - last.Removals),
            Rate(now.Evictions - last.Evictions),
            Rate(now.Expirations - last.Expirations),
            now.Participants.ToString(CultureInfo.InvariantCulture),
        ];
        page.Line(string.Concat(cells.Select((cell, index) => cell.PadLeft(Titles[index].Width))));

        // Since the caches were made: nobody knows when that was, so it is a number of events and no rate.
        string Rate(long events) => seconds == null ? Figures.Many(events) : Figures.Many(events / Math.Max(seconds.Value, 1e-3));
    }

    private static void PrintJson(Page page, Surroundings surroundings, Sample now, Sample last, double? seconds) => Json.PrintLine(page, json =>
    {
        json.Moment("at", surroundings.Clock.GetUtcNow());
        if (seconds is { } passed)
        {
            json.WriteNumber("milliseconds", (long)(passed * 1000));
        }

        json.Number("entries", now.Entries);
        json.Number("usedBytes", now.UsedBytes);
        json.WriteNumber("participants", now.Participants);
        json.Number("hits", now.Hits - last.Hits);
        json.Number("misses", now.Misses - last.Misses);
        json.Number("sets", now.Sets - last.Sets);
        json.Number("removals", now.Removals - last.Removals);
        json.Number("evictions", now.Evictions - last.Evictions);
        json.Number("expirations", now.Expirations - last.Expirations);
    });

    /// <summary>Figures at one moment.</summary>
    private readonly record struct Sample(
        long Entries, long UsedBytes, int Participants, long Hits, long Misses, long Sets, long Removals, long Evictions, long Expirations)
    {
        internal static Sample Read(ShmHeap heap, IReadOnlyList<SharedCache> caches)
        {
            ShmStatistics memory = heap.GetStatistics();
            Sample sample = new(0, memory.UsedBytes, memory.Participants, 0, 0, 0, 0, 0, 0);
            foreach (CacheStatistics one in caches.Select(cache => cache.GetStatistics()))
            {
                sample = sample with
                {
                    Entries = sample.Entries + one.Entries,
                    Hits = sample.Hits + one.Hits,
                    Misses = sample.Misses + one.Misses,
                    Sets = sample.Sets + one.Sets,
                    Removals = sample.Removals + one.Removals,
                    Evictions = sample.Evictions + one.EvictionsForEntry + one.EvictionsForLimit + one.EvictionsForRoom,
                    Expirations = sample.Expirations + one.Expirations,
                };
            }

            return sample;
        }
    }
}
