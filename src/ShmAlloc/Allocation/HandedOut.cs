using ShmAlloc.Participants;

namespace ShmAlloc.Allocation;

/// <summary>
/// What a caller holds on to between two calls, under a cell: a reservation, or a lease of the C ABI. What he has of it lies in memory that he can
/// write to; this is what we know of it, in private memory beside the ticket, and nothing that he says is believed that is not here.
/// </summary>
internal static unsafe class HandedOut
{
    /// <summary>No offset of a reservation: those are multiples of the smallest unit.</summary>
    private const ulong Lease = 1;

    /// <summary>Before the caller is told of it.</summary>
    internal static void NoteReservation(Attachment* heap, int cell, ulong offset) => Volatile.Write(ref heap->Handed[cell], offset);

    /// <summary>Before the caller is told of it.</summary>
    internal static void NoteLease(Attachment* heap, int cell) => Volatile.Write(ref heap->Handed[cell], Lease);

    internal static bool IsReservation(Attachment* heap, int cell, ulong offset) => Is(heap, cell, offset) && offset > Lease;

    internal static bool IsLease(Attachment* heap, int cell) => Is(heap, cell, Lease);

    /// <summary>The offset of the reservation that was handed out under a cell; 0 if it is none.</summary>
    internal static ulong OffsetOf(Attachment* heap, int cell) =>
        Volatile.Read(ref heap->Handed[cell]) is var handed and > Lease ? handed : 0;

    /// <summary>It was given back. Before the ticket is.</summary>
    internal static void Forget(Attachment* heap, int cell) => Volatile.Write(ref heap->Handed[cell], 0);

    private static bool Is(Attachment* heap, int cell, ulong handed) =>
        (uint)cell < (uint)heap->Geometry.Cells && Volatile.Read(ref heap->Handed[cell]) == handed;
}
