using ShmAlloc.Disposal;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>
/// A value that is being written straight into the heap. Nobody sees it before <see cref="Commit"/>; if this process dies first, it is taken back.
/// </summary>
/// <remarks>
/// For one thread at a time. One that is forgotten is taken back by a garbage collection: so keep it as long as <see cref="Value"/> is written to.
/// </remarks>
public sealed unsafe class CacheReservation : IDisposable
{
    private readonly SharedCache _cache;
    private readonly byte[] _key;
    private NewItem _item;
    private bool _isOpen = true;

    internal CacheReservation(SharedCache cache, ReadOnlySpan<byte> key, in NewItem item)
    {
        _cache = cache;
        _key = key.ToArray();
        _item = item;
    }

    /// <summary>Gives back what was forgotten.</summary>
    ~CacheReservation() => Abandon();

    /// <summary>Where to write the value. What was there before is undefined. Must not be used after <see cref="Commit"/> or <see cref="Dispose"/>.</summary>
    /// <exception cref="ObjectDisposedException">It was committed or disposed.</exception>
    public Span<byte> Value
    {
        get
        {
            ObjectDisposedException.ThrowIf(!_isOpen, this);
            return new Span<byte>(_item.Value, (int)_item.Shape.ValueBytes);
        }
    }

    /// <summary>Makes it the value of its key, whatever that had before.</summary>
    /// <returns><see cref="CacheStatus.Ok"/>, or why not.</returns>
    /// <exception cref="ObjectDisposedException">It was committed or disposed.</exception>
    public CacheStatus Commit()
    {
        ObjectDisposedException.ThrowIf(!_isOpen, this);
        _isOpen = false;
        return _cache.CommitReserved(_key, ref _item, PutMode.Set, 0);
    }

    /// <summary>Gives it back if it was not committed.</summary>
    public void Dispose()
    {
        Abandon();
        GC.SuppressFinalize(this);
    }

    private void Abandon()
    {
        if (_isOpen)
        {
            _isOpen = false;
            _cache.AbandonReserved(_item);
        }
    }
}

/// <content>Values written in place.</content>
public sealed unsafe partial class SharedCache
{
    /// <summary>Reserves room for a value that is then written into it.</summary>
    /// <param name="key">The key: at most 65,535 bytes.</param>
    /// <param name="lengthBytes">Bytes of the value.</param>
    /// <param name="reservation">The value to write, or null if the answer is not Ok; it takes a cell of this process (96 in all) until it is disposed.</param>
    /// <param name="options">How long it lives, counted from now.</param>
    /// <returns><see cref="CacheStatus.Ok"/>, or why not.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public CacheStatus Reserve(ReadOnlySpan<byte> key, int lengthBytes, out CacheReservation? reservation, in CacheEntryOptions options = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(lengthBytes);
        reservation = null;
        if (key.Length > ItemShape.MaxKeyBytes)
        {
            return CacheStatus.TooLarge;
        }

        using Visit visit = Enter();
        ulong now = Now;
        ulong* tags = stackalloc ulong[ItemShape.MaxTags];
        CacheStatus status = TryBeginLasting(key, (uint)lengthBytes, Translate(options, now, tags), now, out NewItem item);
        reservation = status == CacheStatus.Ok ? new CacheReservation(this, key, item) : null;
        return status;
    }

    internal CacheStatus CommitReserved(ReadOnlySpan<byte> key, ref NewItem item, PutMode mode, ulong expected)
    {
        using Visit visit = Enter();
        ulong now = NowFor(item);
        fixed (byte* bytes = key)
        {
            CacheKey found = KeyOf(bytes, key.Length);
            CacheStatus status = Grips<Hardware>.TryTake(_heap, lasting: false, out int second);
            if (status != CacheStatus.Ok)
            {
                AbandonReserved(item);
                return Checked(status);
            }

            ulong* grip = Cells<Hardware>.AddressOf(_heap, _heap->Slot, second);
            status = CacheStore<Hardware>.Finish(_heap, _table, found, item, mode, expected, now, grip);
            Cells<Hardware>.Release(_heap, second);
            Cells<Hardware>.Release(_heap, item.Cell);
            return Checked(status);
        }
    }

    /// <summary>A clock that throws leaves no reservation behind.</summary>
    private ulong NowFor(in NewItem item)
    {
        try
        {
            return Now;
        }
        catch
        {
            AbandonReserved(item);
            throw;
        }
    }

    internal void AbandonReserved(in NewItem item)
    {
        using Visit visit = new(Heap);
        if (visit.Heap == _heap)
        {
            NewItems<Hardware>.Abandon(_heap, item);
            Cells<Hardware>.Release(_heap, item.Cell);
        }
    }

    /// <summary>Begins an item under a cell that may be kept for as long as it takes.</summary>
    private CacheStatus TryBeginLasting(ReadOnlySpan<byte> key, uint valueBytes, in ItemOptions options, ulong now, out NewItem item)
    {
        item = default;
        fixed (byte* bytes = key)
        {
            CacheKey found = KeyOf(bytes, key.Length);
            Retry retry = Retry.Begin(_heap);
            CacheStatus status;
            do
            {
                status = Grips<Hardware>.TryTake(_heap, lasting: true, out int cell);
                if (status != CacheStatus.Ok)
                {
                    break;
                }

                status = Grips<Hardware>.TryTake(_heap, lasting: false, out int second);
                if (status == CacheStatus.Ok)
                {
                    ulong* grip = Cells<Hardware>.AddressOf(_heap, _heap->Slot, second);
                    status = Grips<Hardware>.StatusOf(
                        CacheRoom<Hardware>.TryBegin(_heap, _table, found, valueBytes, options, cell, now, grip, out item));
                    Cells<Hardware>.Release(_heap, second);
                }

                if (status != CacheStatus.Ok)
                {
                    Cells<Hardware>.Release(_heap, cell);
                }
            }
            while (status == CacheStatus.Contended && TryAgain(ref retry));

            return Checked(status);
        }
    }
}
