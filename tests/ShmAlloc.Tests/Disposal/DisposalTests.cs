using ShmAlloc.Caching;
using ShmAlloc.Tests.Caching;
using ShmAlloc.Tests.Support;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Tests.Disposal;

/// <summary>F3: what is disposed of is unmapped when the last call is out, without a collection.</summary>
[Collection(Mappings.Alone)]
public sealed unsafe class DisposalTests
{
    private static readonly ShmHeapOptions Large = new() { SizeBytes = 1 << 20, MaximumSizeBytes = 1L << 30 };

    [Fact]
    public void F3_attaching_and_disposing_leaves_neither_mappings_nor_address_space_behind()
    {
        const int rounds = 2000;
        using TestHeap test = new(Large);
        var (mappings, space) = (Mappings.Count, Mappings.AddressSpace);

        // Referred to until the end: no finalizer helps.
        List<ShmHeap> all = [];
        for (var round = 0; round < rounds; round++)
        {
            all.Add(test.Attach());
            all[^1].Malloc(100);
            all[^1].Dispose();
        }

        Assert.InRange(Mappings.Count, 0, mappings + (rounds / 10));
        Assert.InRange(Mappings.AddressSpace, 0, space + (rounds / 10 * Large.MaximumSizeBytes!.Value));
        Assert.All(all, heap => Assert.Null(heap.ParticipantSlot));
    }

    [Fact]
    public void Dispose_unmaps_at_once_when_no_call_is_under_way()
    {
        using TestHeap test = new(Large);
        foreach (var heap in (ShmHeap[])[test.Attach(), ShmHeap.AttachReadOnly(test.Path)])
        {
            var address = heap.GetPointer(new ShmOffset(4096));
            Assert.True(Mappings.Contains(address));
            heap.Dispose();
            Assert.False(Mappings.Contains(address));
        }
    }

    [Fact]
    public void The_last_reservation_or_lease_that_ends_unmaps_a_disposed_heap()
    {
        using TestCache test = new();
        var cache = test.OpenElsewhere();
        var heap = cache.Heap;
        Assert.Equal(CacheStatus.Ok, cache.Set("key"u8, "value"u8));
        Assert.Equal(CacheStatus.Ok, cache.Lease("key"u8, out var lease));
        Assert.Equal(CacheStatus.Ok, cache.Reserve("other"u8, 10, out var reserved));
        Assert.Equal(ShmStatus.Ok, heap.Reserve(100, out var reservation));
        var address = heap.GetPointer(reservation.Offset);

        heap.Dispose();
        Assert.True(lease.Value.SequenceEqual("value"u8));
        reserved!.Value.Fill(1);
        reserved.Dispose();
        heap.GetSpan(reservation.Offset, 100).Fill(1);
        Assert.Equal(ShmStatus.Ok, heap.Publish(reservation));
        Assert.True(Mappings.Contains(address));
        lease.Dispose();
        Assert.False(Mappings.Contains(address));
        lease.Dispose();
        Assert.Equal(ShmStatus.StaleReservation, heap.Publish(reservation));
        Assert.Equal(1, test.Heap.GetStatistics().Participants);
    }

    [Fact]
    public void A_call_during_which_its_heap_is_disposed_unmaps_it_when_it_is_out()
    {
        ManualClock clock = new();
        using TestCache test = new();
        DisposingClock disposing = new(clock);
        var cache = test.OpenElsewhere(new SharedCacheOptions { Clock = disposing });
        var address = cache.Heap.GetPointer(new ShmOffset(4096));
        Assert.Equal(CacheStatus.Ok, cache.Set("key"u8, "value"u8, new CacheEntryOptions { Lifetime = TimeSpan.FromHours(1) }));

        disposing.Heap = cache.Heap;
        disposing.Address = address;
        _ = Record.Exception(() => cache.TryGet("key"u8, new byte[10], out _));
        Assert.True(disposing.WasMapped);
        Assert.False(Mappings.Contains(address));
        Assert.Throws<ObjectDisposedException>(() => cache.TryGet("key"u8, new byte[10], out _));
    }

    [Fact]
    public void What_was_known_of_a_heap_is_known_after_its_end()
    {
        using TestHeap test = new(Large);
        var heap = test.Attach();
        var before = (heap.Path, heap.IsReadOnly, heap.UnitBytes, heap.BlockBytes, heap.LargestAllocationBytes, heap.CommittedBytes, heap.MaximumBytes, heap.MaxParticipants);
        heap.Dispose();
        var after = (heap.Path, heap.IsReadOnly, heap.UnitBytes, heap.BlockBytes, heap.LargestAllocationBytes, heap.CommittedBytes, heap.MaximumBytes, heap.MaxParticipants);
        Assert.Equal(before, after);
        Assert.Null(heap.ParticipantSlot);
        Assert.Throws<ObjectDisposedException>(() => heap.Id);
        Assert.Throws<ObjectDisposedException>(() => SharedCache.Open(heap));
    }

    [Fact]
    public void A_disposed_heap_refuses_every_operation_of_its_caches()
    {
        using TestCache test = new();
        var cache = test.OpenElsewhere();
        var buffer = new byte[10];
        cache.Set("key"u8, "value"u8);
        cache.Heap.Dispose();
        Action[] operations =
        [
            () => cache.TryGet("key"u8, buffer, out _), () => cache.Get("key"u8), () => cache.Get("key"), () => cache.Contains("key"u8),
            () => cache.Refresh("key"u8), () => cache.Set("key"u8, buffer), () => cache.Add("key"u8, buffer),
            () => cache.Replace("key"u8, buffer, default), () => cache.Increment("n"u8, 1, out _), () => cache.Remove("key"u8),
            () => cache.RemoveByTag("tag"), () => cache.CaptureTags("tag"), () => cache.Clear(), () => cache.GetStatistics(),
            () => cache.GetProcessStatistics(), () => cache.Enumerate().Count(), () => cache.Lease("key"u8, out _),
            () => cache.Reserve("key"u8, 10, out _), () => cache.GetOrAdd("key", _ => buffer),
        ];
        Assert.All(operations, operation => Assert.Throws<ObjectDisposedException>(operation));
    }

    [Fact]
    public void Threads_may_call_and_dispose_at_once()
    {
        var rounds = Effort.Choose(100, 3000);
        using TestCache test = new();
        test.Cache.Set("key"u8, new byte[100]);
        var mappings = Mappings.Count;
        for (var round = 0; round < rounds; round++)
        {
            var cache = SharedCache.Open(ShmHeap.Attach(test.Path));
            var heap = cache.Heap;
            using Barrier start = new(6);
            Action[] bodies =
            [
                () => Until(heap, () => IsClosed(heap, 100)),
                () => Until(heap, () => IsClosed(heap, 5000)),
                () => Until(heap, () => { cache.TryGet("key"u8, new byte[100], out _); return false; }),
                () => Until(heap, () => { heap.GetStatistics(); return false; }),
                heap.Dispose,
                heap.Dispose,
            ];
            var threads = bodies.Select(body => new Thread(() => { start.SignalAndWait(); body(); })).ToList();
            threads.ForEach(thread => thread.Start());
            threads.ForEach(thread => thread.Join());
        }

        // A thread that was preempted in the shortest calls leaves its mapping to the next that attaches.
        test.OpenElsewhere().Heap.Dispose();
        Assert.InRange(Mappings.Count, 0, mappings + (rounds / 2));
        Assert.Equal(1, test.Heap.GetStatistics().Participants);
        TestHeap.AssertSound(test.Heap);
    }

    private static bool IsClosed(ShmHeap heap, int size)
    {
        var offset = heap.Malloc(size, out var status);
        return status == ShmStatus.Closed || heap.Free(offset) == ShmStatus.Closed;
    }

    private static void Until(ShmHeap heap, Func<bool> isOver)
    {
        try
        {
            while (!isOver())
            {
                // Until somebody disposes of the heap.
            }
        }
        catch (ObjectDisposedException)
        {
            Assert.Equal(ShmStatus.Closed, heap.Grow(1));
        }
    }

    private sealed class DisposingClock(TimeProvider inner) : TimeProvider
    {
        internal ShmHeap? Heap { get; set; }

        internal byte* Address { get; set; }

        internal bool WasMapped { get; private set; }

        public override DateTimeOffset GetUtcNow()
        {
            Heap?.Dispose();
            WasMapped |= Heap != null && Mappings.Contains(Address);
            return inner.GetUtcNow();
        }
    }
}
