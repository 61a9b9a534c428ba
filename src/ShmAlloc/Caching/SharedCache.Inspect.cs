using ShmAlloc.Disposal;
using ShmAlloc.Layout;
using ShmAlloc.Memory;

namespace ShmAlloc.Caching;

/// <content>Looking at a cache as a whole.</content>
public sealed unsafe partial class SharedCache
{
    /// <summary>The figures of all processes.</summary>
    /// <returns>The figures.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public CacheStatistics GetStatistics() => Statistics(counter => CacheCounts<Hardware>.Sum(_heap, _table, counter));

    /// <summary>
    /// The figures of this process alone, since it attached the heap. Entries and bytes are what it set minus what it removed or dropped, so they may be
    /// negative. While it has no participant slot it counts, and tells nobody: the figures are 0.
    /// </summary>
    /// <returns>The figures.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public CacheStatistics GetProcessStatistics() => Statistics(counter => CacheCounts<Hardware>.Told(_heap, _table, counter));

    /// <summary>
    /// The figures that all users of a participant slot have told, one after the other, since the cache was made: a slot's figures go on when another process
    /// gets it. Differences of two looks tell what its process does. Entries and bytes are what it set minus what it removed or dropped.
    /// </summary>
    /// <param name="slot">The slot: see <see cref="ShmHeap.ParticipantSlot"/>.</param>
    /// <returns>The figures.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such slot.</exception>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public CacheStatistics GetStatistics(int slot)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(slot);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(slot, Heap.MaxParticipants);
        return Statistics(counter => CacheCounts<Hardware>.OfSlot(_heap, _table, slot, counter));
    }

    private CacheStatistics Statistics(Func<CacheCounter, long> figure)
    {
        using Visit visit = Enter();
        ThrowIfClosed();
        CacheCounts<Hardware>.FlushAll(_heap, _table);
        if (!_heap->ReadOnly)
        {
            CacheRecount<Hardware>.RunIfNeeded(_heap, _table);
        }

        CacheStatistics statistics = new(
            figure(CacheCounter.Entries),
            figure(CacheCounter.Bytes),
            (long)_table->BucketCount * TableLayout.EntriesOfBucket,
            (long)_table->LimitBytes,
            figure(CacheCounter.Hits),
            figure(CacheCounter.Misses),
            figure(CacheCounter.Sets),
            figure(CacheCounter.Removals),
            figure(CacheCounter.EvictionsForRoom),
            figure(CacheCounter.EvictionsForLimit),
            figure(CacheCounter.EvictionsForEntry),
            figure(CacheCounter.Expirations),
            figure(CacheCounter.FailedFlights));
        ThrowIfClosed();
        return statistics;
    }
}
