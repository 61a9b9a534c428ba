using ShmAlloc.Disposal;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>
/// A value that is read where it lies, without a copy. Its memory is not reused before the lease is disposed, or this process dies; the key may have another
/// value by then.
/// </summary>
/// <remarks>
/// A copy is the same lease. It means nothing in another process. One that is forgotten is ended by a garbage collection: so keep it as long as
/// <see cref="Value"/> is used, which "using" does.
/// </remarks>
public readonly unsafe struct CacheLease : IDisposable, IEquatable<CacheLease>
{
    private readonly LeaseKeeper? _keeper;
    private readonly byte* _value;
    private readonly int _length;
    private readonly int _cell;
    private readonly ulong _ticket;

    internal CacheLease(LeaseKeeper keeper, byte* value, int length, int cell, ulong ticket, ulong stamp)
    {
        _keeper = keeper;
        _value = value;
        _length = length;
        _cell = cell;
        _ticket = ticket;
        Version = new CacheVersion(stamp);
    }

    /// <summary>Names the value.</summary>
    public CacheVersion Version { get; }

    /// <summary>The value. The span must not be used after <see cref="Dispose"/>, nor the memory be written to.</summary>
    public ReadOnlySpan<byte> Value => new(_value, _length);

    /// <summary>Lets go of the memory. Doing it twice is fine.</summary>
    public void Dispose() => _keeper?.End(_cell, _ticket);

    /// <inheritdoc/>
    public bool Equals(CacheLease other) => ReferenceEquals(_keeper, other._keeper) && _cell == other._cell && _ticket == other._ticket;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is CacheLease other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_cell, _ticket);

    /// <summary>Whether two are the same lease.</summary>
    public static bool operator ==(CacheLease left, CacheLease right) => left.Equals(right);

    /// <summary>Whether two are not the same lease.</summary>
    public static bool operator !=(CacheLease left, CacheLease right) => !left.Equals(right);
}

/// <content>Leases.</content>
public sealed unsafe partial class SharedCache
{
    /// <summary>Leases the value of a key: to read it without a copy.</summary>
    /// <param name="key">The key: at most 65,535 bytes.</param>
    /// <param name="lease">To be disposed. Each takes a cell of this process; there are 96.</param>
    /// <returns>
    /// <see cref="CacheStatus.Ok"/>, <see cref="CacheStatus.Missing"/>, <see cref="CacheStatus.TooManyLeases"/>, <see cref="CacheStatus.ReadOnly"/> (a heap
    /// that is attached read-only has no leases), or why not.
    /// </returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    /// <example>
    /// <code>
    /// if (cache.Lease("model"u8, out CacheLease lease) == CacheStatus.Ok)
    /// {
    ///     using (lease)
    ///     {
    ///         Use(lease.Span);   // it stays as it is, although others set or remove the key
    ///     }
    /// }
    /// </code>
    /// </example>
    public CacheStatus Lease(ReadOnlySpan<byte> key, out CacheLease lease)
    {
        lease = default;
        using Visit visit = Enter();
        CacheStatus status = Grips<Hardware>.TryTake(_heap, lasting: true, out int cell);
        if (status != CacheStatus.Ok)
        {
            return Checked(status);
        }

        fixed (byte* bytes = key)
        {
            ItemFacts facts;
            try
            {
                status = CacheCalls<Hardware>.Hold(_heap, _table, KeyOf(bytes, key.Length), cell, new Clock(this), out facts);
            }
            catch
            {
                // The clock of a test may throw.
                Cells<Hardware>.Release(_heap, cell);
                throw;
            }

            if (status == CacheStatus.Ok)
            {
                byte* value = (byte*)ItemAccess<Hardware>.At(_heap, facts.Unit) + facts.Shape.ValueBegins;
                ulong ticket = Cells<Hardware>.TicketOf(_heap, cell).Bits;
                LeaseKeeper keeper = LeaseKeeper.Begin(Heap.LeaseKeepers, this, cell, ticket);
                lease = new CacheLease(keeper, value, (int)facts.Shape.ValueBytes, cell, ticket, facts.Stamp);
            }
        }

        if (status != CacheStatus.Ok)
        {
            Cells<Hardware>.Release(_heap, cell);
        }

        CacheCounts<Hardware>.Add(_heap, _table, status == CacheStatus.Ok ? CacheCounter.Hits : CacheCounter.Misses, 1);
        return Checked(status);
    }

    /// <param name="cell">That of the lease.</param>
    /// <param name="ticket">That of the lease. If it is not that of the cell, the lease was ended before.</param>
    /// <param name="keeper">Null if the lease was forgotten.</param>
    internal void EndLease(int cell, ulong ticket, LeaseKeeper? keeper)
    {
        // A lease that is not ended yet keeps the heap attached.
        using Visit visit = new(Heap);
        if (visit.Heap == _heap && Cells<Hardware>.TryStartWork(_heap, cell, new Ticket(ticket)))
        {
            keeper?.Wait(Heap.LeaseKeepers, cell);
            Cells<Hardware>.Release(_heap, cell);
            Refusals<Hardware>.Forget(_heap);
        }
    }
}
