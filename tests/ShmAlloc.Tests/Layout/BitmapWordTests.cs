using CsCheck;
using ShmAlloc.Layout;

namespace ShmAlloc.Tests.Layout;

/// <summary>The word that is the whole truth about 32 units: its states, and its helpers against naive versions.</summary>
public sealed class BitmapWordTests
{
    /// <summary>Random bits, and bits with long runs.</summary>
    private static readonly Gen<uint> Bits = Gen.OneOf(
        Gen.UInt,
        Gen.Select(Gen.UInt, Gen.UInt, (one, other) => one & other),
        Gen.Select(Gen.UInt, Gen.UInt, Gen.UInt, (one, other, third) => one | other | third),
        Gen.Select(Gen.Int[0, 31], Gen.Int[1, 32], (first, count) => (uint)(((1UL << count) - 1) << first)),
        Gen.Const(0u),
        Gen.Const(uint.MaxValue));

    /// <summary>A word that allocations can make: a sequence of free units and of published and private allocations.</summary>
    private static readonly Gen<BitmapWord> WellFormed = Gen.Select(Gen.Int[0, 2], Gen.Int[1, 12]).Array[32].Select(pieces =>
    {
        var word = BitmapWord.Empty;
        var at = 0;
        foreach (var (kind, length) in pieces)
        {
            var count = Math.Min(length, 32 - at);
            if (count == 0)
            {
                break;
            }

            var mask = BitmapWord.Mask(at, count);
            var end = 1u << (at + count - 1);
            word = kind switch { 0 => word, 1 => word.With(BitmapWord.Published(at, (uint)count)), _ => word.WithPrivate(mask, end) };
            at += count;
        }

        return word;
    });

    [Fact]
    public void A_zero_in_the_file_is_closed() => Assert.True(BitmapWord.FromStored(0).IsClosed);

    [Fact]
    public void A_closed_word_has_neither_free_units_nor_malformed_ones()
    {
        Assert.Equal(0u, BitmapWord.Closed.Free);
        Assert.False(BitmapWord.Closed.IsMalformed);
        Assert.False(BitmapWord.Closed.IsEmpty);
        Assert.Equal("CLOSED", BitmapWord.Closed.ToString());
    }

    [Fact]
    public void An_empty_word_is_all_free()
    {
        Assert.Equal(uint.MaxValue, BitmapWord.Empty.Free);
        Assert.True(BitmapWord.Empty.IsEmpty);
        Assert.False(BitmapWord.Empty.IsClosed);
        Assert.Equal(1UL, BitmapWord.Empty.Stored);
    }

    [Fact]
    public void Closed_is_a_pattern_that_no_open_word_has() => WellFormed.Sample(word => !word.IsClosed && !word.IsMalformed);

    [Fact]
    public void What_is_stored_is_read_back() => Gen.ULong.Sample(bits => new BitmapWord(bits) == BitmapWord.FromStored(new BitmapWord(bits).Stored));

    [Fact]
    public void Each_unit_is_in_exactly_one_state() => Gen.ULong.Sample(bits =>
    {
        BitmapWord word = new(bits);
        Assert.Equal(word.Used, word.Bodies | word.PublishedEnds | word.PrivateEnds);
        Assert.Equal(0u, (word.Bodies & word.Ends) | (word.PublishedEnds & word.PrivateEnds));
        Assert.Equal(word.Ends, word.PublishedEnds | word.PrivateEnds);
        Assert.Equal(word.IsClosed ? 0 : ~word.Used, word.Free);
    });

    [Fact]
    public void A_mask_has_its_units_and_no_others()
    {
        for (var first = 0; first < 32; first++)
        {
            for (var count = 1; first + count <= 32; count++)
            {
                uint expected = 0;
                for (var unit = first; unit < first + count; unit++)
                {
                    expected |= 1u << unit;
                }

                Assert.Equal(expected, BitmapWord.Mask(first, count));
            }
        }
    }

    [Theory]
    [InlineData(0, 1, "P...............................")]
    [InlineData(3, 4, "...---P.........................")]
    [InlineData(31, 1, "...............................P")]
    [InlineData(0, 32, "-------------------------------P")]
    public void A_published_allocation_is_bodies_and_a_published_end(int first, int count, string expected)
    {
        var word = BitmapWord.Empty.With(BitmapWord.Published(first, (uint)count));
        Assert.Equal(expected, word.ToString());
        Assert.Equal(expected.Replace('P', 'p'), word.Withdraw(1u << (first + count - 1)).ToString());
    }

    [Fact]
    public void There_is_room_for_an_allocation_where_all_its_units_are_free_in_an_open_word() => Gen.Select(WellFormed, Gen.Int[0, 31], Gen.Int[1, 32]).Sample((word, first, length) =>
    {
        var count = Math.Min(length, 32 - first);
        var allocation = BitmapWord.Published(first, (uint)count);
        Assert.Equal((word.Used & BitmapWord.Mask(first, count)) == 0, word.HasRoomFor(allocation));
        Assert.False(BitmapWord.Closed.HasRoomFor(allocation));
    });

    [Fact]
    public void Bodies_and_published_ends_are_told_from_free_units_and_private_ends() => Gen.Select(WellFormed, Gen.Int[0, 31], Gen.Int[1, 32]).Sample((word, first, length) =>
    {
        var mask = BitmapWord.Mask(first, Math.Min(length, 32 - first));
        Assert.Equal((mask & ~(word.Bodies | word.PublishedEnds)) == 0, word.AreBodiesOrPublished(mask));
    });

    [Fact]
    public void A_private_allocation_is_published_and_withdrawn_by_its_end_alone() => Gen.Select(Gen.Int[0, 31], Gen.Int[1, 32]).Sample((first, length) =>
    {
        var count = Math.Min(length, 32 - first);
        var end = 1u << (first + count - 1);
        var mask = BitmapWord.Mask(first, count);
        var word = BitmapWord.Empty.WithPrivate(mask, end);
        Assert.Equal((end, 0u, mask), (word.PrivateEnds, word.PublishedEnds, word.Used));
        Assert.Equal(BitmapWord.Empty.With(BitmapWord.Published(first, (uint)count)), word.Publish(end));
        Assert.Equal(word, word.Publish(end).Withdraw(end));
        Assert.Equal(BitmapWord.Empty, word.Without(mask));
        Assert.Equal(BitmapWord.Empty, word.Publish(end).Without(mask));
    });

    [Fact]
    public void The_upper_part_of_a_crossing_allocation_has_no_end_in_its_lower_words()
    {
        var word = BitmapWord.Empty.WithPrivate(BitmapWord.Mask(20, 12), 0);
        Assert.Equal("....................------------", word.ToString());
        Assert.False(word.IsMalformed);
        Assert.Equal(0u, word.Ends);
    }

    [Theory]
    [InlineData(0b011UL, 0b000UL, true)]
    [InlineData(0b010UL, 0b000UL, true)]
    [InlineData(0b001UL, 0b010UL, false)]
    [InlineData(0x8000_0000UL, 0UL, false)]
    [InlineData(0UL, 0UL, false)]
    public void A_body_before_a_free_unit_is_malformed(ulong planeA, ulong planeB, bool isMalformed) =>
        Assert.Equal(isMalformed, new BitmapWord(planeA | planeB << 32).IsMalformed);

    [Fact]
    public void Starts_are_the_first_units_of_runs() => Gen.Select(Bits, Gen.Int[1, 32]).Sample((free, count) =>
    {
        uint expected = 0;
        for (var first = 0; first + count <= 32; first++)
        {
            expected |= (free & BitmapWord.Mask(first, count)) == BitmapWord.Mask(first, count) ? 1u << first : 0;
        }

        Assert.Equal(expected, BitmapWord.Starts(free, count));
    });

    [Fact]
    public void The_run_around_a_unit_reaches_as_far_as_there_are_set_bits() => Gen.Select(Bits, Gen.Int[0, 31]).Sample((some, position) =>
    {
        var bits = some | 1u << position;
        var first = position;
        while (first > 0 && (bits >> (first - 1) & 1) != 0)
        {
            first--;
        }

        var last = position;
        while (last < 31 && (bits >> (last + 1) & 1) != 0)
        {
            last++;
        }

        Assert.Equal(last - first + 1, BitmapWord.RunAround(bits, position));
    });
}
