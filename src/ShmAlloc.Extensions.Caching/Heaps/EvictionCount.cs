using ShmAlloc.Caching;

namespace ShmAlloc.Extensions.Caching.Heaps;

/// <summary>
/// Counts what this process has dropped for want of room, over all files that it has had one after the other: each counts from nothing, and a meter is asked
/// once more after the last one is closed. Safe for all threads.
/// </summary>
internal sealed class EvictionCount
{
    private readonly Lock _gate = new();
    private SharedCache? _cache;
    private long _before;
    private long _here;

    internal long Count
    {
        get
        {
            lock (_gate)
            {
                Look();
                return _before + _here;
            }
        }
    }

    /// <summary>From here on this one is counted.</summary>
    internal void Begin(SharedCache cache)
    {
        lock (_gate)
        {
            CloseLast();
            _cache = cache;
        }
    }

    /// <summary>The file is about to be closed.</summary>
    internal void End()
    {
        lock (_gate)
        {
            CloseLast();
        }
    }

    private void CloseLast()
    {
        Look();
        (_cache, _before, _here) = (null, _before + _here, 0);
    }

    private void Look()
    {
        try
        {
            if (_cache?.GetProcessStatistics() is { } own)
            {
                _here = own.EvictionsForRoom + own.EvictionsForLimit + own.EvictionsForEntry;
            }
        }
        catch (ObjectDisposedException)
        {
            // What was seen last counts.
        }
    }
}
