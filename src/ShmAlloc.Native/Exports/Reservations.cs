using System.Runtime;
using System.Runtime.InteropServices;
using ShmAlloc.Allocation;
using ShmAlloc.Memory;
using ShmAlloc.Memory.Linux;
using ShmAlloc.Native.Process;
using ShmAlloc.Participants;

namespace ShmAlloc.Native.Exports;

/// <summary><c>struct shm_reservation</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Reservation
{
    internal ulong Offset;
    internal ulong Attachment;
    internal ulong Ticket;
    internal ulong Epoch;
    internal int Slot;
    internal int Cell;
}

/// <summary>Memory that is taken back if this process dies before it hands it over.</summary>
internal static unsafe class Reservations
{
    [RuntimeExport("shm_reserve")]
    internal static bool Reserve(ulong sizeBytes, Reservation* reservation)
    {
        if (reservation == null)
        {
            return LastError.Fail((int)ShmStatus.StaleReservation);
        }

        *reservation = default;
        int error = Libc.Error;
        Attachment* heap = ProcessHeap.Find();
        if (heap == null)
        {
            return LastError.FailNoHeap();
        }

        ShmStatus status = Heap<Hardware>.Reserve(heap, sizeBytes, out ulong offset, out int cell, out Ticket ticket);
        Libc.Error = error;
        if (status != ShmStatus.Ok)
        {
            return LastError.Fail(ErrorCode.Of(heap, status));
        }

        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref heap->Closing) != 0)
        {
            // Whoever leaves the heap may have looked before there was a note of it.
            Leaving.GiveBackHandedOut(heap, cell);
            return LastError.Fail((int)ShmStatus.Closed);
        }

        reservation->Offset = offset;
        reservation->Attachment = heap->Number;
        reservation->Ticket = ticket.Bits;
        reservation->Epoch = heap->Epoch;
        reservation->Slot = heap->Slot;
        reservation->Cell = cell;
        return true;
    }

    [RuntimeExport("shm_publish")]
    internal static bool Publish(Reservation* reservation) => End(reservation, publish: true);

    [RuntimeExport("shm_abandon")]
    internal static bool Abandon(Reservation* reservation) => End(reservation, publish: false);

    private static bool End(Reservation* reservation, bool publish)
    {
        int error = Libc.Error;
        Attachment* heap = ProcessHeap.Find();
        if (heap == null)
        {
            return LastError.FailNoHeap();
        }

        bool isOurs = reservation != null && reservation->Attachment == heap->Number && reservation->Slot == heap->Slot
            && reservation->Epoch == heap->Epoch;
        ShmStatus status = isOurs
            ? Heap<Hardware>.EndReservation(heap, reservation->Offset, reservation->Cell, new Ticket(reservation->Ticket), publish)
            : ShmStatus.StaleReservation;
        Libc.Error = error;
        return status == ShmStatus.Ok || LastError.Fail((int)status);
    }
}
