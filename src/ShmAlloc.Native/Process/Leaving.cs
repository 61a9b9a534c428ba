using ShmAlloc.Allocation;
using ShmAlloc.Memory;
using ShmAlloc.Memory.Linux;
using ShmAlloc.Participants;

namespace ShmAlloc.Native.Process;

/// <summary>What becomes of an attachment that this process leaves while other threads may be in the middle of calls.</summary>
/// <remarks>
/// Calls that have a ticket finish first: the last one gives up the slot and replaces the mapping by zeros. Those that need none (one word) may read
/// the zeros later still, so both the zeros and the private memory stay as long as there are other threads.
/// </remarks>
internal static unsafe class Leaving
{
    // Written through its address.
#pragma warning disable IDE0044
    private static Attachment* _last;
#pragma warning restore IDE0044

    /// <summary>The attachment that was left last, if its address space is still taken; the others follow.</summary>
    internal static Attachment* Last
    {
        get
        {
            fixed (Attachment** at = &_last)
            {
                return (Attachment*)Volatile.Read(ref *(nint*)at);
            }
        }
    }

    /// <summary>Leaves an attachment that calls do not find any more.</summary>
    internal static void Leave(Attachment* heap)
    {
        Departure<Hardware>.Begin(heap);
        GiveBackWhatWasHandedOut(heap);
        if (Threads.IsOnlyOne)
        {
            // Whatever ticket is still taken was left behind by a call that will not go on.
            Free(heap);
        }
        else
        {
            Push(heap);
        }
    }

    /// <summary>
    /// Gives back what others may have read while this process had other threads, if it has none now. Not for signal handlers: the call that they
    /// interrupted may be one of those.
    /// </summary>
    internal static void FreeWhatNobodyUses()
    {
        if (Last == null || !Threads.IsOnlyOne)
        {
            return;
        }

        Attachment* next;
        for (Attachment* heap = TakeAll(); heap != null; heap = next)
        {
            next = heap->NextLeft;
            if (heap->Retired != 0)
            {
                Free(heap);
            }
            else
            {
                // Its last call will never end: that thread was cancelled; or it was our parent's, and we were forked from another one.
                Push(heap);
            }
        }
    }

    /// <summary>
    /// The caller can use neither reservations nor leases of a heap that he has left; but each has a ticket, and the last one gives up the slot. What is
    /// handed out just now is given back by the thread that does so: it looks whether the heap is closing after it made its note, and we look at the
    /// notes after we said that it is.
    /// </summary>
    private static void GiveBackWhatWasHandedOut(Attachment* heap)
    {
        for (int cell = 0; cell < heap->Geometry.Cells; cell++)
        {
            GiveBackHandedOut(heap, cell);
        }
    }

    /// <summary>Ends the reservation or the lease of a cell, unless another thread is doing so.</summary>
    internal static void GiveBackHandedOut(Attachment* heap, int cell)
    {
        ulong offset = HandedOut.OffsetOf(heap, cell);
        bool isLease = HandedOut.IsLease(heap, cell);
        Ticket ticket = Cells<Hardware>.TicketOf(heap, cell);
        if (offset != 0)
        {
            Heap<Hardware>.EndReservation(heap, offset, cell, ticket, publish: false);
        }
        else if (isLease && Cells<Hardware>.TryStartWork(heap, cell, ticket))
        {
            HandedOut.Forget(heap, cell);
            Cells<Hardware>.Release(heap, cell);
        }
    }

    private static void Free(Attachment* heap)
    {
        ProcessHeap.HideFromChildren(heap);
        Mapping.Free(heap);
    }

    private static Attachment* TakeAll()
    {
        fixed (Attachment** at = &_last)
        {
            return (Attachment*)Interlocked.Exchange(ref *(nint*)at, 0);
        }
    }

    private static void Push(Attachment* heap)
    {
        fixed (Attachment** at = &_last)
        {
            nint seen;
            do
            {
                seen = Volatile.Read(ref *(nint*)at);
                heap->NextLeft = (Attachment*)seen;
            }
            while (Interlocked.CompareExchange(ref *(nint*)at, (nint)heap, seen) != seen);
        }
    }
}
