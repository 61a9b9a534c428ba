using ShmAlloc.Allocation;
using ShmAlloc.Caching;
using ShmAlloc.Layout;
using ShmAlloc.Memory;

namespace ShmAlloc.Participants;

/// <summary>How an attachment ends: no new cell is given out, and the last operation or reservation that has one gives up the slot.</summary>
internal static unsafe class Departure<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Begins to leave. Operations under way finish; reservations may still be published or abandoned.</summary>
    internal static void Begin(Attachment* heap)
    {
        TMachine.Announce(&heap->Closing, 1);
        TMachine.Write(&heap->RequestLimit, 0);
        TMachine.Write(&heap->ShortLimit, 0);
        TryFinish(heap);
    }

    /// <summary>
    /// Gives up the slot and the mapping, unless a thread still has a cell or is in a call that needs the mapping: the last one out calls this again.
    /// </summary>
    internal static void TryFinish(Attachment* heap)
    {
        if (!TryCloseTickets(heap) || !Visits<TMachine>.AreOver(heap) || TMachine.CompareExchange(&heap->Joining, 1, 0) != 0)
        {
            return;
        }

        if (TMachine.CompareExchange(&heap->Ended, 1, 0) == 0)
        {
            if (heap->Slot >= 0)
            {
                CacheCounts<TMachine>.FlushAll(heap);
                GiveUpSlot(heap);
            }

            TMachine.Retire(heap);
        }

        TMachine.Write(&heap->Joining, 0);
    }

    /// <summary>Leaves, for an attachment that nobody but this thread knows; the mapping stays.</summary>
    internal static void GiveUp(Attachment* heap)
    {
        if (heap->Slot >= 0)
        {
            GiveUpSlot(heap);
            heap->Slot = -1;
        }
    }

    /// <summary>Takes every ticket for good. A thread that comes late finds none, so it cannot write into a slot that is not ours any more.</summary>
    /// <returns>False if a thread still has one: then it does this when it gives the ticket back.</returns>
    private static bool TryCloseTickets(Attachment* heap)
    {
        bool all = true;
        for (int cell = 0; cell < heap->Geometry.Cells; cell++)
        {
            Ticket ticket = Cells<TMachine>.TicketOf(heap, cell);
            if (ticket.IsFree)
            {
                // Another thread that disposes may close it first: then it is as closed as by this one. A thread that took that for a ticket in use would leave
                // the end to the other one, and the other one to it.
                ulong found = TMachine.CompareExchange(Cells<TMachine>.TicketAt(heap, cell), ticket.Closed.Bits, ticket.Bits);
                ticket = found == ticket.Bits ? ticket.Closed : new Ticket(found);
            }

            all &= ticket.IsClosed;
        }

        return all;
    }

    /// <summary>Block words, then FREE, then unlock.</summary>
    /// <remarks>Takes effect at ACTIVE → FREE. Death before it: recovery does what is left; after it: the kernel drops the lock.</remarks>
    private static void GiveUpSlot(Attachment* heap)
    {
        Growth<TMachine>.Refresh(heap);
        for (ulong block = 0; block < heap->Blocks; block++)
        {
            OpenBlock<TMachine>.Disown(heap, block);
        }

        SlotWord active = Recovery<TMachine>.ReadSlot(heap, heap->Slot);
        TMachine.CompareExchange(&heap->Slots[heap->Slot].Word, active.GivenUp.Bits, active.Bits);
        Bell<TMachine>.Ring(heap);
        TMachine.ReleaseSlot(heap);
    }
}
