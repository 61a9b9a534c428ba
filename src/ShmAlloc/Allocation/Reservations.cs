using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Allocation;

/// <summary>Allocations that stay private to whoever has the ticket of a cell until they are published or given back.</summary>
internal static unsafe class Reservations<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Claims room for so many bytes under a cell. How much it is stays in private memory, beside the ticket.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="shard">Of this thread: the caller's, who may have made room for it.</param>
    /// <param name="sizeBytes">Not above the largest request.</param>
    /// <param name="cell">Whose ticket the caller has.</param>
    /// <param name="quickly">Whether to answer "out of memory" before the search of the whole heap, and before growth.</param>
    /// <param name="unit">The first unit.</param>
    internal static ShmStatus Claim(Attachment* heap, Shard* shard, ulong sizeBytes, int cell, bool quickly, out ulong unit)
    {
        ulong runBlocks = Heap<TMachine>.RunBlocksFor(heap, sizeBytes);
        heap->ReservedRuns[cell] = runBlocks;
        if (runBlocks != 0)
        {
            ShmStatus runStatus = RunPlacement<TMachine>.Allocate(heap, runBlocks, Heap<TMachine>.RunAlignment(heap, sizeBytes), quickly, out ulong head);
            unit = heap->FirstUnitOf(head);
            return runStatus;
        }

        Claim claim = Allocation.Claim.Reserved(cell);
        claim.Quickly = quickly;
        Request request = new(heap->UnitsFor(sizeBytes), heap->Geometry);
        ShmStatus status = Placement<TMachine>.Allocate(heap, shard, request, ref claim);
        heap->ReservedUnits[cell] = request.Units;
        unit = claim.Unit;
        return status;
    }

    /// <summary>Private → published, or private → free.</summary>
    internal static ShmStatus End(Attachment* heap, ulong unit, int cell, bool publish)
    {
        ulong runBlocks = heap->ReservedRuns[cell];
        return runBlocks != 0
            ? EndRun(heap, heap->BlockOf(unit), runBlocks, publish)
            : EndPlace(heap, unit, heap->ReservedUnits[cell], publish);
    }

    private static ShmStatus EndRun(Attachment* heap, ulong head, ulong blocks, bool publish)
    {
        if (publish)
        {
            return Runs<TMachine>.TryPublish(heap, head, blocks) ? ShmStatus.Ok : ShmStatus.InvalidOffset;
        }

        Runs<TMachine>.GiveBack(heap, head, blocks);
        return ShmStatus.Ok;
    }

    /// <summary>The place comes from private memory: what the cell in the file says may be anything by now.</summary>
    private static ShmStatus EndPlace(Attachment* heap, ulong unit, uint units, bool publish)
    {
        if (publish)
        {
            return PrivateClaim<TMachine>.TryPublish(heap, unit, units) ? ShmStatus.Ok : ShmStatus.InvalidOffset;
        }

        PrivateClaim<TMachine>.Clear(heap, unit, units);
        Hints<TMachine>.Set(heap, System.Numerics.BitOperations.Log2(units), heap->BlockOf(unit));
        return ShmStatus.Ok;
    }
}
