using System.Text;
using ShmAlloc.Caching;
using ShmAlloc.Tests.Caching;

namespace ShmAlloc.Tests.Inspection;

/// <summary>Going over a cache: every fact of an entry, entries that are no values, pages, and others who work meanwhile.</summary>
public sealed class WalkTests : IDisposable
{
    private readonly ManualClock _clock = new();
    private readonly TestCache _test;

    public WalkTests() => _test = new TestCache(new SharedCacheOptions { Clock = _clock, Capacity = 7000, TagSlots = 64 });

    private SharedCache Cache => _test.Cache;

    public void Dispose() => _test.Dispose();

    [Fact]
    public void Every_fact_of_an_entry_is_told()
    {
        var expires = _clock.Now.AddMinutes(1);
        var value = TestCache.Value(100, 1);
        var tags = TestCache.TagsApart(Cache, 3);
        Cache.Set("plain", value);
        Cache.Set("full", value, new() { Pinned = true, SlidingExpiration = TimeSpan.FromMinutes(1), Tags = tags[..2] });
        Cache.Set("stale", value, new() { AbsoluteExpiration = expires, StaleFor = TimeSpan.FromMinutes(5) });
        Cache.Get("full", out CacheVersion version);

        var seen = 0;
        CacheWalk walk = Cache.Walk();
        while (walk.MoveNext())
        {
            var entry = walk.Current;
            seen++;
            Assert.Equal((100L, CacheEntryState.Live, null), (entry.LengthBytes, entry.State, entry.ComputingSlot));
            Assert.Equal(0, entry.TakesBytes % Cache.Heap.UnitBytes);
            Assert.Equal(entry.TakesBytes, Cache.Heap.UsableSize(entry.Offset));
            Assert.InRange(entry.TakesBytes - entry.Key.Length - entry.LengthBytes - entry.HeaderBytes, 0, Cache.Heap.UnitBytes - 1);
            var copy = new byte[100];
            Assert.Equal(CacheStatus.BufferTooSmall, entry.CopyValue(copy.AsSpan(0, 99)));
            Assert.Equal(CacheStatus.Ok, entry.CopyValue(copy));
            Bytes.Equal(value, copy);
            switch (Encoding.UTF8.GetString(entry.Key))
            {
                case "plain":
                    Assert.Equal((32, 0, false, null, null, null, CacheUse.New), (
                        entry.HeaderBytes, entry.Tags, entry.IsPinned, entry.Expires, entry.Sliding, entry.StaleUntil, entry.Use));
                    break;

                case "full":
                    Assert.Equal((64, 2, true, expires, TimeSpan.FromMinutes(1), CacheUse.Used), (
                        entry.HeaderBytes, entry.Tags, entry.IsPinned, entry.Expires, entry.Sliding, entry.Use));
                    Assert.Equal(version, entry.Version);
                    Assert.True(entry.HasTag(tags[0]) && entry.HasTag(tags[1]) && !entry.HasTag(tags[2]));
                    Assert.Equal(tags[..2].Select(Cache.TagPlaceOf).Order(), new[] { entry.TagPlace(0), entry.TagPlace(1) }.Order());
                    break;

                case "stale":
                    Assert.Equal((expires, expires.AddMinutes(5)), (entry.Expires, entry.StaleUntil));
                    break;
            }
        }

        Assert.Equal((3, 0L), (seen, walk.Damaged));
    }

    [Fact]
    public void What_is_no_value_any_more_or_not_yet_is_met_with_its_state()
    {
        Cache.Set("expired", "1"u8, new() { Lifetime = TimeSpan.FromSeconds(1) });
        Cache.Set("stale", "1"u8, new() { Lifetime = TimeSpan.FromSeconds(1), StaleFor = TimeSpan.FromHours(1) });
        Cache.Set("untagged", "1"u8, new() { Tags = "gone" });
        Cache.Set("live", "1"u8);
        Cache.RemoveByTag("gone");
        Assert.Equal(CacheStatus.Ok, Cache.BeginFlight("coming", out CacheFlight? flight));
        _clock.Now += TimeSpan.FromSeconds(2);
        Dictionary<string, (CacheEntryState State, int? Slot)> found = [];
        foreach (var entry in Cache.Walk())
        {
            found.Add(Encoding.UTF8.GetString(entry.Key), (entry.State, entry.ComputingSlot));
        }

        flight!.Dispose();
        Assert.Equal(5, found.Count);
        Assert.Equal((CacheEntryState.Expired, null), found["expired"]);
        Assert.Equal((CacheEntryState.Stale, null), found["stale"]);
        Assert.Equal((CacheEntryState.TagRemoved, null), found["untagged"]);
        Assert.Equal((CacheEntryState.Live, null), found["live"]);
        Assert.Equal((CacheEntryState.Placeholder, Cache.Heap.ParticipantSlot), found["coming"]);
        Assert.Equal(["live"], Cache.Enumerate().Select(entry => Encoding.UTF8.GetString(entry.Key.Span)));
    }

    [Fact]
    public void The_work_of_one_who_has_left_is_nobodys()
    {
        var other = _test.OpenElsewhere(new() { Clock = _clock });
        other.BeginFlight("coming", out _);
        other.Heap.Dispose();
        foreach (var entry in Cache.Walk())
        {
            Assert.Null(entry.ComputingSlot);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(100)]
    [InlineData(1_000_000)]
    public void Pages_come_to_the_whole(int places)
    {
        for (var number = 0; number < 1000; number++)
        {
            Cache.Set($"key {number}", new byte[number]);
        }

        HashSet<string> found = [];
        CacheCursor cursor = default;
        var pages = 0;
        while (true)
        {
            CacheWalk page = Cache.Walk(cursor, new CacheWalkOptions { MostPlaces = places });
            while (page.MoveNext())
            {
                Assert.True(found.Add(Encoding.UTF8.GetString(page.Current.Key)));
            }

            if (page.Cursor == cursor)
            {
                break;
            }

            cursor = page.Cursor;
            pages++;
        }

        Assert.Equal(1000, found.Count);
        Assert.Equal((7000 + places - 1) / places, pages);
        Assert.False(Cache.Walk(new CacheCursor(long.MaxValue)).MoveNext());
        Assert.Throws<ArgumentOutOfRangeException>(() => { Cache.Walk(new CacheCursor(-1)); });
        Assert.Throws<ArgumentOutOfRangeException>(() => { Cache.Walk(default, new CacheWalkOptions { MostPlaces = -1 }); });
    }

    [Fact]
    public void A_walk_is_no_use_of_what_it_meets_and_allocates_nothing_for_an_entry()
    {
        for (var number = 0; number < 3000; number++)
        {
            Cache.Set($"key {number}", new byte[50], new() { Tags = "all" });
        }

        var reader = _test.OpenReadOnly(new() { Clock = _clock });
        Meet(reader);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal((3000, 3000, 3000L * 50), Meet(reader));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 10_000);
        Meet(Cache);
        Assert.Equal((0L, 0L), (Cache.GetStatistics().Hits, Cache.GetStatistics().Misses));
        foreach (var entry in Cache.Walk())
        {
            Assert.Equal(CacheUse.New, entry.Use);
        }

        static (int Entries, int Tagged, long Bytes) Meet(SharedCache cache)
        {
            var place = cache.TagPlaceOf("all");
            Span<byte> copy = stackalloc byte[64];
            var (entries, tagged, bytes) = (0, 0, 0L);
            foreach (var entry in cache.Walk())
            {
                entries += entry.State == CacheEntryState.Live ? 1 : 0;
                tagged += entry.HasTagPlace(place) ? 1 : 0;
                bytes += entry.CopyValue(copy) == CacheStatus.Ok ? entry.LengthBytes : 0;
            }

            return (entries, tagged, bytes);
        }
    }

    [Fact]
    public void Keys_of_any_length_are_whole()
    {
        int[] lengths = [0, 1, 255, 256, 257, 4000, 65_535];
        foreach (var length in lengths)
        {
            Cache.Set(TestCache.Value(length, length), "v"u8);
        }

        List<int> found = [];
        foreach (var entry in Cache.Walk())
        {
            Bytes.Equal(TestCache.Value(entry.Key.Length, entry.Key.Length), entry.Key.ToArray());
            found.Add(entry.Key.Length);
        }

        Assert.Equal(lengths, found.Order());
    }

    [Fact]
    public void A_value_that_was_replaced_meanwhile_is_not_copied()
    {
        Cache.Set("key", "old"u8);
        CacheWalk walk = Cache.Walk();
        Assert.True(walk.MoveNext());
        Cache.Set("key", "new"u8);
        Assert.Equal(CacheStatus.Missing, walk.Current.CopyValue(new byte[10]));
    }

    /// <summary>What is there all along is met once, in each walk, whatever others do around it.</summary>
    [Fact]
    public async Task A_walk_under_a_storm_of_sets_meets_all_that_lived_throughout()
    {
        const int steady = 2000;
        for (var number = 0; number < steady; number++)
        {
            Cache.Set($"steady {number}", TestCache.Value(40, number), new() { Pinned = true });
        }

        var reader = _test.OpenReadOnly(new() { Clock = _clock });
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var storm = Enumerable.Range(0, 2).Select(seed => Task.Run(
            () =>
            {
                Random random = new(seed);
                var sets = 0;
                for (; !end.IsCancellationRequested; sets++)
                {
                    var key = $"storm {random.Next(3000)}";
                    if (random.Next(4) == 0)
                    {
                        Cache.Remove(key);
                    }
                    else
                    {
                        Cache.Set(key, new byte[random.Next(500)]);
                    }
                }

                return sets;
            },
            TestContext.Current.CancellationToken)).ToArray();
        try
        {
            for (var round = 0; round < 20; round++)
            {
                AssertAllSteady(reader, steady);
            }
        }
        finally
        {
            await end.CancelAsync();
        }

        Assert.True((await Task.WhenAll(storm)).Sum() > 0);
    }

    [Fact]
    public void A_key_is_met_where_it_is_said_to_lie()
    {
        for (var number = 0; number < 1000; number++)
        {
            Cache.Set($"key {number}", new byte[number % 50]);
        }

        for (var number = 0; number < 1000; number++)
        {
            var key = Encoding.UTF8.GetBytes($"key {number}");
            var (first, second) = Cache.PlacesOf(key);
            Assert.Equal(1, Meet(first, key) + Meet(second, key));
            Assert.Equal((first, second), Cache.PlacesOf($"key {number}"));
        }

        int Meet(CacheCursor bucket, byte[] key)
        {
            var met = 0;
            CacheWalk walk = Cache.Walk(bucket, new CacheWalkOptions { MostPlaces = 7 });
            while (walk.MoveNext())
            {
                met += walk.Current.Key.SequenceEqual(key) ? 1 : 0;
            }

            return met;
        }
    }

    [Fact]
    public void Figures_of_slots_come_to_those_of_the_cache()
    {
        var other = _test.OpenElsewhere(new() { Clock = _clock });
        Cache.Set("one", "1"u8);
        Cache.Get("one");
        other.Set("two", "2"u8);
        other.Get("three");
        other.GetStatistics();
        var reader = _test.OpenReadOnly(new() { Clock = _clock });
        Cache.GetStatistics();
        var first = reader.GetStatistics(0);
        var second = reader.GetStatistics(1);
        Assert.Equal((1L, 1L, 0L, 1L), (first.Entries, first.Hits, first.Misses, first.Sets));
        Assert.Equal((1L, 0L, 1L, 1L), (second.Entries, second.Hits, second.Misses, second.Sets));
        var all = reader.GetStatistics();
        Assert.Equal((all.Entries, all.Bytes, all.Capacity), (first.Entries + second.Entries, first.Bytes + second.Bytes, second.Capacity));
        Assert.Equal(0, reader.GetStatistics(2).Sets);
        Assert.Throws<ArgumentOutOfRangeException>(() => reader.GetStatistics(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => reader.GetStatistics(Cache.Heap.MaxParticipants));
    }

    private static void AssertAllSteady(SharedCache reader, int steady)
    {
        var met = new bool[steady];
        CacheWalk walk = reader.Walk();
        while (walk.MoveNext())
        {
            if (walk.Current.Key.StartsWith("steady "u8))
            {
                var number = int.Parse(walk.Current.Key["steady "u8.Length..], System.Globalization.CultureInfo.InvariantCulture);
                Assert.False(met[number], $"{number} was met twice");
                met[number] = true;
                var copy = new byte[40];
                Assert.Equal(CacheStatus.Ok, walk.Current.CopyValue(copy));
                Bytes.Equal(TestCache.Value(40, number), copy);
            }
        }

        Assert.DoesNotContain(false, met);
        Assert.Equal(0, walk.Damaged);
    }
}
