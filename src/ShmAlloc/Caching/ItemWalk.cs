using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>
/// Goes over the allocations of an open block, as they were when the walk began, and fetches ahead what the caller will look at: the headers of items, and
/// then the buckets of their keys. Without that, a hand waits for memory three times for each item.
/// </summary>
internal unsafe struct ItemWalk
{
    /// <summary>More than are fetched ahead; a power of two.</summary>
    internal const int Window = 16;

    internal BlockWalk Blocks;
    internal WordsOfBlock Words;
    internal ulong FirstUnit;

    /// <summary>Places that were found, and how far the walk has come with them.</summary>
    internal int Found;
    internal int Turn;
    internal fixed ulong Ring[Window];
}

/// <inheritdoc cref="ItemWalk"/>
internal static unsafe class ItemWalk<TMachine>
    where TMachine : struct, IMachine
{
    private const int Window = ItemWalk.Window;

    /// <summary>Items that are fetched ahead of the one that is looked at: their headers, and then the buckets of their keys.</summary>
    private const int HeadersAhead = 12;
    private const int BucketsAhead = 6;

    internal static void Begin(Attachment* heap, ulong block, ItemWalk* walk)
    {
        ulong* words = (ulong*)&walk->Words;
        int count = (int)heap->Geometry.WordsPerBlock;
        TMachine.ReadMany(heap->FirstWordOf(block), words, count);
        walk->Blocks = new(words, count);
        walk->FirstUnit = heap->FirstUnitOf(block);
        walk->Found = 0;
        walk->Turn = 0;
    }

    internal static bool TryNext(Attachment* heap, ItemWalk* walk, out BlockPlace place)
    {
        for (; walk->Turn < walk->Found + HeadersAhead; walk->Turn++)
        {
            if (walk->Turn == walk->Found && BlockWalk.TryNext(&walk->Blocks, out BlockPlace next))
            {
                if (next.IsPublished)
                {
                    TMachine.Prefetch((byte*)ItemAccess<TMachine>.At(heap, walk->FirstUnit + next.First));
                }

                walk->Ring[walk->Found++ % Window] = next.Packed;
            }

            if (walk->Turn >= BucketsAhead && walk->Turn - BucketsAhead < walk->Found)
            {
                PrefetchBuckets(heap, walk, BlockPlace.Unpack(walk->Ring[(walk->Turn - BucketsAhead) % Window]));
            }

            if (walk->Turn >= HeadersAhead)
            {
                place = BlockPlace.Unpack(walk->Ring[(walk->Turn++ - HeadersAhead) % Window]);
                return true;
            }
        }

        place = default;
        return false;
    }

    private static void PrefetchBuckets(Attachment* heap, ItemWalk* walk, BlockPlace place)
    {
        ulong unit = walk->FirstUnit + place.First;
        if (!place.IsPublished || !ItemAccess<TMachine>.IsInside(heap, unit))
        {
            return;
        }

        ItemHeader* item = ItemAccess<TMachine>.At(heap, unit);
        ItemShape shape = ItemAccess<TMachine>.Shape(item);

        // Of what looks pinned nobody looks for the entry, mostly.
        CacheTable* table = shape.IsKnown && (!shape.Is(ItemShape.Pinned) || shape.Tags != 0) ? Directory<TMachine>.Find(heap, shape.Cache) : null;
        if (table != null)
        {
            table->FindBuckets(ItemAccess<TMachine>.Hash(item)).Prefetch<TMachine>();
        }
    }
}
