using System.Runtime.CompilerServices;
using ShmAlloc.Allocation;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>What is counted for each cache and participant slot. The first two go down, too.</summary>
internal enum CacheCounter
{
    Entries,
    Bytes,
    Hits,
    Misses,
    Sets,
    Removals,

    /// <summary>Items that were dropped because the heap was full.</summary>
    EvictionsForRoom,

    /// <summary>Items that were dropped because the cache had reached its limit.</summary>
    EvictionsForLimit,

    /// <summary>Items that were dropped because both buckets of another key were full.</summary>
    EvictionsForEntry,

    /// <summary>Items that were dropped after their time, or after a tag was removed.</summary>
    Expirations,

    /// <summary>Flights that have ended without a value.</summary>
    FailedFlights,
}

/// <summary>
/// Counters: kept in private memory by each shard, and added to the participant's own lines of the table now and then. Nothing depends on them but the
/// statistics and a limit in bytes; what a process did not add before it was killed is lost, and entries and bytes are counted anew by who recovers it.
/// </summary>
/// <remarks>
/// No thread does that for a process that is idle, so what it owes is bounded when it counts. A shard adds what it has counted
/// <list type="bullet">
/// <item>when its bytes have moved by a share of the limit, up or down;</item>
/// <item>when half a second has passed: whenever an item comes or goes it asks the coarse clock, of other things every 32 of them;</item>
/// <item>after 1 change, after 2 more, after 4 more, and so on up to 256, where that time has passed: a process that ends soon has told half of it.</item>
/// </list>
/// </remarks>
internal static unsafe class CacheCounts<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Changes that a shard keeps to itself at most, and bytes as a share of the limit.</summary>
    private const uint MostPending = 256;
    private const ulong ShareOfLimit = 64;

    /// <summary>Twice as long pass at most, because the number of changes that is waited for doubles.</summary>
    private const ulong TellMilliseconds = 500;

    /// <summary>Changes after which the clock is asked.</summary>
    private const uint LookEvery = 32;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Add(Attachment* heap, CacheTable* table, CacheCounter counter, long change)
    {
        Shard* shard = ShortWay<TMachine>.ShardOf(heap);
        if (change != 0)
        {
            shard->CacheCounts[(table->Number * TableLayout.CounterWords) + (uint)counter] += change;
        }

        if (++shard->CachePending[table->Number] >= shard->CacheLook[table->Number])
        {
            Look(heap, table, shard);
        }
    }

    /// <summary>Counts items that were linked, or unlinked. A limit depends on it, so threads that share a shard lose none.</summary>
    internal static void AddItems(Attachment* heap, CacheTable* table, int items, long bytes)
    {
        Shard* shard = ShortWay<TMachine>.ShardOf(heap);
        long* mine = shard->CacheCounts + (table->Number * TableLayout.CounterWords);
        if (items != 0)
        {
            Interlocked.Add(ref mine[(int)CacheCounter.Entries], items);
        }

        long moved = bytes == 0 ? 0 : Interlocked.Add(ref mine[(int)CacheCounter.Bytes], bytes);
        ulong owed = (ulong)(moved < 0 ? -moved : moved);
        shard->CacheGrown[table->Number] += bytes;
        shard->CachePending[table->Number]++;
        if (table->LimitBytes != 0 && owed >= table->LimitBytes / ShareOfLimit)
        {
            Flush(heap, table, shard);
        }
        else
        {
            Look(heap, table, shard);
        }
    }

    /// <summary>Counts what was taken out of the index when it was no value any more, unless somebody was only working one out.</summary>
    internal static void AddExpired(Attachment* heap, CacheTable* table, ItemShape shape)
    {
        if (!shape.Is(ItemShape.Placeholder))
        {
            Add(heap, table, CacheCounter.Expirations, 1);
        }
    }

    /// <summary>Adds what a shard has counted to the table, if that is due.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Look(Attachment* heap, CacheTable* table, Shard* shard)
    {
        uint number = table->Number;
        uint pending = shard->CachePending[number];
        ulong now = TMachine.TickMilliseconds();
        bool isLate = now - shard->CacheTold[number] >= TellMilliseconds;

        // Without a clock there is no telling how fast the changes come.
        uint quota = now == 0 ? MostPending : Math.Max(1, shard->CacheQuota[number]);
        if (isLate || pending >= quota)
        {
            shard->CacheTold[number] = now;
            quota = isLate ? 1 : Math.Min(2 * quota, MostPending);
            shard->CacheQuota[number] = quota;
            Flush(heap, table, shard);
            pending = 0;
        }

        shard->CacheLook[number] = Math.Min(pending + LookEvery, quota);
    }

    /// <summary>Adds what a shard has counted to the table.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void Flush(Attachment* heap, CacheTable* table, Shard* shard)
    {
        // Before the counts are read: what is counted later pends.
        Interlocked.Exchange(ref shard->CachePending[table->Number], 0);
        if (heap->ReadOnly || heap->Slot < 0)
        {
            return;
        }

        ulong* shared = table->Counters + ((uint)heap->Slot * TableLayout.CounterWords);
        long* mine = shard->CacheCounts + (table->Number * TableLayout.CounterWords);
        for (int counter = 0; counter <= (int)CacheCounter.FailedFlights; counter++)
        {
            // Threads that share a shard, or flush each other's, may lose a hit or a miss or count it twice, but no item.
            long change = mine[counter] == 0 ? 0 : Interlocked.Exchange(ref mine[counter], 0);
            if (change != 0)
            {
                AddShared(shared + counter, change);
                Interlocked.Add(ref heap->Told[(table->Number * TableLayout.CounterWords) + (uint)counter], change);
            }
        }
    }

    /// <summary>Adds what all shards of this process have counted.</summary>
    internal static void FlushAll(Attachment* heap, CacheTable* table, bool isLast = false)
    {
        for (uint index = 0; index <= heap->ShardMask; index++)
        {
            if (isLast || heap->Shards[index].CachePending[table->Number] != 0)
            {
                Flush(heap, table, heap->Shards + index);
            }
        }
    }

    /// <summary>The same for all caches of the heap: before the slot is given up.</summary>
    internal static void FlushAll(Attachment* heap)
    {
        for (uint number = 0; number < HeaderLayout.Caches; number++)
        {
            CacheTable* table = (CacheTable*)&heap->Tables + number;
            if (Volatile.Read(ref table->Offset) != 0)
            {
                FlushAll(heap, table, isLast: true);
            }
        }
    }

    /// <summary>The sum of a counter over all participants, as far as they have told.</summary>
    internal static long Sum(Attachment* heap, CacheTable* table, CacheCounter counter)
    {
        long sum = 0;
        for (int slot = 0; slot < (int)heap->Geometry.Slots; slot++)
        {
            sum += OfSlot(heap, table, slot, counter);
        }

        return sum;
    }

    /// <summary>What those who had a slot have added to a counter.</summary>
    internal static long OfSlot(Attachment* heap, CacheTable* table, int slot, CacheCounter counter) =>
        (long)TMachine.Read(table->Counters + ((uint)slot * TableLayout.CounterWords) + (uint)counter);

    /// <summary>What this attachment has added to a counter.</summary>
    internal static long Told(Attachment* heap, CacheTable* table, CacheCounter counter) =>
        Volatile.Read(ref heap->Told[(table->Number * TableLayout.CounterWords) + (uint)counter]);

    /// <summary>What an item takes of the heap: units, or whole blocks.</summary>
    internal static long BytesOf(Attachment* heap, ItemShape shape)
    {
        ulong bytes = shape.TotalBytes;
        ulong mask = Heap<TMachine>.RunBlocksFor(heap, bytes) == 0 ? heap->Geometry.UnitMask : heap->Geometry.BlockBytes - 1;
        return (long)((bytes + mask) & ~mask);
    }

    /// <summary>Adds to a counter of our own slot, on which only threads of this process work.</summary>
    internal static void AddShared(ulong* counter, long change)
    {
        while (true)
        {
            ulong was = TMachine.Read(counter);
            if (TMachine.CompareExchange(counter, was + (ulong)change, was) == was)
            {
                return;
            }
        }
    }
}
