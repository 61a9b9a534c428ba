using ShmAlloc.Allocation;
using ShmAlloc.Caching;
using ShmAlloc.Memory;
using ShmAlloc.Participants;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Tests.Defects;

/// <summary>F4: what a caller says of a reservation is held against what the process itself knows of it.</summary>
public sealed unsafe class ChangedReservationTests : IDisposable
{
    private readonly TemporaryHeapPath _path = new();
    private readonly ShmHeap _heap;

    public ChangedReservationTests() => _heap = ShmHeap.Create(_path.Value, new ShmHeapOptions { SizeBytes = 1 << 20 });

    public void Dispose()
    {
        _heap.Dispose();
        _path.Dispose();
    }

    [Theory]
    [InlineData(100)]
    [InlineData(3000)]
    [InlineData(100_000)]
    public void A_reservation_is_ended_only_at_the_offset_that_was_handed_out(long bytes)
    {
        var attachment = _heap.Attachment;
        var neighbour = _heap.Malloc(bytes);
        Assert.Equal(ShmStatus.Ok, Heap<Hardware>.Reserve(attachment, (ulong)bytes, out var offset, out var cell, out var ticket));
        foreach (var other in new ulong[] { 0, 1, offset - 32, offset + 32, offset + 128, neighbour.Value, offset + (1 << 19), ulong.MaxValue })
        {
            Assert.Equal(ShmStatus.StaleReservation, Heap<Hardware>.EndReservation(attachment, other, cell, ticket, publish: false));
            Assert.Equal(ShmStatus.StaleReservation, Heap<Hardware>.EndReservation(attachment, other, cell, ticket, publish: true));
        }

        Assert.Equal(ShmStatus.StaleReservation, Heap<Hardware>.EndReservation(attachment, offset, -1, ticket, publish: true));
        Assert.Equal(ShmStatus.StaleReservation, Heap<Hardware>.EndReservation(attachment, offset, int.MaxValue, ticket, publish: true));
        Assert.Equal(ShmStatus.Ok, Heap<Hardware>.EndReservation(attachment, offset, cell, ticket, publish: true));
        Assert.Equal(ShmStatus.StaleReservation, Heap<Hardware>.EndReservation(attachment, offset, cell, ticket, publish: true));
        Assert.Equal(ShmStatus.Ok, _heap.Free(neighbour));
        Assert.Equal(1, _heap.GetStatistics().Allocations);
        Assert.True(_heap.Verify().IsSound);
    }

    /// <summary>"Working" would be exchanged for itself, while the thread that works ends the reservation.</summary>
    [Fact]
    public void A_reservation_that_a_thread_is_ending_cannot_be_ended_with_a_ticket_that_says_so()
    {
        var attachment = _heap.Attachment;
        Assert.Equal(ShmStatus.Ok, Heap<Hardware>.Reserve(attachment, 3000, out var offset, out var cell, out var ticket));
        foreach (var changed in new[] { ticket.Working, ticket.Held, ticket.Closed, new Ticket(ticket.Bits & ~7UL) })
        {
            Assert.False(Cells<Hardware>.TryStartWork(attachment, cell, changed));
        }

        Assert.True(Cells<Hardware>.TryStartWork(attachment, cell, ticket));
        Assert.Equal(ShmStatus.StaleReservation, Heap<Hardware>.EndReservation(attachment, offset, cell, ticket.Working, publish: false));
        Assert.False(Cells<Hardware>.TryStartWork(attachment, cell, ticket));
        Assert.Equal(ShmStatus.Ok, Reservations<Hardware>.End(attachment, (offset - 4096) / 32, cell, publish: false));
        HandedOut.Forget(attachment, cell);
        Cells<Hardware>.Release(attachment, cell);
        Assert.Equal(0, _heap.GetStatistics().Allocations);
        Assert.True(_heap.Verify().IsSound);
    }

    /// <summary>The cell of a lease has a ticket as well, and no length that means anything.</summary>
    [Fact]
    public void A_lease_is_no_reservation()
    {
        var cache = SharedCache.Open(_heap, "values");
        cache.Set("key"u8, "value"u8);
        Assert.Equal(CacheStatus.Ok, cache.Lease("key"u8, out var lease));
        var attachment = _heap.Attachment;
        for (var cell = 0; cell < attachment->Geometry.Cells; cell++)
        {
            var ticket = Cells<Hardware>.TicketOf(attachment, cell);
            for (ulong offset = 0; offset < 1 << 16; offset += 32)
            {
                Assert.Equal(ShmStatus.StaleReservation, Heap<Hardware>.EndReservation(attachment, offset, cell, ticket, publish: false));
            }
        }

        Assert.True(lease.Value.SequenceEqual("value"u8));
        lease.Dispose();
    }
}
