using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>Reads what one entry of the index leads to, whatever its key is: for walks over a whole cache.</summary>
internal static unsafe class EntryReader<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Copies the key of an entry's item, as <see cref="CacheReader{TMachine}"/> copies values.</summary>
    /// <returns><see cref="CacheStatus.Ok"/>; <see cref="CacheStatus.Missing"/>: empty; <see cref="CacheStatus.Contended"/>: changed.</returns>
    internal static CacheStatus TryRead(
        Attachment* heap, CacheTable* table, ulong bucket, int index, byte* key, ulong capacity, out ItemFacts facts)
    {
        facts = default;
        ulong* address = table->Buckets + (bucket * TableLayout.BucketWords) + (uint)index;
        EntryWord entry = new(TMachine.Read(address));
        if (entry.IsEmpty)
        {
            return CacheStatus.Missing;
        }

        if (ItemAccess<TMachine>.IsInside(heap, entry.Unit))
        {
            ItemHeader* item = ItemAccess<TMachine>.At(heap, entry.Unit);
            facts.Unit = entry.Unit;
            facts.Stamp = ItemAccess<TMachine>.Stamp(item);
            facts.Shape = ItemAccess<TMachine>.Shape(item);
            facts.Deadline = ItemAccess<TMachine>.Deadline(item);
            if (ItemAccess<TMachine>.Fits(heap, entry.Unit, facts.Shape.TotalBytes) && (ulong)facts.Shape.KeyBytes <= capacity)
            {
                facts.IsTagRemoved = ItemAccess<TMachine>.IsTagRemoved(table, item, facts.Shape);
                TMachine.CopyOut((byte*)item + facts.Shape.KeyBegins, key, (ulong)facts.Shape.KeyBytes);
                if (TMachine.Read(address) == entry.Bits && ItemAccess<TMachine>.Stamp(item) == facts.Stamp)
                {
                    return CacheStatus.Ok;
                }
            }
        }

        return CacheStatus.Contended;
    }
}
