using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using ShmAlloc.Allocation;
using ShmAlloc.Caching;
using ShmAlloc.Disposal;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
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

    /// <summary>The address of what calls use: see <see cref="Visit"/>.</summary>
    private nint _attachment;

    /// <summary>The address of what this heap was made with: that is how calls say what they use.</summary>
    internal readonly nint AttachmentName;

    /// <summary>For each cell: see <see cref="LeaseKeeper"/>.</summary>
    internal readonly LeaseKeeper?[] LeaseKeepers = new LeaseKeeper?[SlotLayout.Cells];

    /// <summary>The flights of this process.</summary>
    internal readonly OwnFlights OwnFlights = new();

    private FlightWatch? _flightWatch;
    private BellSeats? _bellSeats;

    /// <summary>What was known at the end.</summary>
    private long _lastCommittedBytes;

    /// <summary>Names this attachment among all of this process.</summary>
    private readonly long _number = Interlocked.Increment(ref _lastNumber);

    private ShmHeap(Attachment* heap, string path)
    {
        _attachment = (nint)heap;
        AttachmentName = (nint)heap;
        Path = path;
        IsReadOnly = heap->ReadOnly;
        UnitBytes = 1 << heap->Geometry.UnitShift;
        BlockBytes = 1 << heap->Geometry.BlockShift;
        LargestAllocationBytes = (long)heap->LargestRequest;
        MaximumBytes = (long)heap->WholeBytes;
        MaxParticipants = (int)heap->Geometry.Slots;
    }

    /// <summary>Gives everything back if <see cref="Dispose"/> was forgotten, or a reservation that outlived it.</summary>
    ~ShmHeap()
    {
        using Visit visit = new(this);
        Departure<Hardware>.Begin(visit.Heap);

        // Nobody refers to this object any more: a reservation that is left can never be used. Without its lock our slot is that of a dead participant,
        // so others recover it.
        Retire(visit.Heap);
    }

    /// <summary>What calls use. To be used in a <see cref="Visit"/> only.</summary>
    internal Attachment* Attachment
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (Attachment*)Volatile.Read(ref _attachment);
    }

    /// <summary>Flights that cannot be told to other processes.</summary>
    internal PrivateFlights PrivateFlights { get; } = new();

    /// <summary>The flights that this process waits for.</summary>
    internal FlightWatch FlightWatch => LazyInitializer.EnsureInitialized(ref _flightWatch, () => new FlightWatch(this));

    /// <summary>Where threads wait without it.</summary>
    internal BellSeats BellSeats => LazyInitializer.EnsureInitialized(ref _bellSeats, () => new BellSeats(this));

    /// <summary>The path of the file, as it was given.</summary>
    public string Path { get; }

    /// <summary>Names this heap among all; chosen at creation.</summary>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public Guid Id
    {
        get
        {
            using Visit visit = new(this);
            Guid id = default;
            ulong* words = (ulong*)&visit.Heap->Header->HeapId;
            ((ulong*)&id)[0] = Hardware.Read(words, "", 0);
            ((ulong*)&id)[1] = Hardware.Read(words + 1, "", 0);
            ThrowIfEnded(visit);
            return id;
        }
    }

    /// <summary>Whether this attachment can only read.</summary>
    public bool IsReadOnly { get; }

    /// <summary>Bytes of a unit, the granularity of all allocations.</summary>
    public int UnitBytes { get; }

    /// <summary>Bytes of a block.</summary>
    public int BlockBytes { get; }

    /// <summary>Larger requests are refused; the maximum size if there is no other limit.</summary>
    public long LargestAllocationBytes { get; }

    /// <summary>
    /// Bytes of the allocatable region that exist now, as far as this process has noticed; after the end of the heap, what it had noticed then.
    /// </summary>
    public long CommittedBytes
    {
        get
        {
            using Visit visit = new(this);
            return visit.Heap == EndedAttachment.Address ? _lastCommittedBytes : CommittedBytesOf(visit.Heap);
        }
    }

    /// <summary>Bytes that the allocatable region can grow to.</summary>
    public long MaximumBytes { get; }

    /// <summary>How many attachments there can be at once.</summary>
    public int MaxParticipants { get; }

    /// <summary>The number of our slot; <see langword="null"/> if attached read-only, if all were taken so far, or after the end of the heap.</summary>
    public int? ParticipantSlot
    {
        get
        {
            using Visit visit = new(this);
            return Volatile.Read(ref visit.Heap->Slot) is var slot and >= 0 ? slot : null;
        }
    }

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
        QuickVisit visit = new(this);
        ulong offset = ShortWay<Hardware>.Malloc(visit.Heap, (ulong)sizeBytes);
        visit.End(this);
        status = ShmStatus.Ok;
        return new ShmOffset(offset != 0 ? offset : MallocGeneral(sizeBytes, out status));
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

        using Visit visit = new(this);
        return new ShmOffset(Heap<Hardware>.Calloc(visit.Heap, (ulong)count, (ulong)sizeBytes, out status));
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
        QuickVisit visit = new(this);
        bool isFreed = ShortWay<Hardware>.Free(visit.Heap, offset.Value);
        visit.End(this);
        return isFreed ? ShmStatus.Ok : FreeGeneral(offset);
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

        using Visit visit = new(this);
        Attachment* heap = visit.Heap;
        ShmStatus status = Heap<Hardware>.Reserve(heap, (ulong)sizeBytes, out ulong offset, out int cell, out Ticket ticket);
        if (status == ShmStatus.Ok)
        {
            reservation = new ShmReservation(_number, new ShmOffset(offset), cell, ticket.Bits, heap->Slot, heap->Epoch);
        }

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
        using Visit visit = new(this);
        return (long)Heap<Hardware>.UsableSize(visit.Heap, offset.Value);
    }

    /// <summary>Reads one of the words by which processes find what they share: the entry points of the users' own structures.</summary>
    /// <param name="index">0 to <see cref="RootCount"/> − 1.</param>
    /// <returns>What was stored last; 0 in a new heap.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public ulong ReadRoot(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, RootCount);
        using Visit visit = new(this);
        ulong value = Hardware.Read(&visit.Heap->Header->Root[index], "", 0);
        ThrowIfEnded(visit);
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
        using Visit visit = new(this);
        ThrowIfEnded(visit);
        ulong was = Hardware.CompareExchange(&visit.Heap->Header->Root[index], value, expected, "", 0);
        ThrowIfEnded(visit);
        return was;
    }

    /// <summary>Recovers participants that have died. It also happens at attachment and before memory runs out.</summary>
    /// <returns>How many were recovered by this call.</returns>
    public int RecoverDead()
    {
        using Visit visit = new(this);
        int recovered = Recovery<Hardware>.RecoverDead(visit.Heap);
        TrimRounds<Hardware>.LookWithCell(visit.Heap);
        return recovered;
    }

    /// <summary>Makes the heap larger now rather than when it is needed.</summary>
    /// <param name="bytes">At least so many bytes more. What is not used may be given back later: see <see cref="ShmHeapOptions.TrimAfter"/>.</param>
    /// <returns>
    /// <see cref="ShmStatus.Ok"/>, <see cref="ShmStatus.OutOfMemory"/> beyond the maximum size, <see cref="ShmStatus.FileSystemFull"/>.
    /// </returns>
    public ShmStatus Grow(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        using Visit visit = new(this);
        Attachment* heap = visit.Heap;
        return Volatile.Read(ref heap->Closing) != 0 ? ShmStatus.Closed
            : Growth<Hardware>.TryGrow(heap, Math.Max(1, heap->Geometry.BlocksFor((ulong)bytes)));
    }

    /// <summary>
    /// Detaches: gives up the participant slot and the memory, address space included. Operations under way finish first, and so do reservations: the last
    /// one out detaches.
    /// Pointers and spans must not be used any more: what they led to may be something else's memory. The file stays.
    /// </summary>
    /// <remarks>
    /// May be called more than once, and by several threads. It waits for no other call, but for those that are just beginning or ending to work out a value
    /// of a cache: for a second or so at most, so that other processes learn that nobody works on these values any more.
    /// </remarks>
    [SuppressMessage("Usage", "CA1816", Justification = "A reservation may put the end off; the finalizer is not needed from then on: see Retire.")]
    public void Dispose()
    {
        OwnFlights.GiveUpAll();
        using Visit visit = new(this);
        Departure<Hardware>.Begin(visit.Heap);
    }

    /// <summary>Called during a visit, when the attachment has ended: no new call gets it.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    [SuppressMessage("Usage", "CA1816", Justification = "This is where disposal ends, in whichever call is the last one out.")]
    internal void Retire(Attachment* heap)
    {
        nint ended = (nint)EndedAttachment.Address;
        if ((nint)heap == ended)
        {
            return;
        }

        Volatile.Write(ref _lastCommittedBytes, CommittedBytesOf(heap));
        if (Interlocked.CompareExchange(ref _attachment, ended, (nint)heap) == (nint)heap)
        {
            RetiredAttachment.Add(heap);
            GC.SuppressFinalize(this);
        }
    }

    private static long CommittedBytesOf(Attachment* heap) => (long)(Volatile.Read(ref heap->Blocks) << heap->Geometry.BlockShift);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private ulong MallocGeneral(long sizeBytes, out ShmStatus status)
    {
        using Visit visit = new(this);
        status = ShmStatus.InvalidSize;
        return sizeBytes < 0 ? 0 : Heap<Hardware>.MallocGeneral(visit.Heap, (ulong)sizeBytes, out status);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private ShmStatus FreeGeneral(ShmOffset offset)
    {
        using Visit visit = new(this);
        return Heap<Hardware>.Free(visit.Heap, offset.Value);
    }

    private ShmStatus End(in ShmReservation reservation, bool publish)
    {
        using Visit visit = new(this);
        Attachment* heap = visit.Heap;
        bool isOurs = reservation.Attachment == _number && reservation.Slot == heap->Slot && reservation.Epoch == heap->Epoch;
        return isOurs
            ? Heap<Hardware>.EndReservation(heap, reservation.Offset.Value, reservation.Cell, new Ticket(reservation.Ticket), publish)
            : ShmStatus.StaleReservation;
    }

    /// <summary>Whether <see cref="Dispose"/> was called.</summary>
    internal bool IsDisposed
    {
        get
        {
            using Visit visit = new(this);
            return (Volatile.Read(ref visit.Heap->Closing) | Volatile.Read(ref visit.Heap->Ended)) != 0;
        }
    }

    /// <summary>After the end the memory reads as zeros, which are no answer.</summary>
    private void ThrowIfEnded(in Visit visit) => ObjectDisposedException.ThrowIf(Volatile.Read(ref visit.Heap->Ended) != 0, this);

    private void ThrowIfReadOnly()
    {
        if (IsReadOnly)
        {
            throw new InvalidOperationException($"Heap '{Path}' is attached read-only.");
        }
    }
}
