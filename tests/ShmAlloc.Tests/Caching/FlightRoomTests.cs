using ShmAlloc.Caching;

namespace ShmAlloc.Tests.Caching;

/// <summary>What flights take room for, and what goes for it.</summary>
public sealed class FlightRoomTests
{
    private const int HeapBytes = TestCache.DefaultBytes;
    private const int Others = 100;

    private static CacheEntryOptions Lasting => new() { Lifetime = TimeSpan.FromMilliseconds(100), StaleFor = TimeSpan.FromHours(1) };

    [Fact]
    public void A_value_that_only_fits_in_place_of_its_placeholder_drops_nothing()
    {
        var value = new byte[LargestOfEmptyHeap()];
        using TestCache test = Filled();
        Assert.Equal(CacheStatus.Ok, test.Cache.BeginFlight("key", out var flight));
        Assert.Equal(CacheFlightOutcome.NoRoom, flight!.Complete(value, default));
        Assert.Equal(Others, CountOthers(test));

        // It is the placeholder that was in the way: without it, all others go for the value.
        using TestCache without = Filled();
        Assert.Equal(CacheStatus.Ok, without.Cache.Set("key"u8, value));
        Assert.Equal(0, CountOthers(without));
    }

    [Fact]
    public void A_large_value_gives_way_to_the_next_one_that_has_no_room_beside_it()
    {
        ManualClock clock = new();
        using TestCache test = new(new SharedCacheOptions { Clock = clock });
        var value = new byte[HeapBytes * 5 / 8];
        for (var round = 0; round < 10; round++)
        {
            Assert.Equal(CacheStatus.Ok, test.Cache.BeginFlight("key", out var flight));
            value[0] = (byte)round;
            Assert.Equal(CacheFlightOutcome.Stored, flight!.Complete(value, Lasting));
            Assert.Equal(round, test.Cache.Get("key"u8)![0]);
            clock.Advance(200);
        }
    }

    /// <summary>It is there as long as it was promised; what comes of the work ahead is not stored, as if the factory had failed.</summary>
    [Fact]
    public void A_value_that_is_due_stays_where_the_next_one_has_no_room_beside_it()
    {
        ManualClock clock = new();
        using TestCache test = new(new SharedCacheOptions { Clock = clock });
        var options = new CacheEntryOptions { Lifetime = TimeSpan.FromSeconds(100), RefreshAfter = TimeSpan.FromSeconds(5) };
        var value = new byte[HeapBytes * 5 / 8];
        Assert.Equal(CacheStatus.Ok, test.Cache.Set("key", value, options));
        clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(value.Length, test.Cache.GetOrAdd("key", _ => new byte[value.Length], options, new() { RefreshesInline = true }).Length);
        Assert.True(test.Cache.Contains("key"));
        Assert.Equal(CacheStatus.Exists, test.Cache.BeginFlight("key", out _));
        clock.Advance(TimeSpan.FromSeconds(100));
        value[0] = 1;
        Assert.Equal(1, test.Cache.GetOrAdd("key", _ => value, options)[0]);
        Assert.Equal(1, test.Cache.Get("key")![0]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(200)]
    public void A_value_that_is_due_or_stale_stays_where_there_is_no_room_for_the_next_one_at_all(int passed)
    {
        ManualClock clock = new();
        using TestCache test = new(new SharedCacheOptions { Clock = clock });
        while (test.Cache.Set(Guid.NewGuid().ToByteArray(), new byte[16_000], new() { Pinned = true }) == CacheStatus.Ok)
        {
        }

        foreach (var pinned in test.Cache.Enumerate().Take(20).ToList())
        {
            test.Cache.Remove(pinned.Key.Span);
        }

        Assert.Equal(CacheStatus.Ok, test.Cache.Set("key", [1, 2], Lasting with { RefreshAfter = TimeSpan.FromMilliseconds(1) }));
        clock.Advance(passed);
        Assert.Equal(CacheStatus.Ok, test.Cache.BeginFlight("key", out var flight));
        Assert.Equal(CacheFlightOutcome.NoRoom, flight!.Complete(new byte[HeapBytes / 2], Lasting));
        Assert.Equal([1, 2], test.Cache.GetOrAdd("key", _ => throw new NotSupportedException(), Lasting, new() { AllowStale = true }));
    }

    [Fact]
    public void What_a_replacement_is_to_replace_is_not_dropped_for_it()
    {
        using TestCache test = new();
        var value = new byte[HeapBytes * 5 / 8];
        test.Cache.Set("key"u8, value);
        Assert.NotNull(test.Cache.Get("key"u8, out CacheVersion version));
        Assert.Equal(CacheStatus.NoRoom, test.Cache.Replace("key"u8, value, version));
        Assert.True(test.Cache.Contains("key"u8));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Keys_that_come_once_do_not_push_out_what_is_used(bool fails)
    {
        const int hot = 2000;
        using TestCache test = new();
        var value = new byte[1000];
        for (var key = 0; key < hot; key++)
        {
            test.Cache.Set(BitConverter.GetBytes(key), value);
        }

        var (hits, asked) = (0, 0);
        for (var number = 0; number < 60_000; number++)
        {
            _ = Record.Exception(() => test.Cache.GetOrAdd(BitConverter.GetBytes(hot + number), 0, _ => fails && number % 2 == 0 ? throw new TimeoutException() : value));
            if (number % 3 == 0)
            {
                var key = BitConverter.GetBytes(number / 3 * 7919 % hot);
                asked++;
                hits += test.Cache.Contains(key) ? 1 : 0;
                test.Cache.Set(key, value);
            }
        }

        Assert.InRange(hits, asked * 9 / 10, asked);
    }

    [Fact]
    public void Flights_beyond_the_limit_of_a_cache_give_way()
    {
        using TestCache test = new(new SharedCacheOptions { LimitBytes = 1 << 20 });
        for (var number = 0; number < 20_000; number++)
        {
            Assert.Equal(CacheStatus.Ok, test.Cache.BeginFlight(BitConverter.GetBytes(number), out _));
        }

        Assert.InRange(test.Cache.GetStatistics().Bytes, 0, (1 << 20) * 65 / 64);
    }

    /// <summary>Few and large: the hand of the limit has seen all of them before it loses its patience.</summary>
    [Fact]
    public void Values_in_work_give_way_before_a_limit_is_not_kept()
    {
        const int limit = 1 << 20;
        ManualClock clock = new();
        using TestCache test = new(new SharedCacheOptions { LimitBytes = limit, Clock = clock });
        for (var number = 0; number < 60; number++)
        {
            var key = BitConverter.GetBytes(number);
            Assert.Equal(CacheStatus.Ok, test.Cache.Set(key, new byte[limit / 10], new() { Lifetime = TimeSpan.FromHours(1), RefreshAfter = TimeSpan.FromMilliseconds(1) }));
            clock.Advance(2);
            Assert.Equal(CacheStatus.Ok, test.Cache.BeginFlight(key, out _));
            Assert.InRange(test.Cache.GetStatistics().Bytes, 0, limit * 65 / 64);
        }
    }

    [Theory]
    [InlineData(6_000)]
    [InlineData(12_000)]
    [InlineData(20_000)]
    public void A_value_that_only_fits_in_place_of_what_is_in_work_drops_one_place(int length)
    {
        ManualClock clock = new();
        using TestCache test = new(new SharedCacheOptions { Clock = clock }, new ShmHeapOptions { SizeBytes = 1 << 20, BlockBytes = 1 << 16 });
        List<byte[]> keys = [];
        for (var number = 0; test.Cache.GetStatistics().EvictionsForRoom == 0; number++)
        {
            keys.Add(BitConverter.GetBytes(number));
            test.Cache.Set(keys[^1], new byte[900], new() { Lifetime = TimeSpan.FromHours(1), RefreshAfter = TimeSpan.FromMilliseconds(1) });
        }

        // Of all that is there, so that no place between two of them is large enough.
        clock.Advance(2);
        keys.RemoveAll(key => !test.Cache.Contains(key));
        List<CacheFlight> flights = [];
        foreach (var key in keys.Where((_, index) => index % 3 == 0))
        {
            Assert.Equal(CacheStatus.Ok, test.Cache.BeginFlight(key, out var flight));
            flights.Add(flight!);
        }

        // What was dropped just before has left places, which are taken first.
        var place = (length / 900) + 2;
        for (var number = 0; keys.TrueForAll(key => test.Cache.Contains(key)); number++)
        {
            Assert.Equal(CacheStatus.Ok, test.Cache.Set($"{number}", new byte[length], new() { Pinned = true }));
        }

        Assert.InRange(keys.Count(key => !test.Cache.Contains(key)), 1, place);
        Assert.InRange(flights.Count(flight => flight.Complete([], default) == CacheFlightOutcome.Changed), 1, place);
    }

    private static TestCache Filled()
    {
        TestCache test = new();
        for (var key = 0; key < Others; key++)
        {
            test.Cache.Set(BitConverter.GetBytes(key), new byte[1000]);
        }

        return test;
    }

    private static int CountOthers(TestCache test) => Enumerable.Range(0, Others).Count(key => test.Cache.Contains(BitConverter.GetBytes(key)));

    private static int LargestOfEmptyHeap()
    {
        using TestCache test = new();
        var (fits, does) = (0, HeapBytes);
        while (does - fits > 1)
        {
            var middle = (fits + does) / 2;
            test.Cache.Clear();
            (fits, does) = test.Cache.Set("key"u8, new byte[middle]) == CacheStatus.Ok ? (middle, does) : (fits, middle);
        }

        return fits;
    }
}
