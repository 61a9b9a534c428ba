namespace ShmAlloc;

/// <summary>
/// Memory that is being filled: it belongs to the attachment that reserved it until <see cref="ShmHeap.Publish"/> hands it over or
/// <see cref="ShmHeap.Abandon"/> gives it back. If the process dies first, it is taken back by recovery.
/// </summary>
/// <remarks>
/// A copy is the same reservation: it can be published or abandoned once. It means nothing in another process. One that is forgotten keeps its memory,
/// which the caller may still use by an address, and its cell: until its <see cref="ShmHeap"/> is collected, or the process ends.
/// </remarks>
public readonly record struct ShmReservation
{
    internal ShmReservation(long attachment, ShmOffset offset, int cell, ulong ticket, int slot, uint epoch)
    {
        Attachment = attachment;
        Offset = offset;
        Cell = cell;
        Ticket = ticket;
        Slot = slot;
        Epoch = epoch;
    }

    /// <summary>Where the memory is.</summary>
    public ShmOffset Offset { get; }

    /// <summary>Which attachment of this process made it: two heaps may well have slots, cells and tickets of the same numbers.</summary>
    internal long Attachment { get; }

    internal int Cell { get; }

    internal ulong Ticket { get; }

    internal int Slot { get; }

    internal uint Epoch { get; }
}
