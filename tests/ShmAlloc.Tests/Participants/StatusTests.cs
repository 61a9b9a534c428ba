using ShmAlloc.Tests.Support;

namespace ShmAlloc.Tests.Participants;

/// <summary>Statuses that depend on who is attached, and how reservations end.</summary>
public sealed class StatusTests
{
    private static readonly ShmHeapOptions OneSlot = new() { SizeBytes = 1 << 20, MaxParticipants = 1 };

    [Fact]
    public void Without_a_slot_frees_and_single_word_allocations_still_work()
    {
        using TestHeap test = new(OneSlot);
        var ours = test.Heap.Malloc(100);
        using var other = test.Attach();
        Assert.Null(other.ParticipantSlot);

        Assert.Equal(ShmStatus.Ok, other.Free(ours));
        var small = other.Malloc(100, out var status);
        Assert.Equal(ShmStatus.Ok, status);
        Assert.Equal(ShmStatus.Ok, other.Free(small));
        TestHeap.AssertSound(other);
    }

    [Fact]
    public void F61_without_a_slot_what_needs_one_says_so()
    {
        using TestHeap test = new(OneSlot);
        using var other = test.Attach();
        Assert.True(other.Malloc(100_000, out var status).IsNull);
        Assert.Equal(ShmStatus.NoParticipantSlot, status);
        Assert.Equal(ShmStatus.NoParticipantSlot, other.Reserve(100, out _));
        Assert.Contains(nameof(ShmHeapOptions.MaxParticipants), status.Describe(), StringComparison.Ordinal);
    }

    [Fact]
    public void F61_who_asks_for_a_slot_is_refused_where_none_is_free()
    {
        using TestHeap test = new(OneSlot);
        ShmHeapOptions asking = new() { RequiresParticipantSlot = true };
        foreach (var attach in (Func<ShmHeap>[])[() => ShmHeap.Attach(test.Path, asking), () => ShmHeap.Open(test.Path, asking)])
        {
            var refused = Assert.Throws<ShmException>(attach);
            Assert.Equal(ShmFailure.AllSlotsTaken, refused.Reason);
            Assert.Contains("MaxParticipants", refused.Message, StringComparison.Ordinal);
        }

        using (var reader = ShmHeap.AttachReadOnly(test.Path, asking))
        {
            Assert.Null(reader.ParticipantSlot);
        }

        test.Heap.Dispose();
        using var heap = ShmHeap.Attach(test.Path, asking);
        Assert.NotNull(heap.ParticipantSlot);
    }

    [Theory]
    [InlineData(2000)]
    [InlineData(200_000)]
    public void Without_a_slot_an_allocation_of_several_words_can_be_freed_and_its_room_comes_back(int size)
    {
        using TestHeap test = new(OneSlot);
        var ours = test.Heap.Malloc(size);
        using (var other = test.Attach())
        {
            Assert.Equal(ShmStatus.Ok, other.Free(ours));
            Assert.Equal(ShmStatus.AlreadyFree, other.Free(ours));
        }

        TestHeap.AssertAllRoomCanBeAllocated(test.Heap);
    }

    [Fact]
    public void A_slot_that_was_given_up_is_taken_by_whoever_needs_it_next()
    {
        using TestHeap test = new(OneSlot);
        using var other = test.Attach();
        test.Heap.Dispose();
        Assert.Equal(ShmStatus.Ok, other.Reserve(100, out var reservation));
        Assert.Equal(0, other.ParticipantSlot);
        Assert.Equal(ShmStatus.Ok, other.Publish(reservation));
    }

    [Fact]
    public void An_attachment_holds_96_reservations_at_once()
    {
        using var test = TestHeap.OfSize(1 << 20);
        List<ShmReservation> held = [];
        for (var number = 0; number < 96; number++)
        {
            Assert.Equal(ShmStatus.Ok, test.Heap.Reserve(100, out var reservation));
            held.Add(reservation);
        }

        Assert.Equal(ShmStatus.TooManyReservations, test.Heap.Reserve(100, out _));
        Assert.False(test.Heap.Malloc(5000).IsNull);
        Assert.Equal(ShmStatus.Ok, test.Heap.Abandon(held[17]));
        Assert.Equal(ShmStatus.Ok, test.Heap.Reserve(100, out _));
    }

    [Fact]
    public void A_reservation_ends_once()
    {
        using var test = TestHeap.OfSize(1 << 20);
        test.Heap.Reserve(100, out var published);
        Assert.Equal(ShmStatus.Ok, test.Heap.Publish(published));
        Assert.Equal(ShmStatus.StaleReservation, test.Heap.Publish(published));
        Assert.Equal(ShmStatus.StaleReservation, test.Heap.Abandon(published));

        test.Heap.Reserve(100, out var next);
        Assert.Equal(ShmStatus.StaleReservation, test.Heap.Abandon(published));
        Assert.Equal(ShmStatus.Ok, test.Heap.Abandon(next));
        Assert.Equal(ShmStatus.StaleReservation, test.Heap.Publish(default));
    }

    [Theory]
    [InlineData(100)]
    [InlineData(100_000)]
    public void A_reservation_of_another_heap_is_stale_even_if_all_its_numbers_are_the_same(int size)
    {
        using var test = TestHeap.OfSize(1 << 20);
        using var twin = TestHeap.OfSize(1 << 20);
        Assert.Equal(ShmStatus.Ok, test.Heap.Reserve(size, out var ours));
        Assert.Equal(ShmStatus.Ok, twin.Heap.Reserve(size, out var theirs));
        Assert.Equal(ours.Offset, theirs.Offset);
        Assert.Equal(ShmStatus.StaleReservation, test.Heap.Publish(theirs));
        Assert.Equal(ShmStatus.Ok, test.Heap.Publish(ours));
    }

    [Theory]
    [InlineData(100)]
    [InlineData(5000)]
    [InlineData(100_000)]
    public void Nobody_can_free_or_measure_a_reservation_before_it_is_published(int size)
    {
        using var test = TestHeap.OfSize(1 << 20);
        using var other = test.Attach();
        Assert.Equal(ShmStatus.Ok, test.Heap.Reserve(size, out var reservation));
        Assert.NotEqual(ShmStatus.Ok, other.Free(reservation.Offset));
        Assert.Equal(0, other.UsableSize(reservation.Offset));
        Assert.Equal(ShmStatus.Ok, test.Heap.Publish(reservation));
        Assert.InRange(other.UsableSize(reservation.Offset), size, long.MaxValue);
        Assert.Equal(ShmStatus.Ok, other.Free(reservation.Offset));
    }

    [Fact]
    public void A_reserved_run_does_not_keep_the_heap_from_growing_or_from_saying_that_it_is_full()
    {
        using TestHeap test = new(new ShmHeapOptions { SizeBytes = 1 << 20, MaximumSizeBytes = 2 << 20, BlockBytes = 64 << 10 });
        Assert.Equal(ShmStatus.Ok, test.Heap.Reserve(1 << 20, out var reservation));
        using var other = test.Attach();
        Assert.False(other.Malloc(100).IsNull);
        Assert.False(other.Malloc(960 << 10).IsNull);
        Assert.True(other.Malloc(960 << 10, out var status).IsNull);
        Assert.Equal(ShmStatus.OutOfMemory, status);
        Assert.Equal(ShmStatus.Ok, test.Heap.Abandon(reservation));
    }

    [Fact]
    public void After_Dispose_every_operation_says_closed()
    {
        using var test = TestHeap.OfSize(1 << 20);
        var heap = test.Heap;
        var offset = heap.Malloc(100);
        heap.Free(heap.Malloc(40));
        Assert.Equal(ShmStatus.Ok, heap.Reserve(100, out var reservation));
        Assert.Equal(ShmStatus.Ok, heap.Abandon(reservation));
        heap.Dispose();
        heap.Dispose();

        foreach (var size in (int[])[1, 40, 100, 5000, 100_000])
        {
            Assert.True(heap.Malloc(size, out var status).IsNull);
            Assert.Equal(ShmStatus.Closed, status);
            Assert.True(heap.Calloc(1, size, out status).IsNull);
            Assert.Equal(ShmStatus.Closed, status);
            Assert.Equal(ShmStatus.Closed, heap.Reserve(size, out _));
        }

        Assert.Equal(ShmStatus.Closed, heap.Free(offset));
        Assert.Equal(ShmStatus.Closed, heap.Grow(1));
        Assert.Equal(ShmStatus.StaleReservation, heap.Publish(reservation));
        Assert.Equal(0, heap.UsableSize(offset));
        Assert.Equal(0, heap.RecoverDead());
    }

    [Fact]
    public void F63_what_a_disposed_heap_cannot_answer_it_refuses()
    {
        using TestHeap test = new();
        ShmHeap heap = test.Heap;
        ShmOffset offset = heap.Malloc(100);
        heap.Dispose();

        Assert.Throws<ObjectDisposedException>(() => heap.Verify());
        Assert.Throws<ObjectDisposedException>(() => heap.GetStatistics());
        Assert.Throws<ObjectDisposedException>(() => heap.ReadRoot(0));
        Assert.Throws<ObjectDisposedException>(() => heap.CompareExchangeRoot(0, 1, 0));
        Assert.Throws<ObjectDisposedException>(() => heap.GetSpan(offset, 100).Length);
        Assert.Throws<ObjectDisposedException>(() => heap.GetReadOnlySpan(offset, 100).Length);
        Assert.Throws<ObjectDisposedException>(() => heap.GetReference<int>(offset));
        Assert.Throws<ObjectDisposedException>(() => heap.IsFileCurrent);
        unsafe
        {
            Assert.Throws<ObjectDisposedException>(() => (nint)heap.GetPointer(offset));
            Assert.Throws<ObjectDisposedException>(() => heap.OffsetOf((void*)4096).IsNull);
        }
    }

    [Fact]
    public void Reservations_outlive_Dispose_until_they_are_published()
    {
        using var test = TestHeap.OfSize(1 << 20);
        var heap = test.Heap;
        Assert.Equal(ShmStatus.Ok, heap.Reserve(100, out var kept));
        Assert.Equal(ShmStatus.Ok, heap.Reserve(100_000, out var dropped));
        heap.Dispose();
        using var other = test.Attach();
        Assert.Equal(0, other.RecoverDead());

        heap.GetSpan(kept.Offset, 100).Fill(7);
        Assert.Equal(ShmStatus.Closed, heap.Reserve(100, out _));
        Assert.Equal(ShmStatus.Ok, heap.Publish(kept));
        Assert.Equal(ShmStatus.Ok, heap.Abandon(dropped));
        Assert.False(other.GetReadOnlySpan(kept.Offset, 100).ContainsAnyExcept((byte)7));
        Assert.Equal(1, other.GetStatistics().Participants);
        Assert.Equal(ShmStatus.Ok, other.Free(kept.Offset));
        TestHeap.AssertAllRoomCanBeAllocated(other);
    }

    [Fact]
    public void A_heap_that_was_disposed_while_a_reservation_lasts_allocates_nothing_more()
    {
        using var test = TestHeap.OfSize(1 << 20);
        var heap = test.Heap;
        heap.Free(heap.Malloc(40));
        heap.Reserve(100, out var reservation);
        heap.Dispose();
        foreach (var size in (int[])[40, 100, 5000, 100_000])
        {
            Assert.True(heap.Malloc(size, out var status).IsNull);
            Assert.Equal(ShmStatus.Closed, status);
        }

        Assert.Equal(ShmStatus.Ok, heap.Abandon(reservation));
    }

    [Fact]
    public void Every_status_has_a_sentence() =>
        Assert.All(Enum.GetValues<ShmStatus>(), status => Assert.NotEqual(((ShmStatus)(-1)).Describe(), status.Describe()));
}
