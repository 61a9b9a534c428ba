using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>
/// The hand of a cache that has a limit in bytes. It walks over the buckets of the cache's own index, so that what it costs to keep the limit goes with the
/// cache, and not with the heap in which its items lie scattered. It drops what nobody has asked for lately, and makes cold what was used.
/// </summary>
/// <remarks>
/// Source: CLOCK, as of the main hand (see CacheHand). Processes share the position, a hint: each takes other buckets, and if two take the same, they look
/// at them twice. A hash says in which bucket an entry lies, so a new entry has half a turn on average until the hand comes by, and no two caches crowd.
/// </remarks>
internal static unsafe class LimitHand<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Buckets that are taken at a time, and fetched at once.</summary>
    private const ulong Stride = 4;

    /// <summary>Entries that are looked at before one goes that is in use.</summary>
    private const int MaxPatience = 128;

    /// <summary>Drops entries of a cache until so many bytes are free, or so many buckets were looked at.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="table">The cache.</param>
    /// <param name="now">A time before this call.</param>
    /// <param name="bytes">How much is to be free.</param>
    /// <param name="maxBuckets">How many buckets are looked at.</param>
    /// <param name="spares">Whether the hand has patience with what is in use, and with what somebody works on; else all goes that is not pinned.</param>
    /// <param name="grip">The cell to hold victims with.</param>
    /// <returns>Whether so many are.</returns>
    internal static bool TryFree(Attachment* heap, CacheTable* table, Moment now, long bytes, ulong maxBuckets, bool spares, ulong* grip)
    {
        Errand errandForLimit;
        Errand* errand = &errandForLimit;
        Errand.BeginForRoom(errand, now, Errand.Unused);
        errand->Only = (int)table->Number;
        errand->Reason = CacheCounter.EvictionsForLimit;
        errand->Lowers = true;
        Probation<TMachine>.Begin(heap, &errand->Evictions);
        for (ulong seen = 0; seen < maxBuckets && errand->Freed < bytes; seen += Stride)
        {
            ulong first = Take(table);
            for (ulong bucket = first; bucket < Math.Min(first + Stride, table->BucketCount) && errand->Freed < bytes; bucket++)
            {
                Visit(heap, table->Buckets + (bucket * TableLayout.BucketWords), errand, bytes, spares, grip);
            }
        }

        Probation<TMachine>.End(heap, &errand->Evictions);
        return errand->Freed >= bytes;
    }

    private static ulong Take(CacheTable* table)
    {
        ulong* hand = &table->Layout->LimitHand;
        ulong at = TMachine.Read(hand);
        ulong first = at < table->BucketCount ? at : 0;

        // Who loses looks at the same buckets once more: harmless.
        TMachine.CompareExchange(hand, first + Stride, at);
        return first;
    }

    private static void Visit(Attachment* heap, ulong* bucket, Errand* errand, long bytes, bool spares, ulong* grip)
    {
        for (int index = 0; index < TableLayout.EntriesOfBucket; index++)
        {
            EntryWord entry = new(TMachine.Read(bucket + index));
            if (!entry.IsEmpty && ItemAccess<TMachine>.IsInside(heap, entry.Unit))
            {
                TMachine.Prefetch((byte*)ItemAccess<TMachine>.At(heap, entry.Unit));
            }
        }

        for (int index = 0; index < TableLayout.EntriesOfBucket && errand->Freed < bytes; index++)
        {
            EntryWord entry = new(TMachine.Read(bucket + index));
            if (!entry.IsEmpty)
            {
                long freed = errand->Freed;
                errand->Drops = spares && errand->Seen < MaxPatience ? Errand.Unused : Errand.Everything;
                errand->TakesWork = !spares || errand->Seen >= 2 * MaxPatience;
                CacheHand<TMachine>.Visit(heap, entry.Unit, errand, grip);
                if (errand->Freed != freed)
                {
                    // At once: where the heap is full, a search for garbage that lies scattered takes longer.
                    CacheHand<TMachine>.FreeGarbage(heap, heap->BlockOf(entry.Unit), close: true);
                }
            }
        }
    }
}
