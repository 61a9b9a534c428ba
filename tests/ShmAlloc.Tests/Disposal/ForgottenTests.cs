using System.Runtime.CompilerServices;
using ShmAlloc.Caching;
using ShmAlloc.Tests.Caching;

namespace ShmAlloc.Tests.Disposal;

/// <summary>F66: what is forgotten is given back by a finalizer.</summary>
[Collection(Mappings.Alone)]
public sealed unsafe class ForgottenTests
{
    private const int MoreThanThereAreCells = 300;

    [Fact]
    public void Forgotten_reservations_of_a_cache_give_back_their_cells_and_their_memory()
    {
        using TestCache test = new();
        ForgetReservations(test.Cache);
        Collect();
        ForgetReservations(test.Cache);
        Collect();
        test.AssertNothingIsLost();
    }

    [Fact]
    public void Forgotten_leases_give_back_their_cells()
    {
        using TestCache test = new();
        test.Cache.Set("key"u8, "value"u8);
        ForgetLeases(test.Cache);
        Collect();
        ForgetLeases(test.Cache);
        Collect();
        test.AssertNothingIsLost();
    }

    [Fact]
    public void A_lease_that_is_kept_outlives_collections_and_an_old_copy_of_one_ends_no_later_one()
    {
        using TestCache test = new();
        test.Cache.Set("key"u8, "value"u8);
        Assert.Equal(CacheStatus.Ok, test.Cache.Lease("key"u8, out var first));
        var copy = first;
        first.Dispose();
        List<CacheLease> later = [];
        while (test.Cache.Lease("key"u8, out var lease) == CacheStatus.Ok)
        {
            later.Add(lease);
        }

        test.Cache.Remove("key"u8);
        Collect();
        copy.Dispose();
        Assert.Equal(CacheStatus.TooManyLeases, test.Cache.Lease("key"u8, out _));
        Assert.All(later, lease => Assert.True(lease.Value.SequenceEqual("value"u8)));
        later.ForEach(lease => lease.Dispose());
        test.AssertNothingIsLost();
    }

    [Fact]
    public void A_forgotten_heap_is_unmapped_and_leaves_its_slot_whatever_else_was_forgotten_with_it()
    {
        using TestCache test = new();
        test.Cache.Set("key"u8, "value"u8);
        var address = ForgetHeap(test.Path);
        Collect();
        Assert.False(Mappings.Contains((byte*)address));
        test.Heap.RecoverDead();
        Assert.Equal(1, test.Heap.GetStatistics().Participants);
        test.AssertNothingIsLost();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ForgetReservations(SharedCache cache)
    {
        CacheStatus status;
        var count = 0;
        do
        {
            status = cache.Reserve("key"u8, 100, out var reservation);
            reservation?.Value.Fill(1);
        }
        while (status == CacheStatus.Ok && ++count < MoreThanThereAreCells);

        Assert.Equal(CacheStatus.TooManyLeases, status);
        Assert.InRange(count, 1, MoreThanThereAreCells);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ForgetLeases(SharedCache cache)
    {
        CacheStatus status;
        var count = 0;
        do
        {
            status = cache.Lease("key"u8, out _);
        }
        while (status == CacheStatus.Ok && ++count < MoreThanThereAreCells);

        Assert.Equal(CacheStatus.TooManyLeases, status);
        Assert.InRange(count, 1, MoreThanThereAreCells);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static nint ForgetHeap(string path)
    {
        var cache = SharedCache.Open(ShmHeap.Attach(path));
        Assert.Equal(CacheStatus.Ok, cache.Lease("key"u8, out _));
        Assert.Equal(CacheStatus.Ok, cache.Reserve("other"u8, 10, out _));
        Assert.Equal(ShmStatus.Ok, cache.Heap.Reserve(100, out var reservation));
        return (nint)cache.Heap.GetPointer(reservation.Offset);
    }

    private static void Collect()
    {
        // What a finalizer refers to is finalized with it, or lives one collection longer.
        for (var time = 0; time < 2; time++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }
}
