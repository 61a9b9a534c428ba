namespace ShmAlloc.Participants;

/// <summary>
/// A private word for each cell of our slot, that says which thread may use the cell. A thread takes the ticket first and then owns the cell,
/// so the threads of a process never fight over words of the file; and once disposal has taken a ticket, no late thread can write
/// into a slot that may be somebody else's by then.
/// </summary>
/// <remarks>
/// <code>
///  63                                    3 2     0
/// +---------------------------------------+-------+
/// | generation                            | state |
/// +---------------------------------------+-------+
/// </code>
/// The generation counts up at each release, so that a reservation that was used is not mistaken for a later one in the same cell.
/// </remarks>
internal readonly struct Ticket(ulong bits)
{
    private const ulong StateMask = 7;
    private const ulong HeldState = 1;
    private const ulong WorkingState = 2;
    private const ulong ClosedState = 3;
    private const ulong LastingState = 4;

    internal ulong Bits { get; } = bits;

    internal bool IsFree => (Bits & StateMask) == 0;

    internal bool IsClosed => (Bits & StateMask) == ClosedState;

    /// <summary>Whether the cell stays taken until its user gives it back: a reservation or a lease.</summary>
    internal bool IsLasting => (Bits & StateMask) == LastingState;

    /// <summary>An operation has the cell: it gives it back soon.</summary>
    internal Ticket Held => With(HeldState);

    /// <summary>A reservation or a lease has the cell.</summary>
    internal Ticket Lasting => With(LastingState);

    /// <summary>A reservation that a thread is publishing or abandoning just now.</summary>
    internal Ticket Working => With(WorkingState);

    /// <summary>Nobody gets it any more.</summary>
    internal Ticket Closed => With(ClosedState);

    internal Ticket Released => new((Bits & ~StateMask) + (StateMask + 1));

    private Ticket With(ulong state) => new((Bits & ~StateMask) | state);
}
