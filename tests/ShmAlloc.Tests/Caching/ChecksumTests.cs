using System.Numerics;
using ShmAlloc.Caching;

namespace ShmAlloc.Tests.Caching;

/// <summary>Values on which somebody has scribbled.</summary>
public sealed class ChecksumTests : IDisposable
{
    private readonly ManualClock _clock = new();
    private readonly TestCache _test;
    private ShmOffset _place;

    public ChecksumTests() => _test = new TestCache(new SharedCacheOptions { Checksums = true, Clock = _clock });

    public static TheoryData<int, int> Places => new() { { 1, 0 }, { 8, 7 }, { 1000, 0 }, { 1000, 999 }, { 5000, 2500 }, { 300_000, 123_456 } };

    private SharedCache Cache => _test.Cache;

    public void Dispose() => _test.Dispose();

    [Theory]
    [MemberData(nameof(Places))]
    public void A_value_with_one_bit_changed_is_damaged(int length, int at)
    {
        Cache.Set("key"u8, TestCache.Value(length, 1));
        Scribble(at);
        Assert.Equal(CacheStatus.Damaged, Cache.Get("key"u8, new byte[length], out _, out CacheVersion _));
        Assert.Null(Cache.Get("key"u8));
        Assert.False(Cache.TryGet("key"u8, new byte[length], out _));
        Assert.False(Cache.TryGet("key"u8, new System.Buffers.ArrayBufferWriter<byte>()));
        Assert.Equal(CacheStatus.Damaged, Cache.Lease("key"u8, out _));
        Assert.Equal(CacheStatus.Damaged, _test.OpenReadOnly().Get("key"u8, new byte[length], out _, out CacheVersion _));
        Scribble(at);
        Bytes.Equal(TestCache.Value(length, 1), Cache.Get("key"u8));
    }

    [Fact]
    public void A_damaged_value_can_be_replaced_and_removed()
    {
        Cache.Set("key"u8, new byte[100]);
        Scribble(5);
        Assert.Equal(CacheStatus.Ok, Cache.Set("key"u8, "value"u8));
        Bytes.Equal("value"u8, Cache.Get("key"u8));
        Scribble(2);
        Assert.Equal(CacheStatus.Ok, Cache.Remove("key"u8));
        _test.AssertNothingIsLost();
    }

    [Fact]
    public async Task A_damaged_value_is_worked_out_anew_without_waiting()
    {
        CacheFlightOptions patient = new() { WaitLimit = TimeSpan.FromMinutes(10) };
        Cache.Set("key"u8, new byte[100]);
        Scribble(5);
        Bytes.Equal("value"u8, Cache.GetOrAdd("key", _ => "value"u8.ToArray(), default, patient));
        Bytes.Equal("value"u8, Cache.Get("key"u8));
        Scribble(1);
        var value = await Cache.GetOrAddAsync(
            "key"u8.ToArray(), 0, (_, _) => ValueTask.FromResult("again"u8.ToArray()), default, patient, TestContext.Current.CancellationToken);
        Bytes.Equal("again"u8, value);
        Bytes.Equal("again"u8, Cache.Get("key"u8));
    }

    [Fact]
    public void A_damaged_value_is_never_given_out_as_stale()
    {
        CacheFlightOptions stale = new() { WaitLimit = TimeSpan.Zero, AllowStale = true };
        Cache.Set("key"u8, new byte[100], new() { Lifetime = TimeSpan.FromMilliseconds(1), StaleFor = TimeSpan.FromHours(1) });
        Scribble(5);
        _clock.Advance(1);
        var value = Cache.GetOrAdd("key", _ => Cache.GetOrAdd("key", _ => "new"u8.ToArray(), default, stale), default, stale);
        Bytes.Equal("new"u8, value);
    }

    [Fact]
    public void A_value_that_is_whole_is_given_out_as_stale()
    {
        CacheFlightOptions stale = new() { WaitLimit = TimeSpan.Zero, AllowStale = true };
        Cache.Set("key"u8, "old"u8, new() { Lifetime = TimeSpan.FromMilliseconds(1), StaleFor = TimeSpan.FromHours(1) });
        _clock.Advance(1);
        var value = Cache.GetOrAdd("key", _ => Cache.GetOrAdd("key", _ => "new"u8.ToArray(), default, stale), default, stale);
        Bytes.Equal("old"u8, value);
    }

    [Fact]
    public void A_number_that_is_damaged_is_not_incremented()
    {
        Cache.Increment("key"u8, 1, out _);
        Scribble(0);
        Assert.Equal(CacheStatus.Damaged, Cache.Increment("key"u8, 1, out var result));
        Assert.Equal(0, result);
    }

    [Fact]
    public void What_was_written_in_place_has_a_checksum_too()
    {
        Cache.Reserve("key"u8, 5, out var reservation);
        "value"u8.CopyTo(reservation!.Value);
        reservation.Commit();
        Bytes.Equal("value"u8, Cache.Get("key"u8));
        Scribble(0);
        Assert.Null(Cache.Get("key"u8));
    }

    [Fact]
    public void What_was_worked_out_has_a_checksum_too()
    {
        Cache.GetOrAdd("key", _ => "value"u8.ToArray());
        Bytes.Equal("value"u8, Cache.Get("key"u8));
        Scribble(0);
        Assert.Null(Cache.Get("key"u8));
    }

    [Fact]
    public void Without_checksums_nobody_notices()
    {
        using TestCache test = new();
        test.Cache.Set("key"u8, "value"u8);
        Scribble(test, 0);
        Assert.Equal(5, test.Cache.Get("key"u8)!.Length);
        Assert.NotEqual("value"u8.ToArray(), test.Cache.Get("key"u8));
    }

    [Theory]
    [InlineData(0, 0x00000000u)]
    [InlineData(9, 0xE3069283u)]
    public unsafe void It_is_crc_32c(int length, uint expected)
    {
        var bytes = "123456789"u8.ToArray();
        fixed (byte* first = bytes)
        {
            Assert.Equal(expected, (uint)Checksum.Of(first, (uint)length));
        }
    }

    private void Scribble(int at) => Scribble(_test, at);

    /// <summary>Changes one bit of the value of the key; the second time it is as before.</summary>
    private unsafe void Scribble(TestCache test, int at)
    {
        if (test.Cache.Lease("key"u8, out var lease) == CacheStatus.Ok)
        {
            fixed (byte* value = lease.Value)
            {
                _place = test.Heap.OffsetOf(value);
            }

            lease.Dispose();
        }

        using var other = ShmHeap.Attach(test.Path);
        other.GetSpan(_place, at + 1)[at] ^= 4;
    }

    [Fact]
    public unsafe void With_and_without_the_instruction_of_the_processor_it_is_the_same()
    {
        var value = TestCache.Value(1000, 1);
        for (var length = 0; length <= value.Length; length++)
        {
            uint expected = uint.MaxValue;
            uint software = uint.MaxValue;
            foreach (var next in value.AsSpan(0, length))
            {
                expected = BitOperations.Crc32C(expected, next);
                software = Checksum.NextInSoftware(software, next);
            }

            fixed (byte* bytes = value)
            {
                Assert.Equal(~expected, Checksum.Of(bytes, (uint)length));
                Assert.Equal(expected, software);
            }
        }
    }
}
