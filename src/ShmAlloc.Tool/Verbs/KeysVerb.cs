using System.CommandLine;
using System.Text;
using ShmAlloc.Caching;
using ShmAlloc.Tool.Heaps;
using ShmAlloc.Tool.Output;
using ShmAlloc.Tool.Running;

namespace ShmAlloc.Tool.Verbs;

/// <summary>The keys of a cache: as the walk meets them, the first of some order, or summed up by what they begin with.</summary>
internal static class KeysVerb
{
    private const int DefaultTop = 20;

    /// <summary>On a terminal of fewer columns some go, so that there is room for keys.</summary>
    private const int WideColumns = 80;
    private const int CacheColumns = 14;
    private const int FewCacheColumns = 8;
    private const int FewestKeyColumns = 10;

    private static readonly (string Title, int Width, bool IsForWide)[] Titles =
        [("SIZE", 10, false), ("TAKES", 10, true), ("LEFT", 13, false), ("USE", 6, true), ("STATE", 13, false)];

    internal static Command Create(VerbContext context)
    {
        Option<string?> cache = context.Cache();
        Option<string?> match = new("--match", "-m") { Description = "Keys of a pattern: * is anything, ? is one byte.", HelpName = "pattern" };
        Option<string?> prefix = new("--prefix", "-p") { Description = "Keys that begin so.", HelpName = "text" };
        Option<string?> tag = new("--tag", "-t") { Description = "Keys with a tag, or with another that shares its place.", HelpName = "name" };
        Option<bool> expired = new("--expired", "-e") { Description = "Also what has expired, lost a tag, or has no value yet." };
        Option<string?> sort = new("--sort", "-s")
        {
            Description = "The first by size, left (time), waste, or key. [default: as they come]",
            HelpName = "order",
        };
        sort.AcceptOnlyFromAmong("size", "left", "waste", "key");
        Option<int?> top = new("--top", "-n") { Description = $"So many. [default: {DefaultTop} if sorted or summed up, else all]", HelpName = "number" };
        Option<string?> tree = new("--tree") { Description = "Sum up by what comes before this separator.", HelpName = "separator" };
        Option<int> depth = new("--depth") { Description = "With --tree: up to the N-th separator.", HelpName = "number", DefaultValueFactory = _ => 1 };
        return context.ForHeap("keys", "Lists the keys of a cache.", [cache, match, prefix, tag, expired, sort, top, tree, depth], (parsed, page, path) =>
        {
            if (parsed.GetValue(top) is <= 0 || parsed.GetValue(depth) <= 0 || parsed.GetValue(tree) is "")
            {
                throw new ToolException(ExitCode.Usage, "--top and --depth must be positive, and --tree needs a separator");
            }

            EntryFilter filter = new(parsed.GetValue(match), parsed.GetValue(prefix), parsed.GetValue(tag), parsed.GetValue(expired));
            using ShmHeap heap = HeapSource.Look(path);
            IReadOnlyList<SharedCache> caches = HeapSource.Caches(heap, parsed.GetValue(cache), context.Surroundings);
            Listing listing = new(page, context.Surroundings, caches, filter);
            if (parsed.GetValue(tree) is { } separator)
            {
                listing.PrintTree(Encoding.UTF8.GetBytes(separator), parsed.GetValue(depth), parsed.GetValue(top) ?? DefaultTop);
            }
            else if (parsed.GetValue(sort) is { } order)
            {
                listing.PrintSorted(order, parsed.GetValue(top) ?? DefaultTop);
            }
            else
            {
                listing.PrintAll(parsed.GetValue(top) ?? int.MaxValue);
            }

            return ExitCode.Fine;
        });
    }

    /// <summary>One listing of some caches.</summary>
    private sealed class Listing(Page page, Surroundings surroundings, IReadOnlyList<SharedCache> caches, EntryFilter filter)
    {
        private readonly DateTimeOffset _now = (surroundings.CacheClock ?? surroundings.Clock).GetUtcNow();
        private readonly bool _namesCaches = caches.Count > 1;
        private readonly bool _isNarrow = page.Cuts && page.Columns < WideColumns;
        private bool _hasTitle;

        internal void PrintAll(int most)
        {
            int printed = 0;
            Walk((cache, entry) =>
            {
                Print(EntryFacts.Of(cache.Name, entry));
                return ++printed < most;
            });
        }

        internal void PrintSorted(string order, int top)
        {
            // The last of those that are kept comes first out of the queue.
            Comparer<EntryFacts> comparer = OrderOf(order);
            PriorityQueue<EntryFacts, EntryFacts> kept = new(Comparer<EntryFacts>.Create((left, right) => comparer.Compare(right, left)));
            Walk((cache, entry) =>
            {
                EntryFacts facts = EntryFacts.Of(cache.Name, entry);
                if (kept.Count < top)
                {
                    kept.Enqueue(facts, facts);
                }
                else
                {
                    kept.EnqueueDequeue(facts, facts);
                }

                return true;
            });
            foreach (EntryFacts facts in kept.UnorderedItems.Select(item => item.Element).Order(comparer))
            {
                Print(facts);
            }
        }

        internal void PrintTree(byte[] separator, int depth, int top)
        {
            Dictionary<string, Branch> branches = [];
            Dictionary<string, Branch>.AlternateLookup<ReadOnlySpan<char>> lookup = branches.GetAlternateLookup<ReadOnlySpan<char>>();
            Walk((cache, entry) =>
            {
                // Latin-1 keeps all bytes, so that nothing is taken for the same that is not.
                Span<char> name = new char[entry.Key.Length];
                int length = BranchOf(entry.Key, separator, depth);
                Encoding.Latin1.GetChars(entry.Key[..length], name);
                if (!lookup.TryGetValue(name[..length], out Branch? branch))
                {
                    branch = new Branch(entry.Key[..length].ToArray());
                    lookup[name[..length]] = branch;
                }

                branch.Add(entry);
                return true;
            });
            Branch[] largest =
                [.. branches.Values.OrderByDescending(branch => branch.TakesBytes).ThenBy(branch => branch.Name, BytesComparer.Instance).Take(top)];
            if (page.IsJson)
            {
                foreach (Branch branch in largest)
                {
                    Json.PrintLine(page, branch.Write);
                }

                return;
            }

            long all = branches.Values.Sum(branch => branch.TakesBytes);
            Table table = new("KEYS", "TAKES", "SHARE", "VALUES", "BEGINS WITH") { Texts = ["BEGINS WITH"] };
            foreach (Branch branch in largest)
            {
                table.Add(
                    Figures.Count(branch.Keys),
                    Figures.Bytes(branch.TakesBytes),
                    Figures.Percent(branch.TakesBytes, all),
                    Figures.Bytes(branch.LengthBytes),
                    page.Show(branch.Name));
            }

            table.Print(page);
            if (branches.Count > largest.Length)
            {
                page.Note($"and {Figures.Count(branches.Count - largest.Length)} more; --top shows more of them");
            }
        }

        private static int BranchOf(ReadOnlySpan<byte> key, ReadOnlySpan<byte> separator, int depth)
        {
            int length = 0;
            for (int level = 0; level < depth; level++)
            {
                int found = key[length..].IndexOf(separator);
                if (found < 0)
                {
                    return level == 0 ? 0 : length;
                }

                length += found + separator.Length;
            }

            return length;
        }

        private void Walk(Func<SharedCache, CacheWalkEntry, bool> visit)
        {
            foreach (SharedCache cache in caches)
            {
                int place = filter.Tag == null ? 0 : cache.TagPlaceOf(filter.Tag);
                CacheWalk walk = cache.Walk();
                while (walk.MoveNext())
                {
                    if (surroundings.Interrupted.IsCancellationRequested)
                    {
                        return;
                    }

                    CacheWalkEntry entry = walk.Current;
                    if (filter.Wants(entry, place) && !visit(cache, entry))
                    {
                        return;
                    }
                }

                if (walk.Damaged > 0)
                {
                    page.Note($"cache '{page.Show(cache.Name)}': {Figures.Count(walk.Damaged)} places lead to no entry; 'shmalloc verify' names them");
                }
            }
        }

        private void Print(EntryFacts facts)
        {
            if (page.IsJson)
            {
                Json.PrintLine(page, facts.Write);
                return;
            }

            if (!_hasTitle)
            {
                _hasTitle = true;
                page.Line(page.Paint(Fixed([.. Titles.Select(title => title.Title)]) + NameOfCache("CACHE") + "  KEY", Tint.Faint));
            }

            string left = facts.Expires is { } moment ? Figures.Span(moment - _now) : "-";
            string line = Fixed([Figures.Bytes(facts.LengthBytes), Figures.Bytes(facts.TakesBytes), left, facts.UseWord, facts.StateWord])
                + NameOfCache(facts.Cache) + "  ";
            page.Line(line + page.Show(facts.Key, page.Cuts ? Math.Max(FewestKeyColumns, page.Columns - Columns.Of(line)) : 0));
        }

        private string NameOfCache(string name)
        {
            int columns = _isNarrow ? FewCacheColumns : CacheColumns;
            return _namesCaches ? "  " + Columns.PadRight(page.Show(name, columns), columns) : "";
        }

        private string Fixed(string[] cells) =>
            string.Concat(Titles.Index().Where(title => !(_isNarrow && title.Item.IsForWide)).Select(title => cells[title.Index].PadLeft(title.Item.Width)));

        /// <summary>What comes first is less; of equal ones the key decides, so that the same heap is listed the same way.</summary>
        private static Comparer<EntryFacts> OrderOf(string order) => Comparer<EntryFacts>.Create((left, right) =>
        {
            int first = order switch
            {
                "size" => right.TakesBytes.CompareTo(left.TakesBytes),
                "waste" => right.WasteBytes.CompareTo(left.WasteBytes),
                "left" => (left.Expires ?? DateTimeOffset.MaxValue).CompareTo(right.Expires ?? DateTimeOffset.MaxValue),
                _ => 0,
            };
            return first != 0 ? first : BytesComparer.Instance.Compare(left.Key, right.Key);
        });
    }

    private sealed class Branch(byte[] name)
    {
        internal byte[] Name { get; } = name;

        internal long Keys { get; private set; }

        internal long TakesBytes { get; private set; }

        internal long LengthBytes { get; private set; }

        internal void Add(CacheWalkEntry entry)
        {
            Keys++;
            TakesBytes += entry.TakesBytes;
            LengthBytes += entry.LengthBytes;
        }

        internal void Write(System.Text.Json.Utf8JsonWriter json)
        {
            json.Bytes("prefix", Name);
            json.Number("keys", Keys);
            json.Number("takesBytes", TakesBytes);
            json.Number("lengthBytes", LengthBytes);
        }
    }

    private sealed class BytesComparer : IComparer<byte[]>
    {
        internal static readonly BytesComparer Instance = new();

        public int Compare(byte[]? x, byte[]? y) => x.AsSpan().SequenceCompareTo(y);
    }
}
