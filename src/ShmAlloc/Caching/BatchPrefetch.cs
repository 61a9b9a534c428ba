using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>
/// Fetches what the next calls are going to look at, of many keys at once: their waits for memory overlap. First all buckets, then all items to which they
/// lead.
/// </summary>
/// <remarks>Nothing that is read here decides anything: each call that follows begins from scratch, and is as if it were made alone.</remarks>
internal static unsafe class BatchPrefetch<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>
    /// Keys of one batch. More of them would wait for one another no better: a processor has some tens of fetches under way at most; and their lines have to
    /// stay in the first-level cache until their turn comes.
    /// </summary>
    internal const int Keys = 32;

    /// <summary>Of what is to be read: with the lines of an item of average size.</summary>
    internal static void ForReading(Attachment* heap, CacheTable* table, ulong* hashes, int count)
    {
        FetchBuckets(table, hashes, count);
        for (int number = 0; number < count; number++)
        {
            BucketPair buckets = table->FindBuckets(hashes[number]);
            for (uint matches = buckets.Match<TMachine>(EntryWord.TagOf(hashes[number])); matches != 0;)
            {
                EntryWord entry = new(TMachine.Peek(buckets.AddressOf(BucketPair.Next(ref matches))));
                byte* item = (byte*)ItemAccess<TMachine>.At(heap, entry.Unit);
                TMachine.Prefetch(item);
                TMachine.Prefetch(item + TableLayout.Line);
                TMachine.Prefetch(item + (2 * TableLayout.Line));
            }
        }
    }

    /// <summary>Of what is to be set: with the items that are replaced, and the bitmap words in which they are retired.</summary>
    internal static void ForWriting(Attachment* heap, CacheTable* table, ulong* hashes, int count)
    {
        FetchBuckets(table, hashes, count);
        for (int number = 0; number < count; number++)
        {
            CacheSearch<TMachine>.Prefetch(heap, table, hashes[number]);
        }
    }

    private static void FetchBuckets(CacheTable* table, ulong* hashes, int count)
    {
        for (int number = 0; number < count; number++)
        {
            table->FindBuckets(hashes[number]).Prefetch<TMachine>();
        }
    }
}
