using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>
/// In which order the blocks of a heap were swept, so that those come first whose new items have waited longest: a ring of block numbers, and a word for each
/// block that says which of its places in the ring is the last one. Kept beside the index of the heap's first cache, for all of them.
/// </summary>
/// <remarks>
/// Hints: places may be lost, doubled or stale, by races, deaths or damage. A block that has no place gets one when the main hand comes by; a place that the
/// block's word does not confirm is passed over; numbers are checked before they are used.
/// </remarks>
internal static unsafe class SweepOrder<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Stale places that are passed over at a time.</summary>
    private const int MostStale = 64;

    private const int MostTries = 4;

    /// <summary>What is known of a block.</summary>
    internal static SweepWord Read(Attachment* heap, ulong block)
    {
        ulong* words = WordsOf(heap);
        return new(words == null || block >= heap->Geometry.MaximumBlocks ? 0 : TMachine.Read(words + block));
    }

    /// <summary>A block was swept: it comes last now.</summary>
    internal static void Append(Attachment* heap, ulong block, uint since)
    {
        ulong* words = WordsOf(heap);
        ulong* end = &heap->Header->SweepsEnd;
        for (int tries = 0; words != null && block < heap->Geometry.MaximumBlocks && tries < MostTries; tries++)
        {
            ulong turn = TMachine.Read(end);
            if (TMachine.CompareExchange(end, turn + 1, turn) == turn)
            {
                TMachine.Write(PlaceOf(heap, words, turn), block);
                TMachine.Write(words + block, new SweepWord((uint)turn, since).Bits);
                return;
            }
        }
    }

    /// <summary>Takes the block that comes first, if the probation of what is new in it is over.</summary>
    internal static bool TryTakeOver(Attachment* heap, out ulong block)
    {
        ulong* words = WordsOf(heap);
        ulong* begin = &heap->Header->SweepsBegin;
        block = 0;
        for (int tries = 0; words != null && tries < MostStale; tries++)
        {
            ulong turn = TMachine.Read(begin);
            ulong end = TMachine.Read(&heap->Header->SweepsEnd);
            if (end - turn > 2 * heap->Geometry.MaximumBlocks)
            {
                // What was overwritten, or nonsense.
                TMachine.CompareExchange(begin, end - Math.Min(end, 2 * heap->Geometry.MaximumBlocks), turn);
                continue;
            }

            if (turn == end)
            {
                return false;
            }

            block = TMachine.Read(PlaceOf(heap, words, turn));
            SweepWord word = block < heap->Blocks ? new(TMachine.Read(words + block)) : default;
            bool isStale = word.IsNever || word.Turn != (uint)turn;
            if (!isStale && !Probation<TMachine>.IsOver(heap, word.Since))
            {
                return false;
            }

            if (TMachine.CompareExchange(begin, turn + 1, turn) == turn && !isStale)
            {
                return true;
            }
        }

        return false;
    }

    private static ulong* WordsOf(Attachment* heap)
    {
        CacheTable* first = Directory<TMachine>.Find(heap, 0);
        return first == null ? null : first->Sweeps;
    }

    private static ulong* PlaceOf(Attachment* heap, ulong* words, ulong turn) =>
        words + heap->Geometry.MaximumBlocks + (turn % (2 * heap->Geometry.MaximumBlocks));
}
