using ShmAlloc.Caching;

namespace ShmAlloc.Tests.Caching;

/// <summary>Writing a value where it will lie.</summary>
public sealed class CacheReservationTests : IDisposable
{
    private readonly ManualClock _clock = new();
    private readonly TestCache _test;

    public CacheReservationTests() => _test = new TestCache(new SharedCacheOptions { Clock = _clock });

    private SharedCache Cache => _test.Cache;

    public void Dispose() => _test.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(8)]
    [InlineData(1000)]
    [InlineData(5000)]
    [InlineData(100_000)]
    [InlineData(2 << 20)]
    public void What_is_written_is_there_when_it_is_committed_and_not_before(int length)
    {
        var value = TestCache.Value(length, 1);
        Cache.Set("key"u8, "old"u8);
        Assert.Equal(CacheStatus.Ok, Cache.Reserve("key"u8, length, out var reservation));
        Assert.Equal(length, reservation!.Value.Length);
        value.CopyTo(reservation.Value);
        Bytes.Equal("old"u8, Cache.Get("key"u8));
        Assert.Equal(CacheStatus.Ok, reservation.Commit());
        Bytes.Equal(value, Cache.Get("key"u8));
        reservation.Dispose();
        Bytes.Equal(value, Cache.Get("key"u8));
        _test.AssertNothingIsLost();
    }

    [Fact]
    public void What_is_not_committed_never_was()
    {
        Cache.Set("key"u8, "old"u8);
        Cache.Reserve("key"u8, 5000, out var reservation);
        reservation!.Dispose();
        reservation.Dispose();
        Bytes.Equal("old"u8, Cache.Get("key"u8));
        Assert.Equal(1, Cache.GetStatistics().Sets);
        _test.AssertNothingIsLost();
    }

    [Fact]
    public void It_is_committed_once()
    {
        Cache.Reserve("key"u8, 8, out var reservation);
        reservation!.Commit();
        Assert.Throws<ObjectDisposedException>(() => reservation.Commit());
        Assert.Throws<ObjectDisposedException>(() => reservation.Value.Length);
        Cache.Reserve("key"u8, 8, out reservation);
        reservation!.Dispose();
        Assert.Throws<ObjectDisposedException>(() => reservation.Commit());
    }

    [Fact]
    public void It_replaces_what_was_set_meanwhile()
    {
        Cache.Reserve("key"u8, 5, out var reservation);
        "first"u8.CopyTo(reservation!.Value);
        Cache.Set("key"u8, "other"u8);
        reservation.Commit();
        Bytes.Equal("first"u8, Cache.Get("key"u8));
    }

    [Fact]
    public void Several_may_be_written_at_once()
    {
        List<CacheReservation> all = [];
        while (Cache.Reserve(BitConverter.GetBytes(all.Count), 4, out var reservation) is var status)
        {
            if (reservation == null)
            {
                Assert.Equal(CacheStatus.TooManyLeases, status);
                break;
            }

            BitConverter.GetBytes(all.Count).CopyTo(reservation.Value);
            all.Add(reservation);
        }

        Assert.Equal(96, all.Count);
        Assert.All(all, reservation => Assert.Equal(CacheStatus.Ok, reservation.Commit()));
        for (var number = 0; number < all.Count; number++)
        {
            Bytes.Equal(BitConverter.GetBytes(number), Cache.Get(BitConverter.GetBytes(number)));
        }

        _test.AssertNothingIsLost();
    }

    [Fact]
    public void Its_life_is_counted_from_when_it_was_reserved()
    {
        Cache.Reserve("key"u8, 1, out var reservation, new() { Lifetime = TimeSpan.FromMilliseconds(100) });
        _clock.Advance(60);
        reservation!.Commit();
        Assert.True(Cache.Contains("key"u8));
        _clock.Advance(40);
        Assert.False(Cache.Contains("key"u8));
    }

    [Fact]
    public void A_negative_length_is_misuse() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Cache.Reserve("key"u8, -1, out _));

    [Fact]
    public void It_may_be_given_back_after_the_heap_was_disposed()
    {
        var other = _test.OpenElsewhere();
        other.Reserve("key"u8, 5000, out var committed);
        other.Reserve("key"u8, 100_000, out var disposed);
        other.Heap.Dispose();
        committed!.Value.Clear();
        Assert.Throws<ObjectDisposedException>(() => committed.Commit());
        Assert.Equal(2, _test.Heap.GetStatistics().Participants);
        disposed!.Dispose();
        Assert.Equal(1, _test.Heap.GetStatistics().Participants);
        Assert.Null(Cache.Get("key"u8));
        _test.AssertNothingIsLost();
    }
}
