using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>
/// Counts entries and bytes anew after somebody died, who may not have told what it did. What others do meanwhile may be counted twice or not at all, so
/// the result is about right until the next time.
/// </summary>
internal static unsafe class CacheRecount<TMachine>
    where TMachine : struct, IMachine
{
    internal static void RunIfNeeded(Attachment* heap, CacheTable* table)
    {
        ulong* flag = &table->Layout->NeedsRecount;
        ulong needed = TMachine.Read(flag);
        if (needed == 0 || heap->Slot < 0 || TMachine.CompareExchange(flag, 0, needed) != needed)
        {
            return;
        }

        long entries = 0;
        long bytes = 0;
        for (ulong bucket = 0; bucket < table->BucketCount; bucket++)
        {
            for (int index = 0; index < TableLayout.EntriesOfBucket; index++)
            {
                EntryWord entry = new(TMachine.Read(table->Buckets + (bucket * TableLayout.BucketWords) + (uint)index));
                if (entry.IsEmpty || !ItemAccess<TMachine>.IsInside(heap, entry.Unit))
                {
                    if (!entry.IsEmpty && !ItemAccess<TMachine>.IsOutside(heap, entry.Unit))
                    {
                        // Left to a process that sees all of the heap.
                        TMachine.Write(flag, needed);
                        return;
                    }

                    continue;
                }

                ItemShape shape = ItemAccess<TMachine>.Shape(ItemAccess<TMachine>.At(heap, entry.Unit));
                entries++;
                bytes += ItemAccess<TMachine>.Fits(heap, entry.Unit, shape.TotalBytes) ? CacheCounts<TMachine>.BytesOf(heap, shape) : 0;
            }
        }

        Correct(heap, table, CacheCounter.Entries, entries);
        Correct(heap, table, CacheCounter.Bytes, bytes);
    }

    private static void Correct(Attachment* heap, CacheTable* table, CacheCounter counter, long counted) => CacheCounts<TMachine>.AddShared(
        table->Counters + ((uint)heap->Slot * TableLayout.CounterWords) + (uint)counter,
        counted - CacheCounts<TMachine>.Sum(heap, table, counter));
}
