using System.Numerics;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Allocation;

/// <summary>
/// Bitmaps with a bit for each block, shared by all, that lead a search to blocks worth looking at. Plane k: the longest free run is thought to be
/// 2^k to 2^(k+1) − 1 units. Two levels: a bit in the summary says that a word of 64 blocks is not zero.
/// </summary>
/// <remarks>
/// Hints only: a bit may be wrong or missing (who sets it may be killed before the summary is set), which costs time and never memory, because a full
/// search of the words themselves comes before "out of memory". Who frees: frees, then sets the bit if it is not set. Who found nothing: clears
/// the bit,
/// then looks once more.
/// </remarks>
internal static unsafe class Hints<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Blocks thought to be free.</summary>
    internal const int FreePlane = Geometry.FreePlane;

    /// <summary>Blocks thought to hold garbage, or to be the head of a retired run.</summary>
    internal const int GarbagePlane = 14;

    /// <summary>Blocks thought to hold items of caches.</summary>
    internal const int CachePlane = 15;

    private const int GroupShift = 6;
    private const ulong GroupMask = 63;

    internal static void Set(Attachment* heap, int plane, ulong block)
    {
        ulong* group = Group(heap, plane, block >> GroupShift);
        ulong bit = 1UL << (int)(block & GroupMask);
        if ((TMachine.Read(group) & bit) == 0)
        {
            TMachine.Or(group, bit);
            SetSummary(heap, plane, block >> GroupShift);
        }
    }

    /// <summary>What one plane says of a block.</summary>
    internal static bool IsSet(Attachment* heap, int plane, ulong block) =>
        (TMachine.Read(Group(heap, plane, block >> GroupShift)) >> (int)(block & GroupMask) & 1) != 0;

    internal static void Clear(Attachment* heap, int plane, ulong block)
    {
        ulong index = block >> GroupShift;
        ulong* group = Group(heap, plane, index);
        ulong bit = 1UL << (int)(block & GroupMask);
        if ((TMachine.Read(group) & bit) == 0)
        {
            return;
        }

        TMachine.And(group, ~bit);
        if (TMachine.Read(group) == 0)
        {
            TMachine.And(Summary(heap, plane, index), ~(1UL << (int)(index & GroupMask)));
            if (TMachine.Read(group) != 0)
            {
                SetSummary(heap, plane, index);
            }
        }
    }

    /// <summary>Finds the first block at or after <paramref name="start"/> whose bit is set, without going round.</summary>
    internal static bool TryFind(Attachment* heap, int plane, ulong start, out ulong block)
    {
        ulong groups = Geometry.Groups(heap->Blocks);
        ulong skip = start & GroupMask;
        for (ulong index = start >> GroupShift; index < groups;)
        {
            ulong bits = TMachine.Read(Group(heap, plane, index)) >> (int)skip << (int)skip;
            if (bits != 0)
            {
                block = (index << GroupShift) + (uint)BitOperations.TrailingZeroCount(bits);
                return block < heap->Blocks;
            }

            skip = 0;
            if (!TryNextGroup(heap, plane, index + 1, groups, out index))
            {
                break;
            }
        }

        block = 0;
        return false;
    }

    /// <summary>Finds the last block below <paramref name="limit"/> whose bit is set.</summary>
    internal static bool TryFindLast(Attachment* heap, int plane, ulong limit, out ulong block)
    {
        ulong groups = Geometry.Groups(limit);
        while (groups-- > 0)
        {
            // Whole words of the summary that are zero are stepped over.
            ulong summary = TMachine.Read(Summary(heap, plane, groups)) << (int)(GroupMask - (groups & GroupMask));
            if (summary == 0)
            {
                groups &= ~GroupMask;
                continue;
            }

            groups -= (uint)BitOperations.LeadingZeroCount(summary);
            ulong bits = TMachine.Read(Group(heap, plane, groups));
            ulong room = limit - (groups << GroupShift);
            bits = room >= 64 ? bits : bits & ((1UL << (int)room) - 1);
            if (bits != 0)
            {
                block = (groups << GroupShift) + (GroupMask - (uint)BitOperations.LeadingZeroCount(bits));
                return true;
            }
        }

        block = 0;
        return false;
    }

    /// <summary>Whether no block is thought to be free, of those that share a word of the summary with a block: 4096 of them.</summary>
    internal static bool HasNoFreeBlockNear(Attachment* heap, ulong block) =>
        TMachine.Read(heap->FreeSummaries + (block >> (2 * GroupShift))) == 0;

    /// <summary>Which of 64 blocks are thought to be free.</summary>
    internal static ulong ReadFree(Attachment* heap, ulong group) => TMachine.Read(Group(heap, FreePlane, group));

    /// <summary>Looks at a block, and makes the hints say what longest free run it has.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="block">The block.</param>
    /// <param name="units">Gets what was seen.</param>
    /// <returns>The order of that run, or <see cref="FreeUnits.NoOrder"/>.</returns>
    internal static int Reclassify(Attachment* heap, ulong block, FreeUnits* units)
    {
        FreeUnits.Read<TMachine>(heap, block, units);
        int order = FreeUnits.Order(units);
        if (ForgetAllBut(heap, block, order))
        {
            // Who freed something after the first look may have found the bit still set.
            FreeUnits.Read<TMachine>(heap, block, units);
            order = FreeUnits.Order(units);
        }

        if (order != FreeUnits.NoOrder)
        {
            Set(heap, order, block);
        }

        return order;
    }

    /// <summary>Whether a block is thought to have a free run of an order, or a longer one.</summary>
    internal static bool SaysAtLeast(Attachment* heap, ulong block, int order)
    {
        ulong* group = Group(heap, 0, block >> GroupShift);
        ulong planes = 0;
        for (int plane = order; plane <= heap->Geometry.UnitsPerBlockShift; plane++)
        {
            planes |= TMachine.Read(group + plane);
        }

        return (planes >> (int)(block & GroupMask) & 1) != 0;
    }

    /// <summary>Forgets what was thought of the room in a block.</summary>
    internal static void Forget(Attachment* heap, ulong block) => ForgetAllBut(heap, block, FreeUnits.NoOrder);

    /// <returns>Whether there was anything to forget.</returns>
    private static bool ForgetAllBut(Attachment* heap, ulong block, int order)
    {
        ulong* group = Group(heap, 0, block >> GroupShift);
        ulong bit = 1UL << (int)(block & GroupMask);
        bool any = false;
        for (int plane = 0; plane <= heap->Geometry.UnitsPerBlockShift; plane++)
        {
            if ((TMachine.Read(group + plane) & bit) != 0 && plane != order)
            {
                Clear(heap, plane, block);
                any = true;
            }
        }

        return any;
    }

    private static bool TryNextGroup(Attachment* heap, int plane, ulong from, ulong groups, out ulong index)
    {
        ulong skip = from & GroupMask;
        for (ulong word = from >> GroupShift; word << GroupShift < groups; word++)
        {
            ulong bits = TMachine.Read(Summary(heap, plane, word << GroupShift)) >> (int)skip << (int)skip;
            if (bits != 0)
            {
                index = (word << GroupShift) + (uint)BitOperations.TrailingZeroCount(bits);
                return index < groups;
            }

            skip = 0;
        }

        index = 0;
        return false;
    }

    private static void SetSummary(Attachment* heap, int plane, ulong index)
    {
        ulong* summary = Summary(heap, plane, index);
        ulong bit = 1UL << (int)(index & GroupMask);
        if ((TMachine.Read(summary) & bit) == 0)
        {
            TMachine.Or(summary, bit);
        }
    }

    private static ulong* Group(Attachment* heap, int plane, ulong index) => heap->Hints + (index * Geometry.Planes) + (uint)plane;

    private static ulong* Summary(Attachment* heap, int plane, ulong index) =>
        heap->Summaries + ((uint)plane * heap->Geometry.SummaryWords) + (index >> GroupShift);
}
