using System.Runtime.CompilerServices;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Allocation;

/// <summary>The operations of a heap, for whoever wraps them: the .NET classes today, the C ABI beside them.</summary>
/// <remarks>
/// Nothing here allocates on the managed heap or throws. A thread waits only where it found no room, and only for others that are in the middle of something:
/// see <see cref="Patience"/>. Any thread may call anything at any time, also from inside a signal handler that interrupted a call.
/// </remarks>
internal static unsafe class Heap<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Allocates published memory.</summary>
    /// <returns>The offset, or 0.</returns>
    internal static ulong Malloc(Attachment* heap, ulong sizeBytes, out ShmStatus status)
    {
        ulong offset = ShortWay<TMachine>.Malloc(heap, sizeBytes);
        if (offset != 0)
        {
            status = ShmStatus.Ok;
            return offset;
        }

        return MallocGeneral(heap, sizeBytes, out status);
    }

    /// <summary>Allocates published memory that is zero.</summary>
    internal static ulong Calloc(Attachment* heap, ulong count, ulong sizeBytes, out ShmStatus status)
    {
        ulong high = Math.BigMul(count, sizeBytes, out ulong total);
        if (high != 0)
        {
            status = ShmStatus.InvalidSize;
            return 0;
        }

        // A disposal in between would leave what is handed out as it was.
        if (!Visits<TMachine>.TryEnter(heap))
        {
            status = ShmStatus.Closed;
            return 0;
        }

        ulong offset = Malloc(heap, total, out status);
        if (offset != 0)
        {
            TMachine.Clear(heap->UserBase + offset, total);
        }

        Visits<TMachine>.Leave(heap);
        return offset;
    }

    /// <summary>Frees what <see cref="Malloc"/> gave. Whatever else is named is refused, and nothing changes.</summary>
    internal static ShmStatus Free(Attachment* heap, ulong offset)
    {
        if (ShortWay<TMachine>.Free(heap, offset))
        {
            return ShmStatus.Ok;
        }

        if (heap->ReadOnly || !TryUnitOf(heap, offset, out ulong unit))
        {
            return offset == 0 ? ShmStatus.Ok : WhyNot(heap, WhyNoUnit(heap, offset));
        }

        // The block may have become known only now.
        if (ShortWay<TMachine>.Free(heap, offset))
        {
            return ShmStatus.Ok;
        }

        ShmStatus status = FreeGeneral(heap, unit);
        return status == ShmStatus.Ok ? ShmStatus.Ok : WhyNot(heap, status);
    }

    /// <summary>Allocates memory that stays this attachment's until it is published or abandoned.</summary>
    internal static ShmStatus Reserve(Attachment* heap, ulong sizeBytes, out ulong offset, out int cell, out Ticket ticket)
    {
        offset = 0;
        ticket = default;
        cell = Claim.NoCell;
        if (heap->ReadOnly || sizeBytes > heap->LargestRequest)
        {
            return heap->ReadOnly ? ShmStatus.ReadOnly : ShmStatus.TooLarge;
        }

        ShmStatus status = Cells<TMachine>.TryTakeForReservation(heap, out cell);
        if (status != ShmStatus.Ok)
        {
            return status;
        }

        status = Reservations<TMachine>.Claim(heap, ShortWay<TMachine>.ShardOf(heap), sizeBytes, cell, quickly: false, out ulong unit);
        if (status != ShmStatus.Ok)
        {
            Cells<TMachine>.Release(heap, cell);
            return status;
        }

        offset = heap->OffsetOf(unit);
        ticket = Cells<TMachine>.TicketOf(heap, cell);
        HandedOut.NoteReservation(heap, cell, offset);
        return ShmStatus.Ok;
    }

    /// <summary>Ends a reservation: private → published, or private → free. All that is said of it may be anything.</summary>
    internal static ShmStatus EndReservation(Attachment* heap, ulong offset, int cell, Ticket ticket, bool publish)
    {
        if (!HandedOut.IsReservation(heap, cell, offset) || !Cells<TMachine>.TryStartWork(heap, cell, ticket))
        {
            return ShmStatus.StaleReservation;
        }

        HandedOut.Forget(heap, cell);
        TryUnitOf(heap, offset, out ulong unit);
        ShmStatus status = Reservations<TMachine>.End(heap, unit, cell, publish);
        Cells<TMachine>.Release(heap, cell);
        return status;
    }

    /// <summary>Bytes that the allocation at an offset has room for; 0 if there is no published one.</summary>
    internal static ulong UsableSize(Attachment* heap, ulong offset)
    {
        if (!TryUnitOf(heap, offset, out ulong unit))
        {
            return 0;
        }

        ulong block = heap->BlockOf(unit);
        BlockWord word = Blocks<TMachine>.Read(heap, block);
        if (word.State == BlockState.Run)
        {
            bool isSane = unit == heap->FirstUnitOf(block) && Runs<TMachine>.Fits(heap, block, word.Value);
            return isSane ? word.Value << heap->Geometry.BlockShift : 0;
        }

        return Extent<TMachine>.Find(heap, unit, out uint units) == ShmStatus.Ok ? (ulong)units << heap->Geometry.UnitShift : 0;
    }

    /// <summary>What the short way did not do. Not inlined: the short way is to stay short.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static ulong MallocGeneral(Attachment* heap, ulong sizeBytes, out ShmStatus status)
    {
        if (sizeBytes >= TMachine.Read(&heap->RequestLimit) || heap->ReadOnly)
        {
            status = WhyNot(heap, ShmStatus.TooLarge);
            return 0;
        }

        ulong runBlocks = RunBlocksFor(heap, sizeBytes);
        if (runBlocks != 0)
        {
            return MallocRun(heap, runBlocks, RunAlignment(heap, sizeBytes), out status);
        }

        Claim claim = Claim.Published;
        Request request = new(heap->UnitsFor(sizeBytes), heap->Geometry);
        status = Placement<TMachine>.Allocate(heap, ShortWay<TMachine>.ShardOf(heap), request, ref claim);
        if (claim.Cell != Claim.NoCell)
        {
            Cells<TMachine>.Release(heap, claim.Cell);
        }

        status = status == ShmStatus.Ok ? status : WhyNot(heap, status);
        return status == ShmStatus.Ok ? heap->OffsetOf(claim.Unit) : 0;
    }

    private static ulong MallocRun(Attachment* heap, ulong runBlocks, ulong alignment, out ShmStatus status)
    {
        status = Cells<TMachine>.TryTakeForOperation(heap, out int cell);
        if (status != ShmStatus.Ok)
        {
            return 0;
        }

        status = RunPlacement<TMachine>.Allocate(heap, runBlocks, alignment, quickly: false, out ulong head);
        if (status == ShmStatus.Ok && !Runs<TMachine>.TryPublish(heap, head, runBlocks))
        {
            status = ShmStatus.Contended;
        }

        Cells<TMachine>.Release(heap, cell);
        return status == ShmStatus.Ok ? heap->OffsetOf(heap->FirstUnitOf(head)) : 0;
    }

    private static ShmStatus FreeGeneral(Attachment* heap, ulong unit)
    {
        ulong block = heap->BlockOf(unit);
        BlockWord seen = Blocks<TMachine>.Read(heap, block);
        bool isBlockStart = unit == heap->FirstUnitOf(block);
        if (seen.State == BlockState.Run)
        {
            return isBlockStart ? Runs<TMachine>.Free(heap, block, seen) : ShmStatus.InvalidOffset;
        }

        if (!seen.IsOpen && seen.State != BlockState.Busy)
        {
            bool wasFreed = seen.State is BlockState.Free or BlockState.Retired or BlockState.Freeing or BlockState.Bare or BlockState.Baring;
            return wasFreed && isBlockStart ? ShmStatus.AlreadyFree : ShmStatus.InvalidOffset;
        }

        ShmStatus status = Extent<TMachine>.Find(heap, unit, out uint units);
        return status == ShmStatus.Ok ? FreeCrossing(heap, unit, units) : status;
    }

    /// <summary>Names the place, looks at the block, withdraws, clears. Where it may not clear, it leaves garbage to the next sweep.</summary>
    private static ShmStatus FreeCrossing(Attachment* heap, ulong unit, uint units)
    {
        ulong block = heap->BlockOf(unit);
        bool mayClear = false;
        if (Cells<TMachine>.TryTakeAtOnce(heap, out int cell) == ShmStatus.Ok)
        {
            Cells<TMachine>.Name(heap, cell, new CellWord(CellKind.Freeing, unit, units));
            mayClear = Blocks<TMachine>.Read(heap, block).IsOpen;
        }

        bool isMine = PrivateClaim<TMachine>.TryWithdraw(heap, unit, units);
        if (isMine && mayClear)
        {
            PrivateClaim<TMachine>.Clear(heap, unit, units);
            ShortWay<TMachine>.Remember(heap, unit, units, FreedPlaces.CrossingClassOf(units));
        }
        else if (isMine)
        {
            Hints<TMachine>.Set(heap, Hints<TMachine>.GarbagePlane, block);
        }

        if (cell != Claim.NoCell)
        {
            Cells<TMachine>.Release(heap, cell);
        }

        return isMine ? ShmStatus.Ok : ShmStatus.AlreadyFree;
    }

    /// <summary>Blocks of the run that a request becomes, or 0 if it goes inside a block: up to three quarters of one.</summary>
    internal static ulong RunBlocksFor(Attachment* heap, ulong sizeBytes)
    {
        ulong blockBytes = heap->Geometry.BlockBytes;
        return sizeBytes <= blockBytes - (blockBytes / 4) ? 0 : heap->Geometry.BlocksFor(sizeBytes);
    }

    /// <summary>In blocks. Matters only where blocks are smaller than a page.</summary>
    internal static ulong RunAlignment(Attachment* heap, ulong sizeBytes)
    {
        bool isAligned = System.Numerics.BitOperations.IsPow2(sizeBytes) && heap->Geometry.BlockBytes < Geometry.MaxAlignment;
        return isAligned ? Math.Max(1, Math.Min(sizeBytes, Geometry.MaxAlignment) >> heap->Geometry.BlockShift) : 1;
    }

    /// <summary>The unit of an offset, if it is one that exists.</summary>
    internal static bool TryUnitOf(Attachment* heap, ulong offset, out ulong unit)
    {
        ulong relative = offset - Geometry.Page;
        unit = relative >> heap->Geometry.UnitShift;
        if (offset < Geometry.Page || (relative & ((1UL << heap->Geometry.UnitShift) - 1)) != 0)
        {
            return false;
        }

        return Growth<TMachine>.Reaches(heap, heap->BlockOf(unit) + 1);
    }

    /// <summary>Why <see cref="TryUnitOf"/> found none: others may have made the heap larger, without this process being able to find out.</summary>
    internal static ShmStatus WhyNoUnit(Attachment* heap, ulong offset)
    {
        ulong relative = offset - Geometry.Page;
        bool isUnknown = offset >= Geometry.Page && (relative & heap->Geometry.UnitMask) == 0
            && !Growth<TMachine>.IsOutside(heap, (relative >> heap->Geometry.BlockShift) + 1);
        return isUnknown ? ShmStatus.Contended : ShmStatus.InvalidOffset;
    }

    /// <summary>The reason to report: a heap that was closed meanwhile shows closed words, which are no reason of their own.</summary>
    private static ShmStatus WhyNot(Attachment* heap, ShmStatus status) =>
        TMachine.Read(&heap->Closing) != 0 ? ShmStatus.Closed : heap->ReadOnly ? ShmStatus.ReadOnly : status;
}
