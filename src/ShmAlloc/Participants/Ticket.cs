namespace ShmAlloc.Participants;

/// <summary>
/// A private word for each cell of our slot, that says which thread may use the cell. A thread takes the ticket first and then owns the cell,
/// so the threads of a process never fight over words of the file; and once disposal has taken a ticket, no late thread can write
/// into a slot that may be somebody else's by then.
/// </summary>
/// <remarks>
/// <code>
///  63                                    2 1     0
/// +---------------------------------------+-------+
/// | generation                            | state |
/// +---------------------------------------+-------+
/// </code>
/// The generation counts up at each release, so that a reservation that was used is not mistaken for a later one in the same cell.
/// </remarks>
internal readonly struct Ticket(ulong bits)
{
    private const ulong StateMask = 3;
    private const ulong HeldState = 1;
    private const ulong WorkingState = 2;
    private const ulong ClosedState = 3;

    internal ulong Bits { get; } = bits;

    internal bool IsFree => (Bits & StateMask) == 0;

    internal bool IsClosed => (Bits & StateMask) == ClosedState;

    /// <summary>An operation or a reservation has the cell.</summary>
    internal Ticket Held => new((Bits & ~StateMask) | HeldState);

    /// <summary>A reservation that a thread is publishing or abandoning just now.</summary>
    internal Ticket Working => new((Bits & ~StateMask) | WorkingState);

    /// <summary>Nobody gets it any more.</summary>
    internal Ticket Closed => new((Bits & ~StateMask) | ClosedState);

    internal Ticket Released => new((Bits & ~StateMask) + (StateMask + 1));
}
