using ShmAlloc.Allocation;
using ShmAlloc.Caching;
using ShmAlloc.Memory;
using ShmAlloc.Memory.Linux;
using ShmAlloc.Participants;
using ShmAlloc.Tests.Support;

namespace ShmAlloc.Tests.Allocation;

/// <summary>F54: what a heap does not use goes back to the system, on request and after a while, but for its initial size.</summary>
public sealed unsafe class TrimTests
{
    private const long Initial = 16 << 20;
    private const long Maximum = 512 << 20;
    private const int Run = 1 << 20;

    /// <summary>For page tables of the file, and what the figures of a file system are rounded to.</summary>
    private const ulong Slack = 1 << 20;

    private static readonly ShmHeapOptions Large = new() { SizeBytes = Initial, MaximumSizeBytes = Maximum, TrimAfter = Timeout.InfiniteTimeSpan };

    private static readonly ShmHeapOptions Small = Large with { SizeBytes = 1 << 20, MaximumSizeBytes = 16 << 20 };

    [Fact]
    public void F54_a_heap_that_was_filled_and_freed_keeps_the_storage_of_its_initial_size_and_no_more()
    {
        using TestHeap test = new(Large);
        var runs = TestHeap.Fill(test.Heap, Run);
        Assert.InRange(StorageOf(test.Path), (ulong)Maximum, ulong.MaxValue);
        runs.ForEach(offset => Assert.Equal(ShmStatus.Ok, test.Heap.Free(offset)));

        Assert.Equal(Maximum - Initial, test.Heap.Trim());
        var statistics = test.Heap.GetStatistics();
        Assert.InRange(StorageOf(test.Path), (ulong)Initial, (ulong)(Initial + statistics.ManagementBytes) + Slack);
        Assert.Equal((Maximum, Maximum - Initial), (statistics.CommittedBytes, statistics.GivenBackBytes));
        Assert.Equal((Maximum, Maximum), (statistics.FreeBytes, statistics.LargestFreeBytes));
        Assert.Equal(statistics.GivenBackBytes / test.Heap.BlockBytes, statistics.Blocks.GivenBack);
        Assert.Equal(0, test.Heap.Trim());
        TestHeap.AssertSound(test.Heap);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(3000)]
    [InlineData(40_000)]
    [InlineData(200_000)]
    [InlineData(16 << 20)]
    public void What_was_given_back_can_all_be_allocated_and_written_again(int sizeBytes)
    {
        using TestHeap test = new(Small);
        var first = TestHeap.Fill(test.Heap, sizeBytes);
        first.ForEach(offset => test.Heap.Free(offset));
        Assert.InRange(test.Heap.Trim(), 1, 15 << 20);

        var second = TestHeap.Fill(test.Heap, sizeBytes);
        Assert.Equal(first.Count, second.Count);
        second.ForEach(offset => test.Heap.GetSpan(offset, sizeBytes).Fill((byte)(offset.Value >> 5)));
        Assert.All(second, offset => Assert.Equal(-1, test.Heap.GetReadOnlySpan(offset, sizeBytes).IndexOfAnyExcept((byte)(offset.Value >> 5))));
        second.ForEach(offset => test.Heap.Free(offset));
        test.Heap.Trim();
        TestHeap.AssertAllRoomCanBeAllocated(test.Heap);
    }

    [Fact]
    public void What_is_in_use_is_not_given_back()
    {
        using TestHeap test = new(Small);
        var all = TestHeap.Fill(test.Heap, 50_000);
        var kept = all.Where((_, index) => index % 7 == 0).ToList();
        kept.ForEach(offset => test.Heap.GetSpan(offset, 50_000).Fill(7));
        all.Except(kept).ToList().ForEach(offset => test.Heap.Free(offset));
        Assert.InRange(test.Heap.Trim(), 8 << 20, 14 << 20);
        Assert.All(kept, offset => Assert.Equal(-1, test.Heap.GetReadOnlySpan(offset, 50_000).IndexOfAnyExcept((byte)7)));
    }

    [Fact]
    public void A_run_takes_free_and_bare_blocks_in_a_row_before_the_heap_grows()
    {
        using TestHeap test = new(Small);
        Assert.Equal(ShmStatus.Ok, test.Heap.Grow(7 << 20));
        test.Heap.Trim();
        var run = test.Heap.Malloc(8 << 20);
        Assert.False(run.IsNull);
        Assert.Equal(8 << 20, test.Heap.CommittedBytes);
        Assert.Equal(0, test.Heap.GetStatistics().GivenBackBytes);

        test.Heap.Free(run);
        test.Heap.Trim();
        Assert.False(test.Heap.Malloc(10 << 20).IsNull);
        Assert.Equal(10 << 20, test.Heap.CommittedBytes);
    }

    [Fact]
    public void Nothing_is_given_back_of_the_initial_size_or_by_those_who_cannot_or_while_there_is_a_cache()
    {
        using (var fixedSize = TestHeap.OfSize(4 << 20))
        {
            var before = StorageOf(fixedSize.Path);
            Assert.Equal(0, fixedSize.Heap.Trim());
            Assert.Equal(before, StorageOf(fixedSize.Path));
        }

        using TestHeap test = new(Small);
        Assert.Equal(ShmStatus.Ok, test.Heap.Grow(4 << 20));
        using (var reader = ShmHeap.AttachReadOnly(test.Path))
        {
            Assert.Equal(0, reader.Trim());
            Assert.False(reader.GetStatistics().CanGiveBack);
        }

        var left = test.Attach();
        left.Dispose();
        Assert.Equal(0, left.Trim());

        Assert.True(test.Heap.GetStatistics().CanGiveBack);
        SharedCache.Open(test.Heap, "any");
        Assert.Equal(0, test.Heap.Trim());
        Assert.False(test.Heap.GetStatistics().CanGiveBack);

        using TestHeap tiny = new(Small with { UnitBytes = 16, BlockBytes = 512, SizeBytes = 1 << 16, MaximumSizeBytes = 1 << 20 });
        Assert.Equal(ShmStatus.Ok, tiny.Heap.Grow(1 << 16));
        Assert.Equal(0, tiny.Heap.Trim());
    }

    [Fact]
    public void A_heap_with_bare_blocks_is_attached_without_filling_them_also_read_only()
    {
        using TestHeap test = new(Small);
        Assert.Equal(ShmStatus.Ok, test.Heap.Grow(8 << 20));
        test.Heap.Trim();
        var storage = StorageOf(test.Path);
        using var other = test.Attach();
        using var reader = ShmHeap.AttachReadOnly(test.Path);
        Assert.Equal(storage, StorageOf(test.Path));
        TestHeap.AssertSound(reader);
        Assert.False(other.Malloc(9 << 20).IsNull);
    }

    [Fact]
    public void Of_a_copy_with_holes_only_those_of_bare_blocks_stay()
    {
        using TestHeap test = new(Small);
        Assert.Equal(ShmStatus.Ok, test.Heap.Grow(8 << 20));
        var kept = test.Heap.Malloc(3 << 20);
        test.Heap.Trim();
        var storage = StorageOf(test.Path);

        using TestSupport.TemporaryHeapPath copy = new();
        CopySparsely(test.Path, copy.Value);
        Assert.InRange(StorageOf(copy.Value), 0UL, storage / 2);
        ShmHeapOptions allowed = new() { AllowCopy = true };
        Assert.Equal(ShmFailure.SparseReadOnly, Assert.Throws<ShmException>(() => ShmHeap.AttachReadOnly(copy.Value, allowed)).Reason);
        using var heap = ShmHeap.Attach(copy.Value, allowed);
        Assert.InRange(StorageOf(copy.Value), storage - Slack, storage + Slack);
        Assert.Equal(3 << 20, heap.UsableSize(kept));
        using var reader = ShmHeap.AttachReadOnly(copy.Value);
        TestHeap.AssertSound(reader);
        Assert.False(heap.Malloc(5 << 20).IsNull);
    }

    [Fact]
    public void What_has_been_free_from_one_round_to_the_next_is_given_back_a_few_megabytes_at_a_time()
    {
        using TestHeap test = new(Small);
        Assert.Equal(ShmStatus.Ok, test.Heap.Grow(15 << 20));
        Round(test.Heap, 1, times: 100);
        Assert.Equal(0, test.Heap.GetStatistics().GivenBackBytes);
        Round(test.Heap, 2, times: 1);
        Assert.Equal(4 << 20, test.Heap.GetStatistics().GivenBackBytes);
        Round(test.Heap, 2, times: 100);
        Assert.Equal(15 << 20, test.Heap.GetStatistics().GivenBackBytes);
        TestHeap.AssertSound(test.Heap);
        TestHeap.AssertAllRoomCanBeAllocated(test.Heap);
    }

    [Theory]
    [InlineData(200_000)]
    [InlineData(1000)]
    public void Room_that_is_used_again_and_again_keeps_its_storage_however_often_it_is_empty(int sizeBytes)
    {
        using TestHeap test = new(Small);
        for (var round = 1; round < 6; round++)
        {
            TestHeap.Fill(test.Heap, sizeBytes).ForEach(offset => test.Heap.Free(offset));
            Round(test.Heap, round, times: 100);
            Assert.Equal(0, test.Heap.GetStatistics().GivenBackBytes);
        }

        // From now on nobody uses it. Blocks that held small objects are closed, then marked, then given back.
        Round(test.Heap, 10, times: 100);
        Round(test.Heap, 11, times: 100);
        Round(test.Heap, 12, times: 100);
        Assert.Equal(15 << 20, test.Heap.GetStatistics().GivenBackBytes);
    }

    [Fact]
    public void A_round_begins_only_after_the_time_that_was_asked_for()
    {
        using TestHeap test = new(Small with { TrimAfter = TimeSpan.FromSeconds(100) });
        Assert.Equal(ShmStatus.Ok, test.Heap.Grow(1 << 20));
        GoOn(test.Heap, 1_000_000_000);
        GoOn(test.Heap, 1_000_099_000);
        GoOn(test.Heap, 1_000_099_500);
        Assert.Equal(0, test.Heap.GetStatistics().GivenBackBytes);
        GoOn(test.Heap, 1_000_103_000);
        Assert.Equal(1 << 20, test.Heap.GetStatistics().GivenBackBytes);
    }

    [Fact]
    public void Those_who_work_take_the_steps_of_the_rounds_by_themselves()
    {
        using TestHeap test = new(Small with { TrimAfter = TimeSpan.FromMilliseconds(1) });
        Assert.Equal(ShmStatus.Ok, test.Heap.Grow(15 << 20));
        var limit = DateTime.UtcNow.AddMinutes(2);
        while (test.Heap.GetStatistics().GivenBackBytes == 0)
        {
            Assert.True(DateTime.UtcNow < limit, "Nothing was given back in two minutes.");
            test.Heap.Free(test.Heap.Malloc(100_000));
        }
    }

    [Fact]
    public void The_time_must_be_positive_and_infinite_means_never()
    {
        using TestSupport.TemporaryHeapPath path = new();
        Assert.Throws<ArgumentOutOfRangeException>(() => ShmHeap.Create(path.Value, new ShmHeapOptions { TrimAfter = TimeSpan.Zero }));
        using TestHeap never = new(Small);
        using TestHeap usual = new(Small with { TrimAfter = null });
        Assert.Equal((0UL, 10_000UL), (never.Heap.Attachment->TrimAfter, usual.Heap.Attachment->TrimAfter));
    }

    /// <summary>Works for so many times of those who open blocks or free runs, in a round that begins an hour after the one before.</summary>
    private static void Round(ShmHeap heap, int number, int times)
    {
        heap.Attachment->TrimAfter = 1000;
        for (; times > 0; times--)
        {
            GoOn(heap, (ulong)number * 3_600_000);
        }

        heap.Attachment->TrimAfter = 0;
    }

    private static void GoOn(ShmHeap heap, ulong now)
    {
        Assert.Equal(ShmStatus.Ok, Cells<Hardware>.TryTakeForOperation(heap.Attachment, out var cell));
        TrimRounds<Hardware>.GoOn(heap.Attachment, now);
        Cells<Hardware>.Release(heap.Attachment, cell);
    }

    private static ulong StorageOf(string path)
    {
        using var handle = File.OpenHandle(path);
        Assert.True(FileStatus.TryRead((int)handle.DangerousGetHandle(), out var status));
        return status.BackedBytes;
    }

    /// <summary>As tools do that leave out pages of zeros.</summary>
    private static void CopySparsely(string from, string to)
    {
        using var source = File.OpenRead(from);
        using var target = new FileStream(
            to,
            new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
        target.SetLength(source.Length);
        var page = new byte[4096];
        while (source.ReadAtLeast(page, page.Length, throwOnEndOfStream: false) is > 0 and var length)
        {
            if (page.AsSpan(0, length).IndexOfAnyExcept((byte)0) >= 0)
            {
                target.Position = source.Position - length;
                target.Write(page, 0, length);
            }
        }
    }
}
