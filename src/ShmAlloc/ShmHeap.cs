using System.Diagnostics.CodeAnalysis;
using ShmAlloc.Allocation;
using ShmAlloc.Inspection;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Memory.Linux;
using ShmAlloc.Participants;

namespace ShmAlloc;

/// <summary>
/// A heap in a file that several processes map. They allocate from it, hand each other offsets, and free what others allocated; any of them may
/// be killed at any instruction without stopping the others, corrupting anything or leaking what it had not published.
/// </summary>
/// <remarks>
/// An address or span does not keep this object alive: hold a reference to it as long as you use what <c>GetPointer</c>, <c>GetSpan</c> or
/// <c>GetReference</c> gave, or the finalizer may unmap the memory under it.
/// All members may be called by any thread at any time; no call waits for another thread or process. Disposing detaches; the file stays, until
/// somebody deletes it.
/// </remarks>
public sealed unsafe partial class ShmHeap : IDisposable
{
    /// <summary>How many root words a heap has: see <see cref="ReadRoot"/>.</summary>
    public const int RootCount = HeaderLayout.Roots;

    private static long _lastNumber;

    private readonly Attachment* _heap;

    /// <summary>Names this attachment among all of this process.</summary>
    private readonly long _number = Interlocked.Increment(ref _lastNumber);

    internal Attachment* Attachment => _heap;

    private ShmHeap(Attachment* heap, string path)
    {
        _heap = heap;
        Path = path;
    }

    /// <summary>Gives back what <see cref="Dispose"/> left to others, or everything if it was forgotten.</summary>
    ~ShmHeap()
    {
        if (_heap->Ended == 0)
        {
            Departure<Hardware>.Begin(_heap);
        }

        // Nobody refers to this object any more: no call is under way, and a reservation that is left can never be used.
        // Without its lock our slot is that of a dead participant, so others recover it.
        Mapping.Free(_heap);
    }

    /// <summary>The path of the file, as it was given.</summary>
    public string Path { get; }

    /// <summary>Names this heap among all; chosen at creation.</summary>
    public Guid Id
    {
        get
        {
            Guid id = default;
            ulong* words = (ulong*)&_heap->Header->HeapId;
            ((ulong*)&id)[0] = Hardware.Read(words, "", 0);
            ((ulong*)&id)[1] = Hardware.Read(words + 1, "", 0);
            ThrowIfEnded();
            return id;
        }
    }

    /// <summary>
    /// Whether <see cref="Path"/> still names the file of this heap. False: it was deleted, moved or replaced, and whoever opens the path now has another
    /// heap; what is removed or invalidated here lives on there. False also if the path cannot be reached any more: after <c>chroot</c>, or without the
    /// permission to search its directory.
    /// </summary>
    /// <remarks>One system call, of about a microsecond: cheap enough for a health check. <see cref="GetStatistics"/> says it as well.</remarks>
    public bool IsFileCurrent
    {
        get
        {
            bool isCurrent = SlotLock.IsFileCurrent(_heap);
            GC.KeepAlive(this);
            return isCurrent;
        }
    }

    /// <summary>Whether this attachment can only read.</summary>
    public bool IsReadOnly => _heap->ReadOnly;

    /// <summary>Bytes of a unit, the granularity of all allocations.</summary>
    public int UnitBytes => 1 << _heap->Geometry.UnitShift;

    /// <summary>Bytes of a block.</summary>
    public int BlockBytes => 1 << _heap->Geometry.BlockShift;

    /// <summary>Larger requests are refused; the maximum size if there is no other limit.</summary>
    public long LargestAllocationBytes => (long)_heap->LargestRequest;

    /// <summary>Bytes of the allocatable region that exist now, as far as this process has noticed.</summary>
    public long CommittedBytes => (long)(Volatile.Read(ref _heap->Blocks) << _heap->Geometry.BlockShift);

    /// <summary>Bytes that the allocatable region can grow to.</summary>
    public long MaximumBytes => (long)(_heap->Geometry.MaximumBlocks << _heap->Geometry.BlockShift);

    /// <summary>How many attachments there can be at once.</summary>
    public int MaxParticipants => (int)_heap->Geometry.Slots;

    /// <summary>The number of our slot; <see langword="null"/> if attached read-only, or if all were taken so far.</summary>
    public int? ParticipantSlot => Volatile.Read(ref _heap->Slot) is var slot and >= 0 ? slot : null;

    /// <summary>Allocates at least <paramref name="sizeBytes"/> bytes, published at once: they stay until somebody frees them.</summary>
    /// <param name="sizeBytes">0 to <see cref="LargestAllocationBytes"/>. The contents are not defined.</param>
    /// <returns>The offset, or <see cref="ShmOffset.Null"/>; the other overload says why.</returns>
    public ShmOffset Malloc(long sizeBytes) => Malloc(sizeBytes, out _);

    /// <summary>Allocates at least <paramref name="sizeBytes"/> bytes, published at once: they stay until somebody frees them.</summary>
    /// <param name="sizeBytes">
    /// 0 to <see cref="LargestAllocationBytes"/>; 0 gives a unit. The contents are not defined. Sizes that are powers of two are aligned to
    /// themselves, up to
    /// 4096 bytes; others to a unit.
    /// </param>
    /// <param name="status">Why it failed, or <see cref="ShmStatus.Ok"/>.</param>
    /// <returns>The offset, or <see cref="ShmOffset.Null"/>.</returns>
    public ShmOffset Malloc(long sizeBytes, out ShmStatus status)
    {
        // A negative size is a large one, which the short way refuses.
        ulong offset = ShortWay<Hardware>.Malloc(_heap, (ulong)sizeBytes);
        status = ShmStatus.Ok;
        if (offset == 0)
        {
            offset = MallocGeneral(sizeBytes, out status);
        }

        GC.KeepAlive(this);
        return new ShmOffset(offset);
    }

    /// <summary>Allocates room for an array, filled with zeros.</summary>
    /// <param name="count">Elements.</param>
    /// <param name="sizeBytes">Bytes of each.</param>
    /// <returns>The offset, or <see cref="ShmOffset.Null"/>.</returns>
    public ShmOffset Calloc(long count, long sizeBytes) => Calloc(count, sizeBytes, out _);

    /// <summary>Allocates room for an array, filled with zeros.</summary>
    /// <param name="count">Elements.</param>
    /// <param name="sizeBytes">Bytes of each. A product that overflows is refused.</param>
    /// <param name="status">Why it failed, or <see cref="ShmStatus.Ok"/>.</param>
    /// <returns>The offset, or <see cref="ShmOffset.Null"/>.</returns>
    public ShmOffset Calloc(long count, long sizeBytes, out ShmStatus status)
    {
        if (count < 0 || sizeBytes < 0)
        {
            status = ShmStatus.InvalidSize;
            return default;
        }

        ulong offset = Heap<Hardware>.Calloc(_heap, (ulong)count, (ulong)sizeBytes, out status);
        GC.KeepAlive(this);
        return new ShmOffset(offset);
    }

    /// <summary>Frees an allocation, whichever process made it. Freeing null is fine.</summary>
    /// <param name="offset">What <see cref="Malloc(long)"/>, <see cref="Calloc(long, long)"/> or a published reservation gave.</param>
    /// <returns>
    /// <see cref="ShmStatus.Ok"/>; <see cref="ShmStatus.AlreadyFree"/> or <see cref="ShmStatus.InvalidOffset"/> if there is no such allocation,
    /// with nothing
    /// changed. A double free is noticed unless the place has been handed out again meanwhile.
    /// </returns>
    public ShmStatus Free(ShmOffset offset)
    {
        ShmStatus status = ShortWay<Hardware>.Free(_heap, offset.Value) ? ShmStatus.Ok : Heap<Hardware>.Free(_heap, offset.Value);
        GC.KeepAlive(this);
        return status;
    }

    /// <summary>Allocates memory that stays ours until it is published or abandoned. If this process dies first, it is taken back.</summary>
    /// <param name="sizeBytes">0 to <see cref="LargestAllocationBytes"/>.</param>
    /// <param name="reservation">The memory to fill.</param>
    /// <returns><see cref="ShmStatus.Ok"/>, or why it failed.</returns>
    public ShmStatus Reserve(long sizeBytes, out ShmReservation reservation)
    {
        reservation = default;
        if (sizeBytes < 0)
        {
            return ShmStatus.InvalidSize;
        }

        ShmStatus status = Heap<Hardware>.Reserve(_heap, (ulong)sizeBytes, out ulong offset, out int cell, out Ticket ticket);
        if (status == ShmStatus.Ok)
        {
            reservation = new ShmReservation(_number, new ShmOffset(offset), cell, ticket.Bits, _heap->Slot, _heap->Epoch);
        }

        GC.KeepAlive(this);
        return status;
    }

    /// <summary>
    /// Hands a reservation over: from now on it is an allocation like any other. What was written to it before is visible to whoever learns the
    /// offset.
    /// </summary>
    /// <param name="reservation">From <see cref="Reserve"/>, not published or abandoned yet.</param>
    /// <returns><see cref="ShmStatus.Ok"/>, or <see cref="ShmStatus.StaleReservation"/>.</returns>
    public ShmStatus Publish(in ShmReservation reservation) => End(reservation, publish: true);

    /// <summary>Gives a reservation back.</summary>
    /// <param name="reservation">From <see cref="Reserve"/>, not published or abandoned yet.</param>
    /// <returns><see cref="ShmStatus.Ok"/>, or <see cref="ShmStatus.StaleReservation"/>.</returns>
    public ShmStatus Abandon(in ShmReservation reservation) => End(reservation, publish: false);

    /// <summary>Bytes that may be used at an offset: at least what was asked for.</summary>
    /// <param name="offset">A published allocation.</param>
    /// <returns>Bytes, or 0 if there is no published allocation that starts there.</returns>
    public long UsableSize(ShmOffset offset)
    {
        ulong size = Heap<Hardware>.UsableSize(_heap, offset.Value);
        GC.KeepAlive(this);
        return (long)size;
    }

    /// <summary>Reads one of the words by which processes find what they share: the entry points of the users' own structures.</summary>
    /// <param name="index">0 to <see cref="RootCount"/> − 1.</param>
    /// <returns>What was stored last; 0 in a new heap.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public ulong ReadRoot(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, RootCount);
        ulong value = Hardware.Read(&_heap->Header->Root[index], "", 0);
        ThrowIfEnded();
        return value;
    }

    /// <summary>Stores a root word if it still has the expected value; atomic among all processes.</summary>
    /// <param name="index">0 to <see cref="RootCount"/> − 1.</param>
    /// <param name="value">What to store.</param>
    /// <param name="expected">What the word must be.</param>
    /// <returns>What the word was: <paramref name="expected"/> if it was stored.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public ulong CompareExchangeRoot(int index, ulong value, ulong expected)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, RootCount);
        ThrowIfReadOnly();
        ulong was = Hardware.CompareExchange(&_heap->Header->Root[index], value, expected, "", 0);
        ThrowIfEnded();
        return was;
    }

    /// <summary>Recovers participants that have died. It also happens at attachment and before memory runs out.</summary>
    /// <returns>How many were recovered by this call.</returns>
    public int RecoverDead()
    {
        int recovered = Recovery<Hardware>.RecoverDead(_heap);
        GC.KeepAlive(this);
        return recovered;
    }

    /// <summary>Makes the heap larger now rather than when it is needed.</summary>
    /// <param name="bytes">At least so many bytes more.</param>
    /// <returns>
    /// <see cref="ShmStatus.Ok"/>, <see cref="ShmStatus.OutOfMemory"/> beyond the maximum size, <see cref="ShmStatus.FileSystemFull"/>.
    /// </returns>
    public ShmStatus Grow(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        ShmStatus status = Volatile.Read(ref _heap->Closing) != 0 ? ShmStatus.Closed
            : Growth<Hardware>.TryGrow(_heap, Math.Max(1, _heap->Geometry.BlocksFor((ulong)bytes)));
        GC.KeepAlive(this);
        return status;
    }

    /// <summary>Walks over the whole heap and counts.</summary>
    /// <returns>The figures.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed, before the walk or during it.</exception>
    public ShmStatistics GetStatistics()
    {
        ShmStatistics statistics = StatisticsWalk<Hardware>.Take(_heap);
        ThrowIfEnded();
        return statistics with { IsFileCurrent = IsFileCurrent };
    }

    /// <summary>Walks over every word of the heap and over every entry of its caches, and checks them; others may work meanwhile.</summary>
    /// <returns>Every violation with its place.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed, before the walk or during it.</exception>
    public ShmVerification Verify()
    {
        ShmVerification verification = Verifier<Hardware>.Verify(_heap);
        ThrowIfEnded();
        return verification;
    }

    /// <summary>
    /// Detaches: gives up the participant slot and the memory. Operations under way finish first, and so do reservations: the last one out detaches.
    /// Pointers and spans must not be used any more. The file stays.
    /// </summary>
    [SuppressMessage("Usage", "CA1816", Justification = "The address range may go only when no call can be under way: that is what the finalizer knows.")]
    public void Dispose()
    {
        Departure<Hardware>.Begin(_heap);
        GC.KeepAlive(this);
    }

    private ulong MallocGeneral(long sizeBytes, out ShmStatus status)
    {
        status = ShmStatus.InvalidSize;
        return sizeBytes < 0 ? 0 : Heap<Hardware>.MallocGeneral(_heap, (ulong)sizeBytes, out status);
    }

    private ShmStatus End(in ShmReservation reservation, bool publish)
    {
        bool isOurs = reservation.Attachment == _number && reservation.Slot == _heap->Slot && reservation.Epoch == _heap->Epoch;
        ShmStatus status = isOurs
            ? Heap<Hardware>.EndReservation(_heap, reservation.Offset.Value, reservation.Cell, new Ticket(reservation.Ticket), publish)
            : ShmStatus.StaleReservation;
        GC.KeepAlive(this);
        return status;
    }

    /// <summary>After the end the memory reads as zeros, which are no answer. Keeps this object alive until here.</summary>
    private void ThrowIfEnded()
    {
        bool isEnded = Volatile.Read(ref _heap->Ended) != 0;
        GC.KeepAlive(this);
        ObjectDisposedException.ThrowIf(isEnded, this);
    }

    private void ThrowIfReadOnly()
    {
        if (_heap->ReadOnly)
        {
            throw new InvalidOperationException($"Heap '{Path}' is attached read-only.");
        }
    }
}
