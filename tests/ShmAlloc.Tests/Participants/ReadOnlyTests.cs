using ShmAlloc.Tests.Support;

namespace ShmAlloc.Tests.Participants;

/// <summary>A read-only attachment sees everything and changes nothing.</summary>
public sealed class ReadOnlyTests
{
    [Fact]
    public void Every_operation_that_would_change_something_says_read_only_and_the_file_stays_as_it_was()
    {
        using TestHeap test = new(new ShmHeapOptions { SizeBytes = 256 << 10, MaximumSizeBytes = 1 << 20 });
        var small = test.Heap.Malloc(100);
        var large = test.Heap.Malloc(100_000);
        test.Heap.GetSpan(small, 100).Fill(9);
        var before = File.ReadAllBytes(test.Path);

        using (var reader = ShmHeap.AttachReadOnly(test.Path))
        {
            Assert.True(reader.IsReadOnly);
            Assert.Null(reader.ParticipantSlot);
            foreach (var size in (int[])[0, 1, 100, 5000, 100_000])
            {
                Assert.True(reader.Malloc(size, out var status).IsNull);
                Assert.Equal(ShmStatus.ReadOnly, status);
                Assert.True(reader.Calloc(2, size / 2, out status).IsNull);
                Assert.Equal(ShmStatus.ReadOnly, status);
                Assert.Equal(ShmStatus.ReadOnly, reader.Reserve(size, out _));
            }

            Assert.Equal(ShmStatus.ReadOnly, reader.Free(small));
            Assert.Equal(ShmStatus.ReadOnly, reader.Free(large));
            Assert.Equal(ShmStatus.ReadOnly, reader.Free(new ShmOffset(large.Value + 32)));
            Assert.Equal(ShmStatus.Ok, reader.Free(ShmOffset.Null));
            Assert.Equal(ShmStatus.ReadOnly, reader.Grow(1));
            Assert.Equal(0, reader.RecoverDead());
            Assert.Throws<InvalidOperationException>(() => reader.CompareExchangeRoot(0, 1, 0));
            Assert.Throws<InvalidOperationException>(() => reader.GetSpan(small, 1).Length);
            Assert.Throws<InvalidOperationException>(() => reader.GetReference<int>(small));

            Assert.False(reader.GetReadOnlySpan(small, 100).ContainsAnyExcept((byte)9));
            Assert.Equal(128, reader.UsableSize(small));
            Assert.Equal(2, reader.GetStatistics().Allocations);
            TestHeap.AssertSound(reader);
        }

        Assert.Equal(before, File.ReadAllBytes(test.Path));
    }

    [Fact]
    public void A_reader_follows_the_growth_of_others()
    {
        using TestHeap test = new(new ShmHeapOptions { SizeBytes = 256 << 10, MaximumSizeBytes = 8 << 20 });
        using var reader = ShmHeap.AttachReadOnly(test.Path);
        var offset = test.Heap.Malloc(1 << 20);
        test.Heap.GetSpan(offset, 1 << 20).Fill(3);
        Assert.False(reader.GetReadOnlySpan(offset, 1 << 20).ContainsAnyExcept((byte)3));
        Assert.Equal(1 << 20, reader.UsableSize(offset));
    }
}
