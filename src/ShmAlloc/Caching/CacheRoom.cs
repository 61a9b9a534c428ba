using ShmAlloc.Allocation;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>Room for an item: what is free; then, as long as the heap may grow, a search of all of it and growth; then what the hand drops.</summary>
internal static unsafe class CacheRoom<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Steps of the hand for one item, as a multiple of the blocks: the first round may only find that everything is in use.</summary>
    private const ulong MostRounds = 3;

    /// <summary>A shard looks whether the limit is kept, and tells the others what it has put into a cache, when that is such a part of the limit.</summary>
    private const long ShareOfLimit = 64;

    /// <summary>Begins an item, and makes room for it if there is none.</summary>
    internal static ShmStatus TryBegin(
        Attachment* heap, CacheTable* table, in CacheKey key, uint valueBytes, in ItemOptions options, int cell, ulong now, ulong* grip, out NewItem item)
    {
        ShmStatus status = NewItems<TMachine>.TryBegin(heap, table, key, valueBytes, options, cell, quickly: true, out item);
        if (status != ShmStatus.OutOfMemory)
        {
            return status;
        }

        bool isKnownFull = heap->FullBlocks == heap->Blocks;
        if (!isKnownFull)
        {
            status = NewItems<TMachine>.TryBegin(heap, table, key, valueBytes, options, cell, quickly: false, out item);
            if (status is not (ShmStatus.OutOfMemory or ShmStatus.FileSystemFull or ShmStatus.Contended))
            {
                return status;
            }

            heap->FullBlocks = heap->Blocks;
        }

        ulong runBlocks = Heap<TMachine>.RunBlocksFor(heap, item.Shape.TotalBytes);
        if (runBlocks > 1)
        {
            TryEmptyBlocks(heap, runBlocks, now, grip);
        }

        for (ulong step = 0; step < heap->Blocks * MostRounds; step++)
        {
            bool isRuthless = step >= heap->Blocks * (MostRounds - 1);
            bool isAny = CacheHand<TMachine>.TryStep(heap, new(-1, CacheCounter.EvictionsForRoom, now, isRuthless), grip);
            status = NewItems<TMachine>.TryBegin(heap, table, key, valueBytes, options, cell, quickly: true, out item);
            if (status != ShmStatus.OutOfMemory || !isAny)
            {
                break;
            }
        }

        if (status == ShmStatus.OutOfMemory)
        {
            // The hints may have missed something: believe none of them.
            TryEmptyBlocks(heap, Math.Max(1, runBlocks), now, grip);
            status = NewItems<TMachine>.TryBegin(heap, table, key, valueBytes, options, cell, quickly: false, out item);
        }

        return status;
    }

    /// <summary>After an item was put into a cache that has a limit: drops others until it holds no more.</summary>
    internal static void KeepLimit(Attachment* heap, CacheTable* table, long itemBytes, ulong now, ulong* grip)
    {
        long limit = (long)TMachine.Read(&table->Layout->LimitBytes);
        if (limit <= 0)
        {
            return;
        }

        Shard* shard = ShortWay<TMachine>.ShardOf(heap);
        shard->CacheUnseen[table->Number] += itemBytes;
        if (shard->CacheUnseen[table->Number] < limit / ShareOfLimit)
        {
            return;
        }

        shard->CacheUnseen[table->Number] = 0;
        CacheCounts<TMachine>.Flush(heap, table, shard);
        for (ulong step = 0; step < heap->Blocks * MostRounds; step++)
        {
            if (CacheCounts<TMachine>.Sum(heap, table, CacheCounter.Bytes) <= limit)
            {
                return;
            }

            CacheRecount<TMachine>.RunIfNeeded(heap, table);
            bool isRuthless = step >= heap->Blocks * (MostRounds - 1);
            if (!CacheHand<TMachine>.TryStep(heap, new((int)table->Number, CacheCounter.EvictionsForLimit, now, isRuthless), grip))
            {
                return;
            }

            CacheCounts<TMachine>.Flush(heap, table, shard);
        }
    }

    /// <summary>Empties so many blocks in a row, whatever is in them, if nothing but items of caches is.</summary>
    private static void TryEmptyBlocks(Attachment* heap, ulong length, ulong now, ulong* grip)
    {
        ulong head = TMachine.Read(&heap->Header->Hand) % heap->Blocks;
        ulong inRow = 0;
        CacheHand<TMachine>.Errand errand = new(-1, CacheCounter.EvictionsForRoom, now, Ruthless: true);
        for (ulong step = 0; step < heap->Blocks + length && inRow < length; step++)
        {
            ulong block = (head + step) % heap->Blocks;
            inRow = block == 0 ? 0 : inRow;
            inRow = CacheHand<TMachine>.TryEmpty(heap, block, errand, grip) ? inRow + 1 : 0;
        }
    }
}
