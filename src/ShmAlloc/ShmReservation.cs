namespace ShmAlloc;

/// <summary>
/// Memory that is being filled: it belongs to the attachment that reserved it until <see cref="ShmHeap.Publish"/> hands it over or
/// <see cref="ShmHeap.Abandon"/> gives it back. If the process dies first, it is taken back by recovery.
/// </summary>
/// <remarks>A copy is the same reservation: it can be published or abandoned once. It means nothing in another process.</remarks>
public readonly record struct ShmReservation
{
    internal ShmReservation(ShmOffset offset, int cell, ulong ticket, int slot, uint epoch)
    {
        Offset = offset;
        Cell = cell;
        Ticket = ticket;
        Slot = slot;
        Epoch = epoch;
    }

    /// <summary>Where the memory is.</summary>
    public ShmOffset Offset { get; }

    internal int Cell { get; }

    internal ulong Ticket { get; }

    internal int Slot { get; }

    internal uint Epoch { get; }
}
