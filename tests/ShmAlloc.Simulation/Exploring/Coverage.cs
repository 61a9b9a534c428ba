using System.Globalization;
using ShmAlloc.Simulation.Machine;

namespace ShmAlloc.Simulation.Exploring;

/// <summary>Which accesses were reached and killed at, over many programs. One line each: file, line, store or load, reached, killed.</summary>
internal sealed class Coverage
{
    private readonly SortedDictionary<(string File, int Line), (bool IsStore, long Reached, long Killed)> _sites = [];

    internal void Add(Sites sites)
    {
        foreach (((string file, int line), Sites.Site site) in sites.All)
        {
            (bool isStore, long reached, long killed) = _sites.GetValueOrDefault((file, line));
            _sites[(file, line)] = (isStore || site.IsStore, reached + site.Reached, killed + site.Killed);
        }
    }

    internal void Write(string path) => File.WriteAllLines(path, _sites.Select(site => string.Create(
        CultureInfo.InvariantCulture,
        $"{site.Key.File}\t{site.Key.Line}\t{(site.Value.IsStore ? "store" : "load")}\t{site.Value.Reached}\t{site.Value.Killed}")));
}
