using System.Runtime.CompilerServices;
using ShmAlloc.Allocation;
using ShmAlloc.Layout;
using ShmAlloc.Memory;

namespace ShmAlloc.Participants;

/// <summary>Taking, setting and releasing cells of our own slot.</summary>
/// <remarks>
/// A thread takes the private ticket of a cell, then announces in the cell what it works on, then looks; at the end it clears the cell and then gives
/// the ticket back. Nobody but the thread with the ticket writes the cell while the process lives, and nobody but the recoverer after.
/// </remarks>
internal static unsafe class Cells<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Those that one operation takes at most.</summary>
    private const uint CellsOfOperation = 2;

    /// <summary>Takes a cell for one operation.</summary>
    internal static ShmStatus TryTakeForOperation(Attachment* heap, out int cell) =>
        TryTake(heap, 0, heap->Geometry.OperationCells, ShmStatus.Contended, out cell);

    /// <summary>Takes a cell that stays taken until a reservation is published or abandoned.</summary>
    internal static ShmStatus TryTakeForReservation(Attachment* heap, out int cell) =>
        TryTake(heap, heap->Geometry.OperationCells, heap->Geometry.Cells, ShmStatus.TooManyReservations, out cell);

    /// <summary>Takes a ticket that names nothing, with or without a slot: until it is released the heap stays mapped.</summary>
    internal static ShmStatus TryTakeTicket(Attachment* heap, out int cell)
    {
        ShmStatus status = TryTakeFree(heap, 0, heap->Geometry.OperationCells, ShmStatus.Contended, out cell);
        return status == ShmStatus.Contended ? TryTakeFree(heap, heap->Geometry.OperationCells, heap->Geometry.Cells, status, out cell) : status;
    }

    /// <summary>Names a place. It is visible to all before anything that this thread reads next.</summary>
    /// <remarks>Death before it: nothing is named. Death after it: recovery clears the cell, and what had been claimed becomes garbage.</remarks>
    internal static void Name(
        Attachment* heap, int cell, CellWord word, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        TMachine.Announce(AddressOf(heap, cell), word.Bits, file, line);

    /// <summary>
    /// Clears the cell and keeps it, when nothing is claimed under it any more: a name that stays behind would keep sweeps, our own too, from garbage
    /// that lies there.
    /// </summary>
    internal static void Unname(Attachment* heap, int cell) => TMachine.Write(AddressOf(heap, cell), 0);

    /// <summary>Clears the cell and gives it back.</summary>
    internal static void Release(Attachment* heap, int cell)
    {
        if (heap->Slot >= 0)
        {
            TMachine.Write(AddressOf(heap, cell), 0);
        }

        ulong* ticket = TicketAt(heap, cell);

        // A full fence before the look: whoever begins to leave sees the ticket free, or we see that it has begun.
        TMachine.Announce(ticket, new Ticket(*ticket).Released.Bits);
        if (TMachine.Read(&heap->Closing) != 0)
        {
            Departure<TMachine>.TryFinish(heap);
        }
    }

    internal static Ticket TicketOf(Attachment* heap, int cell) => new(TMachine.Read(TicketAt(heap, cell)));

    /// <summary>Makes a reservation's ticket this thread's to work with; false if it was used already.</summary>
    internal static bool TryStartWork(Attachment* heap, int cell, Ticket held) =>
        TMachine.CompareExchange(TicketAt(heap, cell), held.Working.Bits, held.Bits) == held.Bits;

    internal static CellWord Read(
        Attachment* heap, int slot, int cell, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        new(TMachine.Read(AddressOf(heap, slot, cell), file, line));

    internal static ulong* AddressOf(Attachment* heap, int slot, int cell) => &heap->Slots[slot].Cell[SlotLayout.PositionOf(cell)];

    internal static ulong* TicketAt(Attachment* heap, int cell) => heap->Tickets + SlotLayout.PositionOf(cell);

    private static ulong* AddressOf(Attachment* heap, int cell) => AddressOf(heap, heap->Slot, cell);

    /// <summary>Another number for each shard of all participants, as far as that goes: so that they begin to look at different places.</summary>
    internal static ulong NumberOf(Attachment* heap, Shard* shard) => (uint)heap->Slot + (ulong)Numbered(heap, shard)->Number;

    /// <summary>
    /// The shard, with a number that says where its threads begin to look: each at other cells, as long as there are enough of them. Some operations need two.
    /// </summary>
    private static Shard* Numbered(Attachment* heap, Shard* shard) => Volatile.Read(ref shard->Number) != 0 ? shard : Number(heap, shard);

    private static Shard* Number(Attachment* heap, Shard* shard)
    {
        // A number that two threads draw at once costs them time, nothing else.
        uint number = ++heap->LastShardNumber;
        uint operationCells = (uint)heap->Geometry.OperationCells;
        shard->FirstOperationCell = number * CellsOfOperation % operationCells;
        shard->FirstReservationCell = operationCells + (number % Math.Max(1, (uint)heap->Geometry.Cells - operationCells));

        // Last: whoever sees it uses the others.
        Volatile.Write(ref shard->Number, number);
        return shard;
    }

    private static ShmStatus TryTake(Attachment* heap, int from, int to, ShmStatus none, out int cell)
    {
        cell = -1;
        if (heap->Slot < 0)
        {
            ShmStatus status = Joining<TMachine>.TryJoinLate(heap);
            if (status != ShmStatus.Ok)
            {
                return status;
            }
        }

        return TryTakeFree(heap, from, to, none, out cell);
    }

    private static ShmStatus TryTakeFree(Attachment* heap, int from, int to, ShmStatus none, out int cell)
    {
        cell = -1;
        Shard* shard = Numbered(heap, ShortWay<TMachine>.ShardOf(heap));
        int candidate = (int)(from == 0 ? shard->FirstOperationCell : shard->FirstReservationCell);
        for (int tried = from; tried < to; tried++, candidate = candidate + 1 < to ? candidate + 1 : from)
        {
            Ticket ticket = TicketOf(heap, candidate);
            if (ticket.IsFree
                && TMachine.CompareExchange(TicketAt(heap, candidate), ticket.Held.Bits, ticket.Bits) == ticket.Bits)
            {
                cell = candidate;
                return ShmStatus.Ok;
            }
        }

        return TMachine.Read(&heap->Closing) != 0 ? ShmStatus.Closed : none;
    }
}
