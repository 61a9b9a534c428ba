using System.Runtime.CompilerServices;
using ShmAlloc.Allocation;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>Whether a heap has any place for an item once what may go is gone, by the rule by which places are cleared: see CacheClearing.</summary>
internal static unsafe class PlaceSearch<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>
    /// Whether there is any place for a request that could be cleared, of what nobody works on: in a block, or by dropping an item that fills blocks of its
    /// own. If not, whatever the hands drop is dropped in vain.
    /// </summary>
    /// <remarks>
    /// It ends with the first place that it finds, and begins with the block where the last search of this process has found one: so it looks at one block,
    /// mostly, however many there are in which something is in the way. Nothing is dropped.
    /// </remarks>
    internal static bool IsAnyPlace(Attachment* heap, in Request request, Moment now)
    {
        ulong begin = Math.Min(Volatile.Read(ref heap->PlaceBlock) + 1, heap->Blocks);
        for (ulong end = begin; Hints<TMachine>.TryFindLast(heap, Hints<TMachine>.CachePlane, end, out ulong block); end = block)
        {
            if (IsAnyPlaceIn(heap, block, request, now))
            {
                return true;
            }
        }

        for (ulong end = heap->Blocks; Hints<TMachine>.TryFindLast(heap, Hints<TMachine>.CachePlane, end, out ulong block) && block >= begin; end = block)
        {
            if (IsAnyPlaceIn(heap, block, request, now))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsAnyPlaceIn(Attachment* heap, ulong block, in Request request, Moment now)
    {
        bool isAny = CanMakePlaceIn(heap, block, request, now);
        if (isAny)
        {
            Volatile.Write(ref heap->PlaceBlock, block);
        }

        return isAny;
    }

    private static bool CanMakePlaceIn(Attachment* heap, ulong block, in Request request, Moment now)
    {
        if (!Blocks<TMachine>.Read(heap, block).IsOpen)
        {
            Meeting meeting = default;
            ulong looks = 0;
            return CacheClearing<TMachine>.PriceOf(heap, block, now, takesWork: false, ref meeting, ref looks, out ulong span) < CachePrice<TMachine>.Obstacle
                && !LeaseScan<TMachine>.IsAnyLeased(heap, block, block + span);
        }

        if (IsAnyPlaceBetween(heap, block, request, now, out bool mayBeGarbage))
        {
            return true;
        }

        if (mayBeGarbage)
        {
            CacheHand<TMachine>.FreeGarbage(heap, block, close: false);
            mayBeGarbage = IsAnyPlaceBetween(heap, block, request, now, out _);
        }

        return mayBeGarbage;
    }

    /// <summary>Whether the request has room in an open block between two allocations that cannot go.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool IsAnyPlaceBetween(Attachment* heap, ulong block, in Request request, Moment now, out bool mayBeGarbage)
    {
        bool isAnyLeased = LeaseScan<TMachine>.IsAnyLeased(heap, block, block + 1);
        ItemWalk walkOfBlock;
        ItemWalk* walk = &walkOfBlock;
        ItemWalk<TMachine>.Begin(heap, block, walk);
        uint after = 0;
        mayBeGarbage = false;
        while (ItemWalk<TMachine>.TryNext(heap, walk, out BlockPlace place))
        {
            if (request.TryPlace(after, place.First, out _))
            {
                return true;
            }

            if (CacheClearing<TMachine>.PriceOfPlace(heap, block, place, place.Units, now, takesWork: false, isAnyLeased) >= CachePrice<TMachine>.Obstacle)
            {
                mayBeGarbage |= !place.IsPublished;
                after = place.After;
            }
        }

        return request.TryPlace(after, heap->Geometry.UnitsPerBlock, out _);
    }
}
