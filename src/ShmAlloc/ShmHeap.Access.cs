using ShmAlloc.Disposal;
using ShmAlloc.Layout;
using ShmAlloc.Participants;

namespace ShmAlloc;

/// <content>Addresses and spans for offsets.</content>
public sealed unsafe partial class ShmHeap
{
    /// <summary>The address of an offset in this process. It must not be used after <see cref="Dispose"/>.</summary>
    /// <param name="offset">Any offset within the committed heap; null gives null.</param>
    /// <returns>The address. Nothing is known of how many bytes belong to the allocation: see <see cref="UsableSize"/>.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The offset lies outside the heap.</exception>
    public byte* GetPointer(ShmOffset offset)
    {
        if (offset.IsNull)
        {
            return null;
        }

        return AddressOf(offset, 1);
    }

    /// <summary>Bytes at an offset, to read and write. The span must not be used after <see cref="Dispose"/>.</summary>
    /// <param name="offset">An offset within the heap.</param>
    /// <param name="lengthBytes">How many bytes; they must lie within the committed heap, and should lie within one allocation.</param>
    /// <returns>The span.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The bytes lie outside the heap.</exception>
    /// <exception cref="InvalidOperationException">The heap is attached read-only.</exception>
    public Span<byte> GetSpan(ShmOffset offset, int lengthBytes)
    {
        ThrowIfReadOnly();
        ArgumentOutOfRangeException.ThrowIfNegative(lengthBytes);
        return new Span<byte>(AddressOf(offset, (ulong)lengthBytes), lengthBytes);
    }

    /// <summary>Bytes at an offset, to read. The span must not be used after <see cref="Dispose"/>.</summary>
    /// <param name="offset">An offset within the heap.</param>
    /// <param name="lengthBytes">How many bytes; they must lie within the committed heap, and should lie within one allocation.</param>
    /// <returns>The span.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The bytes lie outside the heap.</exception>
    public ReadOnlySpan<byte> GetReadOnlySpan(ShmOffset offset, int lengthBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(lengthBytes);
        return new ReadOnlySpan<byte>(AddressOf(offset, (ulong)lengthBytes), lengthBytes);
    }

    /// <summary>
    /// The place of a value of a type without references, for instance a structure or a word to use with <see cref="Interlocked"/>.
    /// </summary>
    /// <typeparam name="T">A type that has the same layout in all processes.</typeparam>
    /// <param name="offset">An offset within the heap, aligned as the type needs it.</param>
    /// <returns>A reference into shared memory.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The value would lie outside the heap.</exception>
    /// <exception cref="InvalidOperationException">The heap is attached read-only.</exception>
    public ref T GetReference<T>(ShmOffset offset)
        where T : unmanaged
    {
        ThrowIfReadOnly();
        return ref *(T*)AddressOf(offset, (ulong)sizeof(T));
    }

    /// <summary>The offset of an address that <see cref="GetPointer"/> gave.</summary>
    /// <param name="address">An address within the mapped heap, or null.</param>
    /// <returns>The offset; null for null.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The address lies outside the heap.</exception>
    public ShmOffset OffsetOf(void* address)
    {
        if (address == null)
        {
            return default;
        }

        using Visit visit = new(this);
        ShmOffset offset = new((ulong)((byte*)address - visit.Heap->UserBase));
        bool isInside = IsInside(visit.Heap, offset, 1);
        ThrowIfEnded(visit);
        return isInside
            ? offset
            : throw new ArgumentOutOfRangeException(nameof(address), $"0x{(ulong)address:x} is not inside heap '{Path}' as this process has mapped it.");
    }

    private byte* AddressOf(ShmOffset offset, ulong lengthBytes)
    {
        using Visit visit = new(this);
        CheckRange(visit, offset, lengthBytes);
        return visit.Heap->UserBase + offset.Value;
    }

    private void CheckRange(in Visit visit, ShmOffset offset, ulong lengthBytes)
    {
        bool isInside = IsInside(visit.Heap, offset, lengthBytes);
        ThrowIfEnded(visit);
        if (!isInside)
        {
            throw new ArgumentOutOfRangeException(
                nameof(offset),
                offset,
                $"{lengthBytes} bytes from there are not inside heap '{Path}', which has {CommittedBytes} bytes from offset {Geometry.Page} on.");
        }
    }

    private static bool IsInside(Attachment* heap, ShmOffset offset, ulong lengthBytes)
    {
        ulong relative = offset.Value - Geometry.Page;
        if (offset.Value < Geometry.Page || Fits(heap, relative, lengthBytes))
        {
            return offset.Value >= Geometry.Page;
        }

        // Another thread may have taken the larger size over a moment ago, so it is looked again in either case.
        Allocation.Growth<Memory.Hardware>.Refresh(heap);
        return Fits(heap, relative, lengthBytes);
    }

    private static bool Fits(Attachment* heap, ulong relative, ulong lengthBytes)
    {
        ulong committed = Volatile.Read(ref heap->Blocks) << heap->Geometry.BlockShift;
        return relative <= committed && lengthBytes <= committed - relative;
    }
}
