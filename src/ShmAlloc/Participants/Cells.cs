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
    private const int NoCell = Claim.NoCell;

    /// <summary>Those that one operation takes at most.</summary>
    private const int CellsOfOperation = 2;

    /// <summary>Takes a cell for one operation. While all are in use, waits until another thread gives one back.</summary>
    internal static ShmStatus TryTakeForOperation(Attachment* heap, out int cell)
    {
        Patience patience = default;
        ShmStatus status;
        do
        {
            status = TryTakeAtOnce(heap, out cell);
        }
        while (status == ShmStatus.Contended && patience.TryWait<TMachine>(heap, StateOfTickets(heap, cell)));
        return status;
    }

    /// <summary>Takes a cell for one operation, or answers "contended" if all are in use.</summary>
    internal static ShmStatus TryTakeAtOnce(Attachment* heap, out int cell)
    {
        cell = NoCell;
        ShmStatus status = EnsureSlot(heap);
        if (status != ShmStatus.Ok)
        {
            return status;
        }

        int kept = heap->Geometry.OperationCells;
        bool isTaken = TryTakeFree(heap, 0, kept, Numbered(heap).FirstOperationCell, isLasting: false, out cell)
            || TryTakeFree(heap, kept, heap->Geometry.Cells, (uint)kept, isLasting: false, out cell);
        return isTaken ? ShmStatus.Ok : WhyNone(heap, ShmStatus.Contended);
    }

    /// <summary>Takes two cells for one operation. A thread that waits for the second gives the first back, so no threads wait for each other.</summary>
    internal static ShmStatus TryTakeTwo(Attachment* heap, out int first, out int second)
    {
        Patience patience = default;
        second = NoCell;
        while (true)
        {
            ShmStatus status = TryTakeForOperation(heap, out first);
            if (status != ShmStatus.Ok)
            {
                return status;
            }

            status = TryTakeAtOnce(heap, out second);
            if (status == ShmStatus.Ok)
            {
                return status;
            }

            ulong state = StateOfTickets(heap, first);
            Release(heap, first);
            if (status != ShmStatus.Contended || !patience.TryWait<TMachine>(heap, state))
            {
                return status;
            }
        }
    }

    /// <summary>
    /// Takes a cell that stays taken until its user gives it back. While operations have those that could be had, waits until one gives its cell back.
    /// </summary>
    internal static ShmStatus TryTakeForReservation(Attachment* heap, out int cell)
    {
        Patience patience = default;
        cell = NoCell;
        ShmStatus status = EnsureSlot(heap);
        int kept = heap->Geometry.OperationCells;
        while (status == ShmStatus.Ok && !TryTakeFree(heap, kept, heap->Geometry.Cells, Numbered(heap).FirstReservationCell, isLasting: true, out cell))
        {
            status = WhyNone(heap, AreAllLasting(heap) ? ShmStatus.TooManyReservations : ShmStatus.Ok);
            if (status == ShmStatus.Ok && !patience.TryWait<TMachine>(heap, StateOfTickets(heap, NoCell)))
            {
                return ShmStatus.Contended;
            }
        }

        return status;
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
        TMachine.Write(AddressOf(heap, cell), 0);
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
    /// <remarks>
    /// The caller may have changed the ticket. One that says "working" would be exchanged for itself while another thread works, and both would end the
    /// reservation.
    /// </remarks>
    internal static bool TryStartWork(Attachment* heap, int cell, Ticket held) =>
        held.IsLasting && TMachine.CompareExchange(TicketAt(heap, cell), held.Working.Bits, held.Bits) == held.Bits;

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

    private static ref Shard Numbered(Attachment* heap) => ref *Numbered(heap, ShortWay<TMachine>.ShardOf(heap));

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

    private static ShmStatus EnsureSlot(Attachment* heap) => heap->Slot >= 0 ? ShmStatus.Ok : Joining<TMachine>.TryJoinLate(heap);

    /// <summary>Takes the ticket of a free cell among those from one number up to another, going round from <paramref name="first"/>.</summary>
    private static bool TryTakeFree(Attachment* heap, int from, int to, uint first, bool isLasting, out int cell)
    {
        int candidate = (int)first;
        for (int tried = from; tried < to; tried++, candidate = candidate + 1 < to ? candidate + 1 : from)
        {
            Ticket ticket = TicketOf(heap, candidate);
            Ticket mine = isLasting ? ticket.Lasting : ticket.Held;
            if (ticket.IsFree && TMachine.CompareExchange(TicketAt(heap, candidate), mine.Bits, ticket.Bits) == ticket.Bits)
            {
                UsedCells<TMachine>.Include(heap, candidate);
                cell = candidate;
                return true;
            }
        }

        cell = NoCell;
        return false;
    }

    private static ShmStatus WhyNone(Attachment* heap, ShmStatus status) => TMachine.Read(&heap->Closing) != 0 ? ShmStatus.Closed : status;

    private static bool AreAllLasting(Attachment* heap)
    {
        for (int cell = heap->Geometry.OperationCells; cell < heap->Geometry.Cells; cell++)
        {
            if (!TicketOf(heap, cell).IsLasting)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Changes whenever a thread takes or gives back a cell, but for <paramref name="own"/>, which the caller has taken itself.</summary>
    private static ulong StateOfTickets(Attachment* heap, int own)
    {
        ulong state = 1;
        for (int cell = 0; cell < heap->Geometry.Cells; cell++)
        {
            state = cell == own ? state : Words.Mix(state, TicketOf(heap, cell).Bits);
        }

        return state;
    }
}
