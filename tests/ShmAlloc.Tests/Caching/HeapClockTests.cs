using ShmAlloc.Caching;
using ShmAlloc.Memory.Linux;

namespace ShmAlloc.Tests.Caching;

/// <summary>Whether a deadline has come is mostly told without a look at the clock, and never wrongly.</summary>
public sealed unsafe class HeapClockTests
{
    private const ulong Hour = 3_600_000;

    [Fact]
    public void A_deadline_has_come_when_the_clock_is_there()
    {
        using TestCache test = new();
        var heap = test.Heap.Attachment;
        Assert.True(HeapClock.IsPast(heap, HeapClock.Now(heap)));
        Assert.False(HeapClock.IsPast(heap, HeapClock.Now(heap) + Hour));
        Assert.True(HeapClock.IsPast(heap, HeapClock.Now(heap) - Hour));
    }

    [Fact]
    public void What_the_coarse_clock_says_holds_for_a_while()
    {
        using TestCache test = new();
        var heap = test.Heap.Attachment;
        Assert.Equal(0UL, heap->TicksKnownUntil);
        HeapClock.IsPast(heap, HeapClock.Now(heap) + Hour);
        Assert.InRange(HeapClock.Now(heap), heap->TicksKnownUntil + heap->TicksToClock - 64, ulong.MaxValue);
        Assert.NotEqual(0UL, heap->TicksKnownUntil);
    }

    /// <summary>To the millisecond, but for what may keep the kernel's coarse clock back on a busy virtual machine.</summary>
    [Fact]
    public void A_value_is_given_until_its_time_has_come_and_not_much_longer()
    {
        const ulong lifetime = 100;
        const ulong mostLate = 1000;
        using TestCache test = new();
        var heap = test.Heap.Attachment;
        var earliest = HeapClock.Now(heap) + lifetime;
        test.Cache.Set("key"u8, "value"u8, new() { Lifetime = TimeSpan.FromMilliseconds(lifetime) });
        var latest = HeapClock.Now(heap) + lifetime;
        Span<byte> buffer = stackalloc byte[8];
        for (var isThere = true; isThere;)
        {
            var before = HeapClock.Now(heap);
            isThere = test.Cache.TryGet("key"u8, buffer, out _);
            Assert.True(isThere ? before <= latest + mostLate : HeapClock.Now(heap) >= earliest);
        }
    }

    /// <summary>The coarse clock may lag by a tick, and both are rounded down.</summary>
    [Theory]
    [InlineData(5012, 1000, 1001, true)]
    [InlineData(5011, 1000, 1001, false)]
    [InlineData(9999, 1001, 1001, false)]
    [InlineData(9999, 5000, 0, false)]
    [InlineData(9999, 0, 1001, false)]
    public void Only_what_is_further_away_than_a_tick_is_surely_ahead(ulong deadline, ulong ticks, ulong knownUntil, bool expected)
    {
        Assert.Equal(11, Libc.LongestTick);
        Assert.Equal(expected, HeapClock.IsSurelyAhead(deadline, ticks, ticksToClock: 4000, knownUntil));
    }
}
