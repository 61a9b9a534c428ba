using ShmAlloc.Allocation;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>
/// Keeps a cache within its limit in bytes. A shard sums up what all participants have told of the cache each time that it has put a share of the limit into
/// it. If the cache is larger than its limit then, the shard drops what is too much; if it might become so before the next time, the shard drops, after each
/// item that it puts, as much as the cache has grown by. So no set pays for many others.
/// </summary>
/// <remarks>Sums are of what was told, so each shard of each process may be wrong by that share; nothing but the limit depends on them.</remarks>
internal static unsafe class LimitKeeper<TMachine>
    where TMachine : struct, IMachine
{
    private const long ShareOfLimit = 64;

    /// <summary>Where a limit cannot be kept, because what is there is pinned, nobody tries again before such a part of it was put.</summary>
    private const long ShareOfPatience = 4;

    /// <summary>Turns over the index until the limit is kept, and buckets for one item before that is left to who sums up next.</summary>
    private const ulong MaxTurns = 3;
    private const ulong MaxBuckets = 128;

    /// <summary>After an item was put into a cache.</summary>
    internal static void Keep(Attachment* heap, CacheTable* table, ItemShape put, ulong now, ulong* grip)
    {
        long limit = (long)table->LimitBytes;
        if (limit <= 0)
        {
            return;
        }

        long itemBytes = CacheCounts<TMachine>.BytesOf(heap, put);
        Shard* shard = ShortWay<TMachine>.ShardOf(heap);
        ref long unseen = ref shard->CacheUnseen[table->Number];
        ref long grown = ref shard->CacheGrown[table->Number];

        // The first time at once: a process may be gone before it has set much, and be one of many.
        bool isDue = unseen == 0 || unseen + itemBytes >= limit / ShareOfLimit;
        unseen = isDue ? 1 : unseen + itemBytes;
        if (isDue)
        {
            bool isKept = TryKeep(heap, table, limit, new Moment(now, put), grip, out long room);
            shard->CacheIsNearLimit[table->Number] = isKept && room < limit / ShareOfLimit ? 1u : 0;
            grown = 0;

            // What is left is pinned: there is no use in looking again before much more was set.
            unseen = isKept ? unseen : -limit / ShareOfPatience;
        }
        else if (shard->CacheIsNearLimit[table->Number] != 0 && grown > 0)
        {
            LimitHand<TMachine>.TryFree(heap, table, new Moment(now, put), grown, MaxBuckets, spares: true, grip);
        }
    }

    /// <summary>Drops until the cache is within its limit.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="table">The cache.</param>
    /// <param name="limit">Its limit.</param>
    /// <param name="now">A time before this call.</param>
    /// <param name="grip">The cell to hold victims with.</param>
    /// <param name="room">What is left up to the limit.</param>
    private static bool TryKeep(Attachment* heap, CacheTable* table, long limit, Moment now, ulong* grip, out long room)
    {
        CacheRecount<TMachine>.RunIfNeeded(heap, table);
        for (ulong turn = 0; ; turn++)
        {
            // Deeper in the stack another shard may have counted.
            CacheCounts<TMachine>.FlushAll(heap, table);
            room = limit - CacheCounts<TMachine>.Sum(heap, table, CacheCounter.Bytes);
            if (room >= 0 || turn == MaxTurns)
            {
                return room >= 0;
            }

            // Before the limit is not kept, all goes that can go.
            LimitHand<TMachine>.TryFree(heap, table, now, -room, table->BucketCount, spares: turn < MaxTurns - 1, grip);
        }
    }
}
