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

    /// <summary>Every entry, as it is when its turn comes; others may work meanwhile: what they set or remove may be among it or not.</summary>
    /// <returns>The entries that have not expired, in no order.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public IEnumerable<CacheEntry> Enumerate()
    {
        byte[] key = new byte[ItemShape.MaxKeyBytes];
        ulong buckets = BucketCount;
        for (ulong bucket = 0; bucket < buckets; bucket++)
        {
            for (int index = 0; index < TableLayout.EntriesOfBucket; index++)
            {
                if (TryReadEntry(bucket, index, key) is { } entry)
                {
                    yield return entry;
                }
            }
        }

        ThrowIfDisposed();
    }

    private void ThrowIfDisposed()
    {
        using Visit visit = Enter();
        ThrowIfClosed();
    }

    /// <summary>The last one that .NET knows.</summary>
    private static readonly ulong LastMoment = (ulong)DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    private ulong BucketCount
    {
        get
        {
            using Visit visit = Enter();
            return _table->BucketCount;
        }
    }

    private CacheEntry? TryReadEntry(ulong bucket, int index, byte[] buffer)
    {
        using Visit visit = Enter();
        fixed (byte* key = buffer)
        {
            Retry retry = Retry.Begin(_heap);
            do
            {
                switch (EntryReader<Hardware>.TryRead(_heap, _table, bucket, index, key, (ulong)buffer.Length, out ItemFacts facts))
                {
                    case CacheStatus.Ok:
                        return !facts.IsValue(Now) ? null : new CacheEntry(
                            buffer.AsSpan(0, facts.Shape.KeyBytes).ToArray(),
                            (int)facts.Shape.ValueBytes,
                            new CacheVersion(facts.Stamp),
                            facts.Deadline == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds((long)Math.Min(facts.Deadline, LastMoment)),
                            facts.Shape.Is(ItemShape.Pinned));

                    case CacheStatus.Missing:
                        return null;
                }
            }
            while (TryAgain(ref retry));

            return null;
        }
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
