using ShmAlloc.Caching;
using ShmAlloc.Memory;

namespace ShmAlloc.Tests.Caching;

/// <summary>What becomes of caches in a file that outlives a start of the machine: its pages were written back in any order.</summary>
public sealed unsafe class RestartTests
{
    private const int TagAt = 48;

    [Fact]
    public void F16_all_caches_of_a_heap_begin_empty_after_the_machine_was_started()
    {
        using TestCache test = new(new SharedCacheOptions { Capacity = 2000 });
        var second = SharedCache.Open(test.Heap, "second", new() { Capacity = 1000 });
        test.Cache.Set("large"u8, new byte[1 << 20]);
        test.Cache.Set("pinned"u8, [1], new() { Pinned = true });
        for (var number = 0; number < 500; number++)
        {
            test.Cache.Set($"{number}", new byte[100], new() { Tags = CacheTags.Of("tag") });
            second.Set($"{number}", new byte[100]);
        }

        PretendStart(test.Heap);
        var after = test.OpenElsewhere();
        Assert.Empty(after.Enumerate());
        Assert.Empty(SharedCache.Open(after.Heap, "second").Enumerate());
        Assert.False(after.Contains("pinned"u8));
        Assert.Equal((0, 0), after.GetStatistics() is var statistics ? (statistics.Entries, statistics.Bytes) : default);
        after.Set("key"u8, [2]);
        Assert.Equal([2], test.OpenElsewhere().Get("key"u8)!);
        after.Clear();
        var walked = after.Heap.Verify();
        Assert.True(walked.IsSound, $"{walked}");
        Assert.Equal(2, walked.Allocations);
    }

    [Fact]
    public void F16_who_is_late_empties_nothing_that_was_set_since()
    {
        using TestCache test = new();
        PretendStart(test.Heap);
        var seen = test.Heap.Attachment->Header->ClockAnchor;
        var after = test.OpenElsewhere();
        after.Set("pinned"u8, [1], new() { Pinned = true });
        Assert.Equal(CacheStatus.Ok, CacheRestart<Hardware>.TryEmpty(test.Heap.Attachment, seen));
        Assert.True(after.Contains("pinned"u8));
    }

    [Fact]
    public void F16_who_finds_out_late_which_start_this_is_says_so_of_no_cache_that_was_not_emptied()
    {
        using TestCache test = new();
        test.Cache.Set("key"u8, [1]);
        PretendStart(test.Heap);
        var earlier = test.Heap.Attachment->Header->ClockAnchor;
        using var other = ShmHeap.Attach(test.Path);
        HeapClock.Now(other.Attachment);
        Assert.Equal(earlier, test.Heap.Attachment->Header->ClockAnchor);
        Assert.Empty(test.OpenElsewhere().Enumerate());
        Assert.NotEqual(earlier, test.Heap.Attachment->Header->ClockAnchor);
        var now = HeapClock.Now(test.OpenElsewhere().Heap.Attachment);
        Assert.InRange(HeapClock.Now(other.Attachment), now, now + 10_000);
    }

    [Fact]
    public void F16_what_leads_to_nothing_of_the_cache_goes_as_well()
    {
        using TestCache test = new();
        test.Cache.Set("key"u8, [1]);
        var table = test.Heap.Attachment->Tables[0];
        table.Buckets[3] = 5;
        table.Buckets[12] = (1UL << 40) - 7;
        PretendStart(test.Heap);
        Assert.Empty(test.OpenElsewhere().Enumerate());
        Assert.Equal(0UL, (table.Buckets[3] | table.Buckets[12]) & ((1UL << 40) - 1));
    }

    [Fact]
    public void Who_may_only_read_empties_nothing()
    {
        using TestCache test = new();
        test.Cache.Set("key"u8, [1]);
        PretendStart(test.Heap);
        Assert.Equal([1], test.OpenReadOnly().Get("key"u8)!);
        Assert.Equal([1], test.Cache.Get("key"u8)!);
    }

    /// <summary>The anchor of the clock names another start, as it does when the machine is started again.</summary>
    private static void PretendStart(ShmHeap heap) => heap.Attachment->Header->ClockAnchor ^= 2UL << TagAt;
}
