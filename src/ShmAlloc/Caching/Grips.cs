using ShmAlloc.Allocation;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>
/// A grip is a cell with which a thread holds an item. It is passed as the address of the cell's word, because recovery does the same with cells of the dead
/// one's slot.
/// </summary>
internal static unsafe class Grips<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Takes a cell: for one operation, or for as long as the user likes (a lease).</summary>
    internal static CacheStatus TryTake(Attachment* heap, bool lasting, out int cell)
    {
        ShmStatus status = lasting ? Cells<TMachine>.TryTakeForReservation(heap, out cell) : Cells<TMachine>.TryTakeForOperation(heap, out cell);
        return StatusOf(status, lasting);
    }

    /// <summary>Takes two cells for one operation: for what is linked, and for what is unlinked.</summary>
    internal static CacheStatus TryTakeTwo(Attachment* heap, out int first, out int second) =>
        StatusOf(Cells<TMachine>.TryTakeTwo(heap, out first, out second));

    /// <summary>Holds what an entry leads to, if it still does: from then on the memory is not reused before the grip is loosened.</summary>
    /// <remarks>
    /// The announcement is visible before the entry is read again. If the entry is what it was, the item is retired later, if at all, and a sweep that finds it
    /// retired reads our cell after that. Death: recovery clears the cell.
    /// </remarks>
    internal static bool TryHold(ulong* grip, ulong* entry, EntryWord seen)
    {
        TMachine.Announce(grip, new CellWord(CellKind.Hold, seen.Unit, 1).Bits);
        return TMachine.Read(entry) == seen.Bits;
    }

    internal static void Loosen(ulong* grip) => TMachine.Write(grip, 0);

    /// <summary>Says what is done next with what the grip names.</summary>
    internal static void Become(ulong* grip, CellKind kind, ulong unit) => TMachine.Write(grip, new CellWord(kind, unit, 1).Bits);

    internal static CacheStatus StatusOf(ShmStatus status, bool lasting = false) => status switch
    {
        ShmStatus.Ok => CacheStatus.Ok,
        _ when Growth<TMachine>.MeansNoRoom(status) => CacheStatus.NoRoom,
        ShmStatus.TooLarge or ShmStatus.InvalidSize => CacheStatus.TooLarge,
        ShmStatus.ReadOnly => CacheStatus.ReadOnly,
        ShmStatus.Closed => CacheStatus.Closed,
        ShmStatus.NoParticipantSlot => CacheStatus.NoParticipantSlot,
        ShmStatus.TooManyReservations when lasting => CacheStatus.TooManyLeases,
        _ => CacheStatus.Contended,
    };
}
