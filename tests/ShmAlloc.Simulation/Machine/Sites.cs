namespace ShmAlloc.Simulation.Machine;

/// <summary>Which shared accesses of the core were reached, and at which a participant was killed.</summary>
internal sealed class Sites
{
    private readonly Dictionary<(string File, int Line), Site> _sites = [];
    private readonly List<(string File, Dictionary<int, Site> Lines)> _files = [];
    private Site? _last;

    internal IReadOnlyDictionary<(string File, int Line), Site> All => _sites;

    internal void Reach(string file, int line, bool isStore)
    {
        Dictionary<int, Site> lines = LinesOf(file);
        if (!lines.TryGetValue(line, out Site? site))
        {
            site = new Site { IsStore = isStore };
            lines.Add(line, site);
            _sites.Add((file, line), site);
        }

        site.Reached++;
        _last = site;
    }

    /// <summary>The step that was announced last ended in a death instead.</summary>
    internal void Kill()
    {
        if (_last != null)
        {
            _last.Killed++;
        }
    }

    // The compiler gives the same string object for the same file nearly always, so this is a handful of comparisons of references.
    private Dictionary<int, Site> LinesOf(string file)
    {
        foreach ((string known, Dictionary<int, Site> lines) in _files)
        {
            if (ReferenceEquals(known, file) || known == file)
            {
                return lines;
            }
        }

        Dictionary<int, Site> added = [];
        _files.Add((file, added));
        return added;
    }

    internal sealed class Site
    {
        internal bool IsStore { get; init; }

        internal long Reached { get; set; }

        internal long Killed { get; set; }
    }
}
