using ShmAlloc.Caching;
using ShmAlloc.Tests.Support;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Tests.Caching;

/// <summary>Many keys in one call.</summary>
public sealed class ManyTests : IDisposable
{
    private readonly TestCache _test = new();

    private SharedCache Cache => _test.Cache;

    public void Dispose() => _test.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(31)]
    [InlineData(32)]
    [InlineData(33)]
    [InlineData(100)]
    public void All_that_is_there_is_copied_in_order(int count)
    {
        var keys = Keys(count);
        for (var index = 0; index < count; index++)
        {
            if (index % 3 != 0)
            {
                Cache.Set(keys[index].Span, TestCache.Value(index, index));
            }
        }

        var destination = new byte[count * count];
        var results = new CacheRead[count + 1];
        Assert.Equal(Enumerable.Range(0, count).Count(index => index % 3 != 0), Cache.GetMany(keys, destination, results));
        var used = 0;
        for (var index = 0; index < count; index++)
        {
            var isThere = index % 3 != 0;
            var (status, offset, length, version) = results[index];
            Assert.Equal(isThere ? CacheStatus.Ok : CacheStatus.Missing, status);
            Assert.Equal(isThere ? (used, index) : (0, 0), (offset, length));
            Bytes.Equal(isThere ? TestCache.Value(index, index) : [], destination.AsSpan(offset, length));
            Cache.Get(keys[index].Span, [], out _, out var expected);
            Assert.Equal(expected, version);
            used += length;
        }

        Assert.Equal(default, results[count]);
    }

    [Fact]
    public void What_does_not_fit_is_passed_over_and_told()
    {
        Cache.Set("0"u8, TestCache.Value(10, 0));
        Cache.Set("1"u8, TestCache.Value(20, 1));
        Cache.Set("2"u8, TestCache.Value(5, 2));
        var results = new CacheRead[3];
        var destination = new byte[15];
        Assert.Equal(2, Cache.GetMany(Keys(3), destination, results));
        Assert.Equal([(CacheStatus.Ok, 0, 10), (CacheStatus.BufferTooSmall, 0, 20), (CacheStatus.Ok, 10, 5)], results.Select(read => (read.Status, read.Offset, read.LengthBytes)));
        Bytes.Equal(TestCache.Value(5, 2), destination.AsSpan(10));
        Assert.Equal(0, Cache.GetMany(Keys(3), [], results));
        Assert.All(results, read => Assert.Equal(CacheStatus.BufferTooSmall, read.Status));
    }

    [Fact]
    public void Each_key_is_counted()
    {
        Cache.Set("0"u8, "value"u8);
        Cache.Set("1"u8, TestCache.Value(100, 1));
        var before = Cache.GetStatistics();
        Cache.GetMany(Keys(5), new byte[50], new CacheRead[5]);
        Cache.GetMany("0", "5");
        var after = Cache.GetStatistics();
        Assert.Equal((3, 4), (after.Hits - before.Hits, after.Misses - before.Misses));
    }

    [Fact]
    public void What_has_expired_or_lost_its_tag_is_missing_and_what_slides_is_renewed()
    {
        ManualClock clock = new();
        using TestCache test = new(new SharedCacheOptions { Clock = clock });
        var hundred = TimeSpan.FromMilliseconds(100);
        test.Cache.Set("0"u8, "a"u8, new() { Lifetime = hundred });
        test.Cache.Set("1"u8, "b"u8, new() { SlidingExpiration = hundred });
        test.Cache.Set("2"u8, "c"u8, new() { Tags = CacheTags.Of("tag") });
        test.Cache.Set("3"u8, "d"u8, new() { Lifetime = 2 * hundred });
        test.Cache.RemoveByTag("tag");
        var results = new CacheRead[4];
        clock.Advance(99);
        Assert.Equal(3, test.Cache.GetMany(Keys(4), new byte[4], results));
        clock.Advance(1);
        Assert.Equal(2, test.Cache.GetMany(Keys(4), new byte[4], results));
        Assert.Equal([CacheStatus.Missing, CacheStatus.Ok, CacheStatus.Missing, CacheStatus.Ok], results.Select(read => read.Status));
    }

    [Fact]
    public void Texts_of_all_lengths_are_keys_of_many()
    {
        string[] keys = [.. Enumerable.Range(0, 50).Select(index => new string('ä', index * 37)), new string('x', 70_000), "cut \ud83d", ""];
        foreach (var key in keys)
        {
            Cache.Set(key, TestCache.Value(key.Length % 2000, key.Length));
        }

        var values = Cache.GetMany([.. keys, "none"]);
        for (var index = 0; index < keys.Length; index++)
        {
            if (keys[index].Length <= 65_535)
            {
                Bytes.Equal(TestCache.Value(keys[index].Length % 2000, keys[index].Length), values[index]);
            }
            else
            {
                Assert.Null(values[index]);
            }
        }

        Assert.Null(values[^1]);
        Assert.Equal(keys.Length + 1, values.Length);
    }

    [Fact]
    public void Many_are_set_in_order_and_each_has_its_status()
    {
        var entries = Keys(100)
            .Select((key, index) => KeyValuePair.Create(key, (ReadOnlyMemory<byte>)TestCache.Value(index, index)))
            .Append(new(new byte[70_000], default))
            .Append(new("0"u8.ToArray(), "last"u8.ToArray()))
            .Append(new("large"u8.ToArray(), new byte[TestCache.DefaultBytes]))
            .ToArray();
        var statuses = new CacheStatus[entries.Length];
        Assert.Equal(101, Cache.SetMany(entries, new() { Pinned = true }, statuses));
        Assert.Equal([CacheStatus.TooLarge, CacheStatus.Ok, CacheStatus.TooLarge], statuses[100..]);
        Assert.All(statuses[..100], status => Assert.Equal(CacheStatus.Ok, status));
        Bytes.Equal("last"u8, Cache.Get("0"u8));
        for (var index = 1; index < 100; index++)
        {
            Bytes.Equal(TestCache.Value(index, index), Cache.Get(Keys(100)[index].Span));
        }

        Assert.Equal(101, Cache.GetStatistics().Sets);
        Assert.All(Cache.Enumerate(), entry => Assert.True(entry.IsPinned));
        _test.AssertNothingIsLost();
    }

    [Fact]
    public void Texts_and_their_values_are_set_without_more_ado()
    {
        Dictionary<string, byte[]> entries = new() { [""] = [], [new string('ä', 500)] = [1], ["cut \ud83d"] = [2], ["key"] = [3] };
        Assert.Equal(4, Cache.SetMany(entries, new() { Pinned = true }));
        Assert.All(entries, entry => Bytes.Equal(entry.Value, Cache.Get(entry.Key)));
        Assert.All(Cache.Enumerate(), entry => Assert.True(entry.IsPinned));

        var statuses = new CacheStatus[3];
        Assert.Equal(2, Cache.SetMany([new("one", [1]), new(new string('x', 70_000), [2]), new("one", [3])], statuses: statuses));
        Assert.Equal([CacheStatus.Ok, CacheStatus.TooLarge, CacheStatus.Ok], statuses);
        Assert.Equal([3], Cache.Get("one"));

        var bytes = Keys(40).Select(key => KeyValuePair.Create(key, key)).ToArray();
        Assert.Equal(40, Cache.SetMany(bytes));
        var values = Cache.GetMany([.. Keys(40), "none"u8.ToArray()]);
        Assert.Equal(41, values.Length);
        Assert.All(Enumerable.Range(0, 40), number => Bytes.Equal(bytes[number].Value.Span, values[number]));
        Assert.Null(values[40]);
        Assert.Equal(0, Cache.SetMany([]));
    }

    /// <summary>Whatever is wrong is found before anything is stored.</summary>
    [Fact]
    public void Neither_a_key_nor_a_value_is_null()
    {
        Assert.Throws<ArgumentNullException>(() => Cache.SetMany((Dictionary<string, byte[]>)null!));
        Assert.Contains("key of entry 1", Assert.Throws<ArgumentException>(() => Cache.SetMany([new("one", [1]), new(null!, [2])])).Message, StringComparison.Ordinal);
        Assert.Contains("value of entry 1", Assert.Throws<ArgumentException>(() => Cache.SetMany([new("one", [1]), new("two", null!)])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Cache.SetMany([new("one", [1]), new("two", [2])], statuses: new CacheStatus[1]));
        Assert.Empty(Cache.Enumerate());
    }

    [Fact]
    public void Neither_getting_nor_setting_many_allocates_on_the_managed_heap()
    {
        var keys = Keys(64);
        var entries = keys.Select(key => KeyValuePair.Create(key, key)).ToArray();
        var (results, statuses, destination) = (new CacheRead[64], new CacheStatus[64], new byte[1000]);
        Cache.SetMany(entries, statuses: statuses);
        Cache.GetMany(keys, destination, results);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Cache.SetMany(entries, statuses: statuses);
        Cache.GetMany(keys, destination, results);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.All(results, read => Assert.Equal(CacheStatus.Ok, read.Status));
    }

    [Fact]
    public void Misuse_throws_and_who_may_only_read_sets_nothing()
    {
        var entries = new KeyValuePair<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>[1];
        Assert.Throws<ArgumentException>(() => Cache.GetMany(Keys(2), [], new CacheRead[1]));
        Assert.Throws<ArgumentException>(() => Cache.SetMany([entries[0], entries[0]], statuses: new CacheStatus[1]));
        Assert.Throws<ArgumentException>(() => Cache.GetMany("key", null!));
        Assert.Throws<ArgumentOutOfRangeException>(() => Cache.SetMany(entries, new() { Lifetime = TimeSpan.Zero }, new CacheStatus[1]));
        Cache.Set("0"u8, "value"u8);
        var reader = _test.OpenReadOnly();
        var statuses = new CacheStatus[1];
        Assert.Equal(0, reader.SetMany(entries, statuses: statuses));
        Assert.Equal(CacheStatus.ReadOnly, statuses[0]);
        Assert.Equal(1, reader.GetMany(Keys(1), new byte[5], new CacheRead[1]));
        reader.Heap.Dispose();
        Assert.Throws<ObjectDisposedException>(() => reader.GetMany(Keys(1), new byte[5], new CacheRead[1]));
        Assert.Throws<ObjectDisposedException>(() => reader.GetMany("0"));
        Assert.Throws<ObjectDisposedException>(() => reader.SetMany(entries, statuses: statuses));
    }

    /// <summary>Each value is whole, and of its key, while others set and remove the keys.</summary>
    [Fact]
    public void Each_value_is_one_that_was_set()
    {
        var rounds = Effort.Choose(300, 30_000);
        var keys = Keys(40);
        Threads.Run(3, number =>
        {
            Random random = new(number);
            var entries = new KeyValuePair<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>[40];
            var (statuses, results, destination) = (new CacheStatus[40], new CacheRead[40], new byte[40 * 300]);
            for (var round = 0; round < rounds; round++)
            {
                for (var index = 0; index < 40; index++)
                {
                    var value = new byte[random.Next(1, 300)];
                    Array.Fill(value, (byte)index);
                    entries[index] = new(keys[index], value);
                }

                Assert.Equal(40, Cache.SetMany(entries, statuses: statuses));
                Cache.Remove(keys[random.Next(40)].Span);
                Cache.GetMany(keys, destination, results);
                for (var index = 0; index < 40; index++)
                {
                    Assert.True(results[index].Status is CacheStatus.Ok or CacheStatus.Missing);
                    Assert.False(destination.AsSpan(results[index].Offset, results[index].LengthBytes).ContainsAnyExcept((byte)index));
                }
            }
        });
    }

    private static ReadOnlyMemory<byte>[] Keys(int count) =>
        [.. Enumerable.Range(0, count).Select(index => (ReadOnlyMemory<byte>)System.Text.Encoding.ASCII.GetBytes($"{index}"))];
}
