using System.Buffers;
using System.Text;
using ShmAlloc.Caching;

namespace ShmAlloc.Tests.Caching;

/// <summary>What is set is read, whatever form keys and values have.</summary>
public sealed class GettingAndSettingTests : IDisposable
{
    private readonly TestCache _test = new();

    /// <summary>Within a unit, within a word, crossing words, runs of blocks.</summary>
    public static TheoryData<int> Lengths => [0, 1, 7, 8, 31, 32, 100, 1000, 5000, 30_000, 49_000, 49_200, 65_536, 100_000, 3 << 20];

    private SharedCache Cache => _test.Cache;

    public void Dispose() => _test.Dispose();

    [Theory]
    [MemberData(nameof(Lengths))]
    public void A_value_of_any_length_is_read_as_it_was_set(int length)
    {
        var value = TestCache.Value(length, 1);
        Assert.Equal(CacheStatus.Ok, Cache.Set("key"u8, value));
        Bytes.Equal(value, Cache.Get("key"u8));
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void A_value_of_any_length_replaces_another(int length)
    {
        Cache.Set("key"u8, TestCache.Value(500, 1));
        var value = TestCache.Value(length, 2);
        Assert.Equal(CacheStatus.Ok, Cache.Set("key"u8, value));
        Bytes.Equal(value, Cache.Get("key"u8));
        Assert.Equal(1, Cache.GetStatistics().Entries);
    }

    [Fact]
    public void A_key_that_was_never_set_has_no_value()
    {
        Assert.Null(Cache.Get("key"u8));
        Assert.Null(Cache.Get("key"));
        Assert.False(Cache.TryGet("key"u8, new byte[8], out var length));
        Assert.Equal(0, length);
        Assert.False(Cache.TryGet("key"u8, new ArrayBufferWriter<byte>()));
        Assert.False(Cache.Contains("key"u8));
        Assert.Equal(CacheStatus.Missing, Cache.Refresh("key"u8));
        Assert.Equal(CacheStatus.Missing, Cache.Get("key"u8, [], out _, out var version));
        Assert.Equal(default, version);
    }

    [Fact]
    public void The_empty_key_is_a_key()
    {
        Assert.Equal(CacheStatus.Ok, Cache.Set([], "value"u8));
        Bytes.Equal("value"u8, Cache.Get([]));
        Bytes.Equal("value"u8, Cache.Get(""));
        Assert.Equal(CacheStatus.Ok, Cache.Remove(""));
        Assert.Null(Cache.Get([]));
    }

    [Fact]
    public void The_empty_value_is_a_value()
    {
        Cache.Set("key"u8, []);
        Assert.True(Cache.Contains("key"u8));
        Assert.True(Cache.TryGet("key"u8, [], out var length));
        Assert.Equal(0, length);
        Assert.True(Cache.TryGet("key"u8, new ArrayBufferWriter<byte>()));
    }

    [Fact]
    public void A_text_is_the_same_key_as_its_utf8()
    {
        foreach (var key in (string[])["a", "Schlüssel", "鍵", new string('k', 383), new string('k', 384), new string('ü', 300), new string('k', 5000)])
        {
            Cache.Set(key, "value"u8);
            Bytes.Equal("value"u8, Cache.Get(Encoding.UTF8.GetBytes(key)));
            Assert.True(Cache.TryGet(key, new byte[5], out _));
            Assert.Equal(CacheStatus.Ok, Cache.Remove(key));
            Assert.False(Cache.Contains(Encoding.UTF8.GetBytes(key)));
        }
    }

    [Fact]
    public void A_key_may_have_65535_bytes()
    {
        var key = TestCache.Value(65_535, 1);
        var other = (byte[])key.Clone();
        other[^1] ^= 1;
        Assert.Equal(CacheStatus.Ok, Cache.Set(key, "value"u8));
        Bytes.Equal("value"u8, Cache.Get(key));
        Assert.Null(Cache.Get(other));
        Assert.Equal(key, Assert.Single(Cache.Enumerate()).Key.ToArray());
    }

    [Fact]
    public void A_longer_key_is_refused_and_never_found()
    {
        var key = new byte[65_536];
        Assert.Equal(CacheStatus.TooLarge, Cache.Set(key, "value"u8));
        Assert.Equal(CacheStatus.TooLarge, Cache.Add(key, "value"u8));
        Assert.Equal(CacheStatus.TooLarge, Cache.Increment(key, 1, out _));
        Assert.Equal(CacheStatus.TooLarge, Cache.Reserve(key, 1, out _));
        Assert.Null(Cache.Get(key));
        Assert.Equal(CacheStatus.Missing, Cache.Lease(key, out _));
        Assert.Equal(CacheStatus.Missing, Cache.Remove(key));
        Bytes.Equal("value"u8, Cache.GetOrAdd(key, 0, _ => "value"u8.ToArray()));
        Assert.Empty(Cache.Enumerate());
    }

    [Fact]
    public void A_value_that_no_heap_of_this_size_holds_is_refused_and_leaves_what_was_there()
    {
        Cache.Set("key"u8, "old"u8);
        var value = new byte[TestCache.DefaultBytes + 1];
        Assert.Equal(CacheStatus.TooLarge, Cache.Set("key"u8, value));
        Assert.Equal(CacheStatus.TooLarge, Cache.Set("key"u8, Segment.Sequence(value, value)));
        Assert.Equal(CacheStatus.TooLarge, Cache.Reserve("key"u8, value.Length, out var reservation));
        Assert.Null(reservation);
        Bytes.Equal("old"u8, Cache.Get("key"u8));
    }

    [Fact]
    public void The_largest_allocation_of_the_heap_is_no_limit_for_values()
    {
        using TestCache small = new(new SharedCacheOptions { Capacity = 50, TagSlots = 16 }, new() { SizeBytes = 1 << 20, LargestAllocationBytes = 20_000 });
        Assert.Equal(CacheStatus.Ok, small.Cache.Set("key"u8, new byte[19_900]));
        Assert.Equal(CacheStatus.Ok, small.Cache.Set("key"u8, new byte[200_000]));
        Assert.Equal(200_000, small.Cache.Get("key"u8)!.Length);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    public void A_buffer_that_is_too_short_learns_how_long_the_value_is(int length)
    {
        Cache.Set("key"u8, "value"u8);
        var buffer = new byte[length];
        Assert.False(Cache.TryGet("key"u8, buffer, out var needed));
        Assert.Equal(5, needed);
        Assert.Equal(CacheStatus.BufferTooSmall, Cache.Get("key"u8, buffer, out needed, out var version));
        Assert.Equal(5, needed);
        Assert.NotEqual(default, version);
        Assert.DoesNotContain(buffer, filled => filled != 0);
    }

    [Fact]
    public void A_longer_buffer_keeps_what_lies_behind_the_value()
    {
        Cache.Set("key"u8, "value"u8);
        byte[] buffer = [1, 1, 1, 1, 1, 1, 1, 1];
        Assert.True(Cache.TryGet("key"u8, buffer, out var length));
        Assert.Equal(5, length);
        Bytes.Equal("value\u0001\u0001\u0001"u8, buffer);
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void A_writer_gets_the_value_appended(int length)
    {
        var value = TestCache.Value(length, 1);
        Cache.Set("key", value);
        ArrayBufferWriter<byte> writer = new();
        writer.Write("before"u8);
        Assert.True(Cache.TryGet("key"u8, writer));
        Assert.True(Cache.TryGet("key", writer));
        Assert.Equal((byte[])[.. "before"u8, .. value, .. value], writer.WrittenSpan.ToArray());
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void A_sequence_of_one_segment_or_several_is_set_as_one_value(int length)
    {
        var value = TestCache.Value(length, 1);
        Assert.Equal(CacheStatus.Ok, Cache.Set("one"u8, new ReadOnlySequence<byte>(value)));
        List<CacheReservation> taken = [];
        while (Cache.Reserve("other"u8, 10, out var reservation) == CacheStatus.Ok)
        {
            taken.Add(reservation!);
        }

        Assert.Equal(CacheStatus.Ok, Cache.Set("three"u8, Segment.Sequence(value[..(length / 3)], [], value[(length / 3)..])));
        Bytes.Equal(value, Cache.Get("one"u8));
        Bytes.Equal(value, Cache.Get("three"u8));
        taken.ForEach(reservation => reservation.Dispose());
    }

    [Fact]
    public void Every_value_has_a_version_of_its_own()
    {
        HashSet<CacheVersion> versions = [];
        for (var round = 0; round < 1000; round++)
        {
            Cache.Set("key"u8, "value"u8);
            Cache.Get("key"u8, out var version);
            Assert.True(versions.Add(version));
            Cache.Get("key"u8, new byte[5], out _, out var again);
            Assert.Equal(version, again);
        }
    }

    [Fact]
    public void Many_keys_keep_their_own_values()
    {
        for (var number = 0; number < 5000; number++)
        {
            Assert.Equal(CacheStatus.Ok, Cache.Set($"key {number}", BitConverter.GetBytes(number)));
        }

        for (var number = 0; number < 5000; number++)
        {
            Bytes.Equal(BitConverter.GetBytes(number), Cache.Get($"key {number}"));
        }
    }

    [Fact]
    public void Null_is_no_argument()
    {
        Assert.Throws<ArgumentNullException>(() => Cache.Get((string)null!));
        Assert.Throws<ArgumentNullException>(() => Cache.Set((string)null!, []));
        Assert.Throws<ArgumentNullException>(() => Cache.Remove((string)null!));
        Assert.Throws<ArgumentNullException>(() => Cache.TryGet("key"u8, null!));
        Assert.Throws<ArgumentNullException>(() => Cache.RemoveByTag(null!));
        Assert.Throws<ArgumentNullException>(() => Cache.GetOrAdd("key", null!));
        Assert.Throws<ArgumentNullException>(() => SharedCache.Open(null!));
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        private Segment(byte[] bytes, long before)
        {
            Memory = bytes;
            RunningIndex = before;
        }

        internal static ReadOnlySequence<byte> Sequence(params byte[][] parts)
        {
            Segment first = new(parts[0], 0);
            var last = first;
            foreach (var part in parts[1..])
            {
                Segment next = new(part, last.RunningIndex + last.Memory.Length);
                last.Next = next;
                last = next;
            }

            return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
        }
    }
}
