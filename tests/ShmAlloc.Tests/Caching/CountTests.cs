using ShmAlloc.Caching;

namespace ShmAlloc.Tests.Caching;

/// <summary>What others learn of what a process has done, although no thread tells it for a process that is idle.</summary>
public sealed class CountTests
{
    private const int MiB = 1 << 20;

    [Fact]
    public void F36_others_learn_what_an_idle_process_has_removed_but_for_a_share_of_the_limit()
    {
        const long limit = 40 * MiB;
        using TestCache test = new(new SharedCacheOptions { LimitBytes = limit }, new ShmHeapOptions { SizeBytes = 64 * MiB });
        var other = test.OpenElsewhere();
        for (var number = 0; number < 310; number++)
        {
            test.Cache.Set($"{number}", new byte[100_000]);
        }

        for (var number = 0; number < 290; number++)
        {
            test.Cache.Remove($"{number}");
        }

        Assert.InRange(other.GetStatistics().Bytes, 0, (20 * 131_072) + (limit / 64) + 131_072);
        for (var number = 0; number < 250; number++)
        {
            other.Set($"new {number}", new byte[100_000]);
        }

        Assert.Equal(0, other.GetStatistics().EvictionsForLimit);
    }

    [Fact]
    public void F62_others_learn_half_of_what_a_process_has_done_that_does_little_and_ends()
    {
        using TestCache test = new();
        var other = test.OpenElsewhere();
        for (var number = 0; number < 10; number++)
        {
            test.Cache.Set($"{number}", [1]);
        }

        var statistics = other.GetStatistics();
        Assert.InRange(statistics.Sets, 5, 10);
        Assert.InRange(statistics.Entries, 5, 10);
    }

    [Fact]
    public void F62_others_learn_all_of_it_when_the_process_goes_on_after_a_while()
    {
        using TestCache test = new();
        var other = test.OpenElsewhere();
        for (var number = 0; number < 100; number++)
        {
            test.Cache.Set($"{number}", [1]);
            test.Cache.Get($"{number}");
        }

        // Fewer changes than are waited for otherwise, and more than those after which the clock is asked.
        for (var number = 100; number < 140; number++)
        {
            BackDate(test.Heap);
            test.Cache.Set($"{number}", [1]);
            test.Cache.Get($"{number}");
        }

        var statistics = other.GetStatistics();
        Assert.InRange(statistics.Sets, 101, 140);
        Assert.InRange(statistics.Entries, 101, 140);
        Assert.InRange(statistics.Hits, 101, 140);
    }

    [Fact]
    public void F62_what_is_cleared_was_removed()
    {
        ManualClock clock = new();
        using TestCache test = new(new SharedCacheOptions { Clock = clock });
        test.Cache.Set("one"u8, [1]);
        test.Cache.Set("two"u8, [1]);
        test.Cache.Set("three"u8, [1], new() { Lifetime = TimeSpan.FromMinutes(1) });
        clock.Advance(TimeSpan.FromMinutes(2));
        test.Cache.Clear();
        var statistics = test.Cache.GetStatistics();
        Assert.Equal((2, 1, 0), (statistics.Removals, statistics.Expirations, statistics.Entries));
    }

    [Fact]
    public void F62_what_is_replaced_or_removed_after_it_expired_has_expired()
    {
        ManualClock clock = new();
        using TestCache test = new(new SharedCacheOptions { Clock = clock });
        test.Cache.Set("one"u8, [1], new() { Lifetime = TimeSpan.FromMinutes(1) });
        test.Cache.Set("two"u8, [1], new() { Tags = CacheTags.Of("tag") });
        test.Cache.Set("three"u8, [1], new() { Lifetime = TimeSpan.FromMinutes(1) });
        clock.Advance(TimeSpan.FromMinutes(2));
        test.Cache.RemoveByTag("tag");
        test.Cache.Set("one"u8, [2]);
        test.Cache.Set("two"u8, [2]);
        test.Cache.Set("two"u8, [3]);
        Assert.Equal(CacheStatus.Missing, test.Cache.Remove("three"u8));
        var statistics = test.Cache.GetStatistics();
        Assert.Equal((3, 0), (statistics.Expirations, statistics.Removals));
    }

    [Fact]
    public void F62_the_figures_of_a_process_are_not_those_of_who_had_its_slot_before()
    {
        using TestCache test = new();
        var before = test.OpenElsewhere();
        var slot = before.Heap.ParticipantSlot;
        before.Set("key"u8, [1]);
        before.Get("key"u8);
        before.Heap.Dispose();
        var after = test.OpenElsewhere();
        Assert.Equal(slot, after.Heap.ParticipantSlot);
        after.Get("key"u8);
        var statistics = after.GetProcessStatistics();
        Assert.Equal((0, 1, 0), (statistics.Sets, statistics.Hits, statistics.Entries));
    }

    /// <summary>As if the process had told last when the machine was started.</summary>
    private static unsafe void BackDate(ShmHeap heap)
    {
        for (var shard = 0; shard <= heap.Attachment->ShardMask; shard++)
        {
            heap.Attachment->Shards[shard].CacheTold[0] = 1;
        }
    }
}
