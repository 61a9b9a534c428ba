using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Allocation;

/// <summary>
/// Reading without copying what others may take out of use meanwhile: who reads holds the place, who takes it out retires it instead of freeing it, and
/// a sweep frees it when nobody holds it any more.
/// </summary>
/// <remarks>
/// Hazard pointers: Maged Michael, "Hazard Pointers: Safe Memory Reclamation for Lock-Free Objects"; here they are cells, and survive a death.
/// </remarks>
internal static unsafe class Hold<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>
    /// Holds a published allocation. The caller then looks again whether whatever led it to the offset still does; only then is it the same allocation.
    /// </summary>
    /// <remarks>
    /// The cell is announced before that look. If the look finds the allocation in use, it is retired later, if at all, and private only after the
    /// announcement: a sweep that reads it as private scans the cells once more after, and finds ours. Death: recovery clears the cell, and nothing else.
    /// </remarks>
    internal static ShmStatus TryTake(Attachment* heap, ulong offset, out int cell)
    {
        cell = Claim.NoCell;
        if (!Heap<TMachine>.TryUnitOf(heap, offset, out ulong unit))
        {
            return Heap<TMachine>.WhyNoUnit(heap, offset);
        }

        ShmStatus status = Find(heap, unit, out uint units);
        if (status != ShmStatus.Ok)
        {
            return status;
        }

        status = Cells<TMachine>.TryTakeForReservation(heap, out cell);
        if (status == ShmStatus.Ok)
        {
            Cells<TMachine>.Name(heap, cell, new CellWord(CellKind.Hold, unit, units));
        }

        return status;
    }

    /// <summary>
    /// Takes a published allocation out of use: published → private, or RUN → RETIRED. It is freed by the next sweep that finds no cell on it.
    /// </summary>
    /// <remarks>Takes effect at one compare-and-swap, in every state of the block; of two who retire the same allocation one finds it gone.</remarks>
    internal static ShmStatus Retire(Attachment* heap, ulong offset)
    {
        if (!Heap<TMachine>.TryUnitOf(heap, offset, out ulong unit))
        {
            return Heap<TMachine>.WhyNoUnit(heap, offset);
        }

        ulong block = heap->BlockOf(unit);
        BlockWord word = Blocks<TMachine>.Read(heap, block);
        bool isRetired;
        if (word.State == BlockState.Run)
        {
            if (unit != heap->FirstUnitOf(block) || !Runs<TMachine>.Fits(heap, block, word.Value))
            {
                return ShmStatus.InvalidOffset;
            }

            isRetired = Blocks<TMachine>.TryChange(heap, block, word, BlockWord.Retired(word.Value));
        }
        else
        {
            ShmStatus status = Extent<TMachine>.Find(heap, unit, out uint units);
            if (status != ShmStatus.Ok)
            {
                return status;
            }

            isRetired = PrivateClaim<TMachine>.TryWithdraw(heap, unit, units);
        }

        if (isRetired)
        {
            Hints<TMachine>.Set(heap, Hints<TMachine>.GarbagePlane, block);
        }

        return isRetired ? ShmStatus.Ok : ShmStatus.AlreadyFree;
    }

    /// <summary>What a cell can name of an allocation: all of it, or of a run the units of its first block.</summary>
    private static ShmStatus Find(Attachment* heap, ulong unit, out uint units)
    {
        ulong block = heap->BlockOf(unit);
        if (Blocks<TMachine>.Read(heap, block).State != BlockState.Run)
        {
            return Extent<TMachine>.Find(heap, unit, out units);
        }

        units = (uint)heap->Geometry.UnitsPerBlock;
        return unit == heap->FirstUnitOf(block) ? ShmStatus.Ok : ShmStatus.InvalidOffset;
    }
}
