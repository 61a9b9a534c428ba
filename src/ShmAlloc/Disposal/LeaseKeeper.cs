using ShmAlloc.Caching;

namespace ShmAlloc.Disposal;

/// <summary>
/// Notices that a lease was forgotten, and ends it: a structure has no finalizer, so a lease refers to an object that has one. There is one for each cell
/// that was ever leased; while its cell is not, it waits in the heap for the next lease, so that a lease costs no new object.
/// </summary>
internal sealed class LeaseKeeper
{
    private SharedCache? _cache;
    private int _cell;
    private ulong _ticket;

    /// <summary>No lease refers to it any more. If it was disposed, there is no cache here, or its ticket is not the cell's any more.</summary>
    ~LeaseKeeper() => _cache?.EndLease(_cell, _ticket, keeper: null);

    /// <summary>Called by the thread that has the ticket of a cell.</summary>
    internal static LeaseKeeper Begin(LeaseKeeper?[] waiting, SharedCache cache, int cell, ulong ticket)
    {
        LeaseKeeper keeper = waiting[cell] ?? new LeaseKeeper();
        waiting[cell] = null;
        (keeper._cache, keeper._cell, keeper._ticket) = (cache, cell, ticket);
        return keeper;
    }

    /// <summary>Called by the thread that works with the ticket of the cell, before it gives it back.</summary>
    internal void Wait(LeaseKeeper?[] waiting, int cell)
    {
        _cache = null;
        waiting[cell] = this;
    }

    /// <summary>Ends a lease of this keeper: the one that it keeps, or an old copy, which changes nothing.</summary>
    internal void End(int cell, ulong ticket) => _cache?.EndLease(cell, ticket, this);
}
