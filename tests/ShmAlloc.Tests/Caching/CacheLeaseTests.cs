using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ShmAlloc.Caching;
using ShmAlloc.Tests.Support;

namespace ShmAlloc.Tests.Caching;

/// <summary>Reading a value where it lies.</summary>
public sealed class CacheLeaseTests : IDisposable
{
    /// <summary>Cells of a process for leases and reservations.</summary>
    private const int Most = 96;

    private readonly TestCache _test = new();

    public static TheoryData<int> Lengths => [0, 8, 1000, 5000, 100_000, 2 << 20];

    private SharedCache Cache => _test.Cache;

    public void Dispose() => _test.Dispose();

    [Theory]
    [MemberData(nameof(Lengths))]
    public void A_lease_shows_the_value(int length)
    {
        var value = TestCache.Value(length, 1);
        Cache.Set("key"u8, value);
        Cache.Get("key"u8, out var version);
        Assert.Equal(CacheStatus.Ok, Cache.Lease("key"u8, out var lease));
        Assert.Equal(value, lease.Value);
        Assert.Equal(version, lease.Version);
        lease.Dispose();
        _test.AssertNothingIsLost();
    }

    [Fact]
    public void What_is_not_there_is_not_leased()
    {
        Assert.Equal(CacheStatus.Missing, Cache.Lease("key"u8, out var lease));
        Assert.Equal(default, lease);
        Assert.True(lease.Value.IsEmpty);
        lease.Dispose();
        _test.AssertNothingIsLost();
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void A_leased_value_stays_as_it_is_when_it_is_replaced_removed_and_all_room_is_used_again(int length)
    {
        var value = TestCache.Value(length, 1);
        Cache.Set("key"u8, value);
        Cache.Lease("key"u8, out var lease);
        Cache.Set("key"u8, TestCache.Value(length, 2));
        Assert.Equal(value, lease.Value);
        Cache.Remove("key"u8);
        Assert.Equal(value, lease.Value);
        var other = _test.OpenElsewhere();
        for (var round = 0; round < 3; round++)
        {
            for (var number = 0; number < 100; number++)
            {
                Assert.Equal(CacheStatus.Ok, (number % 2 == 0 ? Cache : other).Set($"{number}", TestCache.Value(number * 2000, number)));
            }

            Assert.Equal(CacheStatus.Ok, Cache.Clear());
            _test.Heap.Malloc(_test.Heap.MaximumBytes);
            Assert.Equal(value, lease.Value);
        }

        lease.Dispose();
        _test.AssertNothingIsLost();
    }

    [Fact]
    public void A_value_may_be_leased_more_than_once()
    {
        Cache.Set("key"u8, "value"u8);
        Cache.Lease("key"u8, out var first);
        Cache.Lease("key"u8, out var second);
        Assert.NotEqual(first, second);
        Assert.True(first != second);
        first.Dispose();
        Cache.Remove("key"u8);
        Bytes.Equal("value"u8, second.Value);
        second.Dispose();
        _test.AssertNothingIsLost();
    }

    [Fact]
    public void Disposing_twice_or_a_copy_ends_no_other_lease()
    {
        Cache.Set("first"u8, "first"u8);
        Cache.Set("second"u8, "second"u8);
        Cache.Lease("first"u8, out var first);
        var copy = first;
        Assert.True(copy == first);
        first.Dispose();
        List<CacheLease> others = [];
        while (Cache.Lease("second"u8, out var other) == CacheStatus.Ok)
        {
            others.Add(other);
        }

        first.Dispose();
        copy.Dispose();
        Assert.Equal(CacheStatus.TooManyLeases, Cache.Lease("second"u8, out _));
        others.ForEach(other => other.Dispose());
        _test.AssertNothingIsLost();
    }

    [Fact]
    public void There_are_48_leases_for_a_process_and_each_that_ends_makes_room_for_another()
    {
        Cache.Set("key"u8, "value"u8);
        List<CacheLease> leases = [];
        for (var number = 0; number < Most; number++)
        {
            Assert.Equal(CacheStatus.Ok, Cache.Lease("key"u8, out var lease));
            leases.Add(lease);
        }

        Assert.Equal(CacheStatus.TooManyLeases, Cache.Lease("key"u8, out _));
        Assert.Equal(CacheStatus.TooManyLeases, Cache.Reserve("other"u8, 10, out _));
        Assert.Equal(CacheStatus.Ok, _test.OpenElsewhere().Lease("key"u8, out var elsewhere));
        elsewhere.Dispose();
        leases[7].Dispose();
        Assert.Equal(CacheStatus.Ok, Cache.Lease("key"u8, out var again));
        again.Dispose();
        leases.ForEach(lease => lease.Dispose());
        _test.AssertNothingIsLost();
    }

    [Fact]
    public void Everything_else_works_while_all_leases_are_taken()
    {
        Cache.Set("key"u8, "value"u8);
        List<CacheLease> leases = [];
        while (Cache.Lease("key"u8, out var lease) == CacheStatus.Ok)
        {
            leases.Add(lease);
        }

        Assert.Equal(CacheStatus.Ok, Cache.Set("key"u8, "other"u8));
        Bytes.Equal("other"u8, Cache.Get("key"u8));
        Assert.Equal(CacheStatus.Ok, Cache.Increment("number"u8, 1, out _));
        Bytes.Equal("value"u8, Cache.GetOrAdd("missing", _ => "value"u8.ToArray()));
        Assert.Equal(CacheStatus.Ok, Cache.Remove("key"u8));
        leases.ForEach(lease => lease.Dispose());
        _test.AssertNothingIsLost();
    }

    [Fact]
    public void A_lease_outlives_the_disposal_of_its_heap_and_then_gives_up_the_slot()
    {
        var other = _test.OpenElsewhere();
        var value = TestCache.Value(5000, 1);
        Cache.Set("key"u8, value);
        other.Lease("key"u8, out var lease);
        other.Heap.Dispose();
        Assert.Equal(value, lease.Value);
        Assert.Equal(2, _test.Heap.GetStatistics().Participants);
        Assert.Equal(CacheStatus.Ok, Cache.Remove("key"u8));
        Assert.Equal(value, lease.Value);
        lease.Dispose();
        Assert.Equal(1, _test.Heap.GetStatistics().Participants);
        _test.AssertNothingIsLost();
    }

    [Fact]
    public void A_lease_counts_as_a_hit_or_a_miss()
    {
        Cache.Set("key"u8, "value"u8);
        Cache.Lease("key"u8, out var lease);
        lease.Dispose();
        Cache.Lease("missing"u8, out _);
        var statistics = Cache.GetStatistics();
        Assert.Equal((1, 1), (statistics.Hits, statistics.Misses));
    }

    [Fact]
    public void The_value_lies_in_the_heap()
    {
        Cache.Set("key"u8, "value"u8);
        Cache.Lease("key"u8, out var lease);
        Assert.False(OffsetOf(lease).IsNull);
        Bytes.Equal("value"u8, _test.Heap.GetReadOnlySpan(OffsetOf(lease), 5));
        lease.Dispose();
    }

    [Fact]
    public void Leases_of_many_threads_keep_their_values_while_others_replace_them()
    {
        const int keys = 16;
        const int threads = 4;
        var rounds = TestSupport.Effort.Choose(4000, 200_000);
        Threads.Run(threads, number =>
        {
            Random random = new(number);
            for (var round = 0; round < rounds; round++)
            {
                var key = BitConverter.GetBytes(random.Next(keys));
                if (random.Next(2) == 0)
                {
                    var length = random.Next(8, random.Next(20) == 0 ? 100_000 : 3000);
                    var value = new byte[length];
                    value.AsSpan().Fill((byte)length);
                    Assert.True(Cache.Set(key, value) is CacheStatus.Ok or CacheStatus.Contended);
                }
                else if (Cache.Lease(key, out var lease) == CacheStatus.Ok)
                {
                    Assert.False(lease.Value.ContainsAnyExcept((byte)lease.Value.Length));
                    Thread.Yield();
                    Assert.False(lease.Value.ContainsAnyExcept((byte)lease.Value.Length));
                    lease.Dispose();
                }
            }
        });
        _test.AssertNothingIsLost();
    }

    private unsafe ShmOffset OffsetOf(CacheLease lease) => _test.Heap.OffsetOf(Unsafe.AsPointer(ref MemoryMarshal.GetReference(lease.Value)));
}
