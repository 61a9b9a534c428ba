using ShmAlloc.Tests.Support;

namespace ShmAlloc.Tests.Defects;

/// <summary>Defects 8 and 9 of the original: sizes that users could damage, and arithmetic that overflowed.</summary>
public sealed class SizeDefectTests
{
    [Theory]
    [InlineData(0x00)]
    [InlineData(0xFF)]
    public void Defect_8_nothing_that_users_write_into_their_memory_misleads_a_free(byte pattern)
    {
        using var test = TestHeap.OfSize(256 << 10);
        var heap = test.Heap;
        var all = new long[] { 1, 32, 100, 1024, 3000, 5000, 100_000 }.Select(size => heap.Malloc(size)).ToList();

        // Every byte of the region, also in front of the allocations and behind them.
        heap.GetSpan(new ShmOffset(4096), 256 << 10).Fill(pattern);
        foreach (var offset in all)
        {
            Assert.Equal(ShmStatus.Ok, heap.Free(offset));
            Assert.Equal(ShmStatus.AlreadyFree, heap.Free(offset));
        }

        TestHeap.AssertAllRoomCanBeAllocated(heap);
    }

    [Fact]
    public void Defect_8_a_request_of_exactly_the_limit_succeeds()
    {
        using TestHeap test = new(new ShmHeapOptions { SizeBytes = 64 << 10, LargestAllocationBytes = 1024 });
        var offset = test.Heap.Malloc(1024, out var status);
        Assert.Equal(ShmStatus.Ok, status);
        Assert.Equal(1024, test.Heap.UsableSize(offset));
    }

    [Fact]
    public void Defect_8_a_request_of_a_unit_takes_a_unit()
    {
        using var test = TestHeap.OfSize(64 << 10);
        Assert.Equal(32, test.Heap.UsableSize(test.Heap.Malloc(32)));
        Assert.Equal(32, test.Heap.GetStatistics().UsedBytes);
    }

    [Theory]
    [InlineData(long.MaxValue, 2L)]
    [InlineData(long.MaxValue, long.MaxValue)]
    [InlineData(1L << 32, 1L << 32)]
    [InlineData((1L << 33) + 1, 1L << 31)]
    public void Defect_9_a_product_that_overflows_is_refused(long count, long size)
    {
        using var test = TestHeap.OfSize(64 << 10);
        Assert.True(test.Heap.Calloc(count, size, out var status).IsNull);
        Assert.True(status is ShmStatus.InvalidSize or ShmStatus.TooLarge, $"{status}");
        Assert.Equal(0, test.Heap.GetStatistics().Allocations);
    }

    [Fact]
    public void Defect_9_freeing_null_is_fine_and_touches_nothing()
    {
        using var test = TestHeap.OfSize(64 << 10);
        var before = File.ReadAllBytes(test.Path);
        Assert.Equal(ShmStatus.Ok, test.Heap.Free(ShmOffset.Null));
        Assert.Equal(before, File.ReadAllBytes(test.Path));
    }
}
