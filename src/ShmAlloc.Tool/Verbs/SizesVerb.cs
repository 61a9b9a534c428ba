using System.CommandLine;
using System.Numerics;
using System.Text.Json;
using ShmAlloc.Caching;
using ShmAlloc.Tool.Heaps;
using ShmAlloc.Tool.Output;
using ShmAlloc.Tool.Running;

namespace ShmAlloc.Tool.Verbs;

/// <summary>What the entries of a cache take: sums, histograms of size and time left, and the largest ones.</summary>
internal static class SizesVerb
{
    private const int DefaultTop = 10;
    private const int BarColumns = 30;

    internal static Command Create(VerbContext context)
    {
        Option<string?> cache = context.Cache();
        Option<int> top = new("--top", "-n") { Description = "So many of the largest.", HelpName = "number", DefaultValueFactory = _ => DefaultTop };
        return context.ForHeap("sizes", "Shows what entries take, how long they have left, and the largest.", [cache, top], (parsed, page, path) =>
        {
            if (parsed.GetValue(top) < 0)
            {
                throw new ToolException(ExitCode.Usage, "--top must not be negative");
            }

            using ShmHeap heap = HeapSource.Look(path);
            IReadOnlyList<SharedCache> caches = HeapSource.Caches(heap, parsed.GetValue(cache), context.Surroundings);
            Census[] all = [.. caches.Select(one => Census.Take(one, parsed.GetValue(top), context.Surroundings))];
            Print(page, all);
            return ExitCode.Fine;
        });
    }

    private static void Print(Page page, Census[] all)
    {
        if (page.IsJson)
        {
            Json.Print(page, json =>
            {
                json.WriteStartArray("caches");
                foreach (Census census in all)
                {
                    json.WriteStartObject();
                    census.Write(json);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
            });
            return;
        }

        if (all.Length == 0)
        {
            page.Note("the heap has no cache");
        }

        foreach ((int index, Census census) in all.Index())
        {
            if (index > 0)
            {
                page.Line();
            }

            census.Print(page);
        }
    }

    /// <summary>What a walk over one cache has counted.</summary>
    private sealed class Census(string cache)
    {
        private static readonly (string Name, TimeSpan UpTo)[] Spans =
        [
            ("expired", TimeSpan.Zero),
            ("< 1 min", TimeSpan.FromMinutes(1)),
            ("< 1 h", TimeSpan.FromHours(1)),
            ("< 1 d", TimeSpan.FromDays(1)),
            ("< 30 d", TimeSpan.FromDays(30)),
            ("longer", TimeSpan.MaxValue),
        ];

        private readonly long[] _bySize = new long[64];
        private readonly long[] _bytesBySize = new long[64];
        private readonly long[] _byLeft = new long[Spans.Length + 1];
        private readonly Dictionary<CacheEntryState, long> _byState = [];
        private EntryFacts[] _largest = [];
        private long _entries;
        private long _takes;
        private long _keys;
        private long _values;
        private long _headers;
        private long _waste;
        private long _pinned;
        private long _damaged;
        private bool _isComplete = true;

        internal static Census Take(SharedCache cache, int top, Surroundings surroundings)
        {
            Census census = new(cache.Name);
            DateTimeOffset now = (surroundings.CacheClock ?? surroundings.Clock).GetUtcNow();
            PriorityQueue<EntryFacts, (long, int)> largest = new();
            CacheWalk walk = cache.Walk();
            while (walk.MoveNext())
            {
                if (surroundings.Interrupted.IsCancellationRequested)
                {
                    census._isComplete = false;
                    break;
                }

                CacheWalkEntry entry = walk.Current;
                census.Add(entry, now);
                if (largest.Count < top || (top > 0 && largest.TryPeek(out _, out (long Takes, int) least) && least.Takes < entry.TakesBytes))
                {
                    largest.Enqueue(EntryFacts.Of(cache.Name, entry), (entry.TakesBytes, 0));
                    if (largest.Count > top)
                    {
                        largest.Dequeue();
                    }
                }
            }

            census._damaged = walk.Damaged;
            census._largest = [.. largest.UnorderedItems.Select(item => item.Element)
                .OrderByDescending(facts => facts.TakesBytes)
                .ThenBy(facts => facts.Key, Comparer<byte[]>.Create((left, right) => left.AsSpan().SequenceCompareTo(right)))];
            return census;
        }

        internal void Print(Page page)
        {
            page.Line(page.Paint($"cache {page.Show(cache)}", Tint.Strong) + $"   {Figures.Count(_entries)} entries take {Figures.Bytes(_takes)}"
                + (_isComplete ? "" : page.Paint("   interrupted: this is a part", Tint.Notice)));
            Table sums = new("", "BYTES", "SHARE", "OF AN ENTRY") { Texts = [""] };
            (string Name, long Bytes)[] parts = [("values", _values), ("keys", _keys), ("headers", _headers), ("rounding", _waste)];
            foreach ((string name, long bytes) in parts)
            {
                sums.Add(name, Figures.Bytes(bytes), Figures.Percent(bytes, _takes), _entries == 0 ? "-" : Figures.Bytes(bytes / _entries));
            }

            sums.Print(page);
            string states = string.Join(", ", _byState.OrderBy(pair => pair.Key).Select(pair => $"{Figures.Count(pair.Value)} {EntryFacts.WordOf(pair.Key)}"));
            page.Line($"state  {(states.Length == 0 ? "-" : states)}; {Figures.Count(_pinned)} pinned");
            PrintHistogram(page, "TAKES", [.. Sizes().Select(size => (SizeName(size), _bySize[size], Figures.Bytes(_bytesBySize[size])))]);
            PrintHistogram(page, "LEFT", [.. _byLeft.Index().Where(item => item.Item > 0).Select(item => (LeftName(item.Index), item.Item, ""))]);
            if (_largest.Length > 0)
            {
                Table table = new("TAKES", "VALUE", "STATE", "LARGEST") { Texts = ["STATE", "LARGEST"] };
                foreach (EntryFacts facts in _largest)
                {
                    table.Add(Figures.Bytes(facts.TakesBytes), Figures.Bytes(facts.LengthBytes), facts.StateWord, page.Show(facts.Key));
                }

                table.Print(page);
            }

            if (_damaged > 0)
            {
                page.Note($"cache '{page.Show(cache)}': {Figures.Count(_damaged)} places lead to no entry; 'shmalloc verify' names them");
            }
        }

        internal void Write(Utf8JsonWriter json)
        {
            json.WriteString("cache", cache);
            json.WriteBoolean("isComplete", _isComplete);
            json.Number("entries", _entries);
            json.Number("takesBytes", _takes);
            json.Number("valueBytes", _values);
            json.Number("keyBytes", _keys);
            json.Number("headerBytes", _headers);
            json.Number("roundingBytes", _waste);
            json.Number("pinned", _pinned);
            json.Number("damaged", _damaged);
            json.WriteStartObject("states");
            foreach ((CacheEntryState state, long count) in _byState.OrderBy(pair => pair.Key))
            {
                json.Number(state.ToString(), count);
            }

            json.WriteEndObject();
            json.WriteStartArray("sizes");
            foreach (int size in Sizes())
            {
                json.WriteStartObject();
                json.Number("fromBytes", 1L << size);
                json.Number("entries", _bySize[size]);
                json.Number("bytes", _bytesBySize[size]);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteStartArray("left");
            for (int span = 0; span < _byLeft.Length; span++)
            {
                json.WriteStartObject();
                json.WriteString("span", LeftName(span));
                json.Number("entries", _byLeft[span]);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteStartArray("largest");
            foreach (EntryFacts facts in _largest)
            {
                json.WriteStartObject();
                facts.Write(json);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        private void Add(CacheWalkEntry entry, DateTimeOffset now)
        {
            long takes = entry.TakesBytes;
            int size = BitOperations.Log2((ulong)Math.Max(1, takes));
            _entries++;
            _takes += takes;
            _keys += entry.Key.Length;
            _values += entry.LengthBytes;
            _headers += entry.HeaderBytes;
            _waste += EntryFacts.WasteOf(entry);
            _pinned += entry.IsPinned ? 1 : 0;
            _bySize[size]++;
            _bytesBySize[size] += takes;
            _byState[entry.State] = _byState.GetValueOrDefault(entry.State) + 1;
            int left = entry.Expires is { } moment ? Array.FindIndex(Spans, span => moment - now <= span.UpTo) : Spans.Length;
            _byLeft[left]++;
        }

        private IEnumerable<int> Sizes() => Enumerable.Range(0, _bySize.Length).Where(size => _bySize[size] > 0);

        private static string SizeName(int size) => "from " + Figures.Bytes(1L << size);

        private static string LeftName(int span) => span == Spans.Length ? "never ends" : Spans[span].Name;

        private void PrintHistogram(Page page, string title, (string Name, long Count, string Note)[] bars)
        {
            string[] titles = [title, "ENTRIES", "SHARE", " ", .. bars.Any(bar => bar.Note.Length > 0) ? ["BYTES"] : Array.Empty<string>()];
            Table table = new(titles) { Texts = [title, " "] };
            foreach ((string name, long count, string note) in bars)
            {
                table.Add(name, Figures.Count(count), Figures.Percent(count, _entries), page.Bar((double)count / Math.Max(1, _entries), BarColumns), note);
            }

            if (table.Count > 0)
            {
                table.Print(page);
            }
        }
    }
}
