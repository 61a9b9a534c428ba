using ShmAlloc.Layout;
using ShmAlloc.Participants;

namespace ShmAlloc.Memory.Linux;

/// <summary>
/// The room at an address that the caller fixed. A heap is mapped there only over what is nobody's: nothing; or memory that the caller reserved, which
/// nobody may read or write; or what an attachment of the same heap has left there. In the end it is again what it was before.
/// </summary>
internal unsafe struct Room
{
    private byte* _address;
    private ulong _bytes;
    private Before _before;

    /// <summary>The attachment that has left the room, of <see cref="Before.Left"/>.</summary>
    private Attachment* _previous;

    private enum Before
    {
        /// <summary>Nothing was mapped.</summary>
        Nothing,

        /// <summary>The caller's reservation.</summary>
        Reserved,

        /// <summary>The zeros that an attachment leaves behind; calls that began while it was there may still read them.</summary>
        Left,
    }

    internal readonly bool IsFixed => _address != null;

    internal readonly byte* Address => _address;

    /// <summary>Takes so much room, so that nothing else of this process comes to lie there, our own private memory above all.</summary>
    /// <param name="address">The start of a page.</param>
    /// <param name="bytes">What a heap is expected to need.</param>
    /// <param name="left">Attachments that this process has left, linked by <see cref="Attachment.NextLeft"/>.</param>
    /// <param name="room">The room.</param>
    /// <returns>False, and the error number of the last call, if it cannot be had; "exists", if something else is there.</returns>
    internal static bool TryTake(void* address, ulong bytes, Attachment* left, out Room room)
    {
        room = default;
        room._address = (byte*)address;
        room._bytes = bytes;
        for (; left != null; left = left->NextLeft)
        {
            bool overlaps = left->Mapping != null && left->Mapping < room._address + bytes && room._address < left->Mapping + left->MappingBytes;
            if (!overlaps)
            {
                continue;
            }

            if (Volatile.Read(ref left->Retired) == 0 || left->Mapping != room._address || room._previous != null)
            {
                Libc.Error = Libc.Exists;
                return false;
            }

            room._previous = left;
        }

        if (room._previous != null)
        {
            room._before = Before.Left;
            room._bytes = room._previous->MappingBytes;
            return true;
        }

        return TryClaim(room._address, bytes, out room._before);
    }

    /// <summary>Makes sure that the heap that was found fits in.</summary>
    /// <remarks>
    /// A call of another thread that began before the previous attachment was left may still change single words of what is mapped here. In the same heap
    /// that is as right as it was then; in another one it would be damage.
    /// </remarks>
    internal bool TryFit(Attachment* heap, ulong bytes)
    {
        bool fits = true;
        if (_before == Before.Left)
        {
            fits = bytes == _bytes && _previous->Device == heap->Device && _previous->Inode == heap->Inode;
        }
        else if (bytes > _bytes)
        {
            byte* rest = _address + _bytes;
            fits = TryClaim(rest, bytes - _bytes, out Before before);
            if (fits && before != _before)
            {
                GiveBack(rest, bytes - _bytes, before);
                fits = false;
            }

            _bytes = fits ? bytes : _bytes;
        }

        Libc.Error = fits ? Libc.Error : Libc.Exists;
        return fits;
    }

    /// <summary>The heap lies there now: what it does not need is given back, and the previous attachment has no part in it any more.</summary>
    internal void Settle(ulong bytes)
    {
        if (_before == Before.Left)
        {
            Attachment* previous = _previous;
            _before = previous->Room._before;
            _previous = null;
            previous->Mapping = null;
            previous->Room = default;
        }
        else if (_before == Before.Nothing && bytes < _bytes)
        {
            Libc.Unmap(_address + bytes, (nuint)(_bytes - bytes));
            _bytes = bytes;
        }
    }

    /// <summary>Takes the heap out of the room, and keeps that.</summary>
    internal readonly void Clear(ulong bytes)
    {
        if (_before == Before.Left)
        {
            Mapping.TryReplaceByZeros(_address, bytes);
        }
        else
        {
            Libc.Map(_address, (nuint)bytes, 0, Libc.MapPrivate | Libc.MapAnonymous | Libc.MapNoReserve | Libc.MapFixed, -1, 0);
        }
    }

    /// <summary>Ends it. A reservation stays the caller's.</summary>
    internal void GiveBack()
    {
        if (IsFixed)
        {
            GiveBack(_address, _bytes, _before);
        }

        this = default;
    }

    private static void GiveBack(byte* address, ulong bytes, Before before)
    {
        if (before == Before.Nothing)
        {
            Libc.Unmap(address, (nuint)bytes);
        }
    }

    /// <summary>Takes what is free, or finds that the caller has reserved it.</summary>
    private static bool TryClaim(byte* address, ulong bytes, out Before before)
    {
        before = Before.Nothing;
        if ((ulong)address % Geometry.Page != 0)
        {
            Libc.Error = Libc.Invalid;
            return false;
        }

        void* at = Libc.Map(
            address, (nuint)bytes, 0, Libc.MapPrivate | Libc.MapAnonymous | Libc.MapNoReserve | Libc.MapFixedNoReplace, -1, 0);
        if (at == address)
        {
            return true;
        }

        if (at != Libc.MapFailed)
        {
            // A kernel before Linux 4.17 takes the address for a wish, and grants another one where this one is not free.
            Libc.Unmap(at, (nuint)bytes);
        }
        else if (Libc.Error != Libc.Exists)
        {
            return false;
        }

        before = Before.Reserved;
        bool isReserved = MemoryMap.IsReserved(address, bytes);
        Libc.Error = isReserved ? Libc.Error : Libc.Exists;
        return isReserved;
    }
}
