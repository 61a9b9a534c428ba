using ShmAlloc.Caching;
using ShmAlloc.Layout;
using ShmAlloc.Memory;

namespace ShmAlloc.Tests.Caching;

/// <summary><see cref="ShmHeap.Verify"/> looks at the entries of caches, too.</summary>
public sealed unsafe class CacheVerificationTests
{
    [Fact]
    public void A_cache_that_was_used_is_sound()
    {
        using TestCache test = new();
        for (var number = 0; number < 2000; number++)
        {
            test.Cache.Set($"key {number % 500}", TestCache.Value(number % 3000, number));
            test.Cache.Remove($"key {number * 7 % 500}");
        }

        Assert.True(test.Heap.Verify().IsSound);
    }

    [Fact]
    public void An_item_that_was_freed_by_mistake()
    {
        using TestCache test = Filled();
        var (bucket, index) = AnyEntry(test);
        EntryWord entry = new(*At(test, bucket, index));
        Assert.Equal(ShmStatus.Ok, test.Heap.Free(new ShmOffset(test.Heap.Attachment->OffsetOf(entry.Unit))));
        AssertFound(test, $"bucket {bucket}, entry {index}", "leads to no item");
    }

    [Fact]
    public void An_entry_of_another_bucket()
    {
        using TestCache test = Filled();
        var (bucket, index) = AnyEntry(test);
        var (elsewhere, free) = Empty(test, from: bucket + 1);
        if (IsBucketOf(test, *At(test, bucket, index), elsewhere))
        {
            // The other one of the two that its key may lie in.
            (elsewhere, free) = Empty(test, from: elsewhere + 1);
        }

        *At(test, elsewhere, free) = *At(test, bucket, index);
        AssertFound(test, $"bucket {elsewhere}, entry {free}", "does not belong here");
    }

    [Fact]
    public void Two_values_of_one_key()
    {
        using TestCache test = Filled();
        var (bucket, index) = AnyEntry(test);
        var (same, free) = Empty(test, from: bucket);
        Assert.Equal(bucket, same);
        *At(test, bucket, free) = *At(test, bucket, index);
        AssertFound(test, $"bucket {bucket}, entry {Math.Min(index, free)}", "the same key");
    }

    [Fact]
    public void A_directory_that_leads_nowhere()
    {
        using TestCache test = Filled();
        test.Heap.Attachment->Header->Cache[0] += 32;
        AssertFound(test, "cache 0", "no index");
    }

    private static TestCache Filled()
    {
        TestCache test = new();
        for (var number = 0; number < 100; number++)
        {
            Assert.Equal(CacheStatus.Ok, test.Cache.Set($"key {number}", TestCache.Value(50, number)));
        }

        Assert.True(test.Heap.Verify().IsSound);
        return test;
    }

    private static void AssertFound(TestCache test, params string[] parts)
    {
        var violations = test.Heap.Verify().Violations;
        Assert.Contains(violations, violation => parts.All(part => violation.Contains(part, StringComparison.Ordinal)));
    }

    private static bool IsBucketOf(TestCache test, ulong entry, ulong bucket)
    {
        var heap = test.Heap.Attachment;
        var hash = ItemAccess<Hardware>.Hash(ItemAccess<Hardware>.At(heap, new EntryWord(entry).Unit));
        var buckets = Directory<Hardware>.Find(heap, 0)->FindBuckets(hash);
        var address = At(test, bucket, 0);
        return address == buckets.First || address == buckets.Second;
    }

    private static (ulong Bucket, int Index) AnyEntry(TestCache test) => Find(test, 0, isEmpty: false);

    private static (ulong Bucket, int Index) Empty(TestCache test, ulong from) => Find(test, from, isEmpty: true);

    private static (ulong Bucket, int Index) Find(TestCache test, ulong from, bool isEmpty)
    {
        for (var bucket = from; ; bucket++)
        {
            for (var index = 0; index < TableLayout.EntriesOfBucket; index++)
            {
                if (new EntryWord(*At(test, bucket, index)).IsEmpty == isEmpty)
                {
                    return (bucket, index);
                }
            }
        }
    }

    private static ulong* At(TestCache test, ulong bucket, int index) =>
        Directory<Hardware>.Find(test.Heap.Attachment, 0)->Buckets + (bucket * TableLayout.BucketWords) + index;
}
