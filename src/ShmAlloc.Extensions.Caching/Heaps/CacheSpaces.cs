namespace ShmAlloc.Extensions.Caching.Heaps;

/// <summary>The spaces that a service provider has made so far: for its health check. Safe for all threads.</summary>
internal sealed class CacheSpaces
{
    private readonly List<CacheSpace> _all = [];

    internal IReadOnlyList<CacheSpace> All
    {
        get
        {
            lock (_all)
            {
                return [.. _all];
            }
        }
    }

    internal void Add(CacheSpace space)
    {
        lock (_all)
        {
            _all.Add(space);
        }
    }
}
