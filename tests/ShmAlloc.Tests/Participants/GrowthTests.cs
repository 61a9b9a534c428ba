using ShmAlloc.Tests.Support;

namespace ShmAlloc.Tests.Participants;

/// <summary>Growth, on demand and by call, and how others come to know of it.</summary>
public sealed class GrowthTests
{
    private const long MiB = 1 << 20;

    private static readonly ShmHeapOptions Growing = new() { SizeBytes = 256 << 10, MaximumSizeBytes = 4 * MiB };

    [Fact]
    public void The_heap_grows_on_demand_up_to_its_maximum_and_not_beyond()
    {
        using TestHeap test = new(Growing);
        Assert.Equal(256 << 10, test.Heap.CommittedBytes);
        TestHeap.AssertAllRoomCanBeAllocated(test.Heap);
        Assert.Equal(4 * MiB, test.Heap.CommittedBytes);
        Assert.Equal(ShmStatus.OutOfMemory, test.Heap.Grow(1));
    }

    [Fact]
    public void Another_attachment_uses_the_new_room_without_doing_anything()
    {
        using TestHeap test = new(Growing);
        using var other = test.Attach();
        var offset = test.Heap.Malloc(2 * MiB);
        test.Heap.GetSpan(offset, (int)(2 * MiB)).Fill(5);
        Assert.Equal(256 << 10, other.CommittedBytes);

        Assert.Equal(2 * MiB, other.UsableSize(offset));
        Assert.False(other.GetReadOnlySpan(offset, (int)(2 * MiB)).ContainsAnyExcept((byte)5));
        Assert.Equal(ShmStatus.Ok, other.Free(offset));
        TestHeap.AssertAllRoomCanBeAllocated(other);
    }

    [Fact]
    public void A_run_that_begins_in_the_old_room_and_ends_in_the_new_can_be_used_by_those_who_know_only_the_old()
    {
        using TestHeap test = new(Growing);
        var reader = ShmHeap.AttachReadOnly(test.Path);
        var other = test.Attach();
        var offset = test.Heap.Malloc(3 * MiB);
        Assert.InRange(offset.Value, 0UL, 256UL << 10);
        Assert.Equal(3 * MiB, reader.UsableSize(offset));
        Assert.Equal(ShmStatus.Ok, other.Free(offset));
        Assert.Equal(ShmStatus.AlreadyFree, test.Heap.Free(offset));
        reader.Dispose();
        other.Dispose();
    }

    [Fact]
    public void Grow_gives_at_least_what_was_asked_for()
    {
        using TestHeap test = new(Growing);
        Assert.Equal(ShmStatus.Ok, test.Heap.Grow(100_000));
        Assert.InRange(test.Heap.CommittedBytes, (256 << 10) + 100_000, 4 * MiB);
        Assert.Equal(ShmStatus.OutOfMemory, test.Heap.Grow(4 * MiB));
        Assert.Throws<ArgumentOutOfRangeException>(() => test.Heap.Grow(-1));
        TestHeap.AssertSound(test.Heap);
    }

    [Fact]
    public void Offsets_stay_valid_while_the_heap_grows()
    {
        using TestHeap test = new(Growing);
        var first = test.Heap.Malloc(1000);
        test.Heap.GetSpan(first, 1000).Fill(1);
        while (!test.Heap.Malloc(1000).IsNull)
        {
        }

        Assert.Equal(4 * MiB, test.Heap.CommittedBytes);
        Assert.False(test.Heap.GetReadOnlySpan(first, 1000).ContainsAnyExcept((byte)1));
    }
}
