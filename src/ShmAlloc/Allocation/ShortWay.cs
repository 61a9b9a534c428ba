using System.Numerics;
using System.Runtime.CompilerServices;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Allocation;

/// <summary>
/// What most calls need, in as few instructions as possible: allocations that lie in one word, from places that this thread freed lately, and their
/// frees. One read and one compare-and-swap each way; the system is never asked for anything.
/// </summary>
internal static unsafe class ShortWay<TMachine>
    where TMachine : struct, IMachine
{
    /// <returns>The offset, or 0: then <see cref="Heap{TMachine}.Malloc"/> looks further, or says why not.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Malloc(Attachment* heap, ulong sizeBytes)
    {
        if (sizeBytes >= TMachine.Read(&heap->ShortLimit))
        {
            return 0;
        }

        uint units = heap->UnitsFor(sizeBytes);
        bool isTaken = FreedPlaces.TryPop(ShardOf(heap), FreedPlaces.ClassInWord(units), units, out ulong unit)
            && WordClaim<TMachine>.TryPublish(heap, unit, units);
        return isTaken ? heap->OffsetOf(unit) : 0;
    }

    /// <returns>Whether it was freed; if not, <see cref="Heap{TMachine}.Free"/> looks further, or says why not.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool Free(Attachment* heap, ulong offset)
    {
        // An offset below the first one wraps around, to a block that no heap has.
        ulong relative = offset - Geometry.Page;
        ulong unit = relative >> heap->Geometry.UnitShift;
        if ((relative & heap->Geometry.UnitMask) != 0
            || heap->BlockOf(unit) >= heap->Blocks
            || heap->ReadOnly
            || !WordClaim<TMachine>.TryFree(heap, unit, out uint units))
        {
            return false;
        }

        Remember(heap, unit, units, FreedPlaces.ClassInWord(units));
        return true;
    }

    /// <summary>
    /// Keeps a place that was just freed for our next request of its size. While there are free blocks, the others hear of it, by a hint, only when it
    /// is forgotten for a newer one; if we die before, a full search finds it. In a heap without a free block they hear of it at once.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Remember(Attachment* heap, ulong unit, uint units, int kind)
    {
        ulong forgotten = FreedPlaces.Push(ShardOf(heap), kind, unit, units);
        if (forgotten != 0)
        {
            Tell(heap, FreedPlaces.UnitOf(forgotten), FreedPlaces.LengthOf(forgotten));
        }

        if (Hints<TMachine>.HasNoFreeBlockNear(heap, heap->BlockOf(unit)))
        {
            Tell(heap, unit, units);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Shard* ShardOf(Attachment* heap) => heap->Shards + (TMachine.Shard(heap) & heap->ShardMask);

    /// <summary>Sets the hint of the free run in which a place lies, if it is still free.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Tell(Attachment* heap, ulong unit, uint units)
    {
        int first = (int)(unit & (BitmapWord.Units - 1));
        uint free = BitmapWord.FromStored(TMachine.Read(heap->BitmapOf(unit))).Free;
        if ((free >> first & 1) != 0)
        {
            uint run = Math.Max(units, (uint)BitmapWord.RunAround(free, first));
            Hints<TMachine>.Set(heap, BitOperations.Log2(run), heap->BlockOf(unit));
        }
    }
}
