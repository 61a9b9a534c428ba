using CsCheck;
using ShmAlloc.Layout;
using ShmAlloc.Participants;

namespace ShmAlloc.Tests.Layout;

/// <summary>Block words, slot words, cells and tickets: what goes in comes out, and nothing spills into the neighbour.</summary>
public sealed class WordTests
{
    private static readonly Gen<int> Slots = Gen.OneOf(Gen.Int[0, 65535], Gen.Const(0), Gen.Const(65534));
    private static readonly Gen<ulong> Values = Gen.OneOf(Gen.ULong[0, BlockWord.MaxBlocks], Gen.Const(BlockWord.MaxBlocks), Gen.Const(0UL));

    [Fact]
    public void A_zero_block_word_is_free() => Assert.Equal(BlockState.Free, new BlockWord(0).State);

    [Fact]
    public void Block_words_keep_slot_shard_and_value_apart() => Gen.Select(Slots, Gen.UInt, Values).Sample((slot, shard, value) =>
    {
        AssertWord(BlockWord.Owned(slot, shard), BlockState.Owned, slot, shard & 0xFF, 0);
        AssertWord(BlockWord.Busy(slot), BlockState.Busy, slot, 0, 0);
        AssertWord(BlockWord.Claiming(slot, value), BlockState.Claiming, slot, 0, value);
        AssertWord(BlockWord.Freeing(slot, value), BlockState.Freeing, slot, 0, value);
        AssertWord(BlockWord.Run(value), BlockState.Run, 0, 0, value);
        AssertWord(BlockWord.Retired(value), BlockState.Retired, 0, 0, value);
        AssertWord(BlockWord.Baring(slot), BlockState.Baring, slot, 0, 0);
    });

    [Fact]
    public void An_idle_block_is_free_and_told_apart_from_one_that_somebody_has_used()
    {
        Assert.Equal((BlockState.Free, BlockState.Free), (BlockWord.Free.State, BlockWord.Idle.State));
        Assert.True(BlockWord.Idle.IsIdle);
        Assert.False(BlockWord.Free.IsIdle);
    }

    [Fact]
    public void The_word_of_a_round_keeps_time_and_block_apart() => Gen.Select(Gen.ULong[0, 1UL << 37], Values).Sample((milliseconds, next) =>
    {
        TrimRoundWord word = new(milliseconds, next);
        Assert.Equal((milliseconds >> TrimRoundWord.TimeShift, next), (word.Time, word.Next));
    });

    [Theory]
    [InlineData(BlockState.Free, false, false)]
    [InlineData(BlockState.Open, true, false)]
    [InlineData(BlockState.Owned, true, false)]
    [InlineData(BlockState.Busy, false, false)]
    [InlineData(BlockState.Claiming, false, false)]
    [InlineData(BlockState.Run, false, true)]
    [InlineData(BlockState.Retired, false, true)]
    [InlineData(BlockState.Freeing, false, true)]
    [InlineData(BlockState.Bare, false, false)]
    [InlineData(BlockState.Baring, false, false)]
    internal void The_state_says_whether_allocations_are_allowed_and_whether_it_heads_a_run(BlockState state, bool isOpen, bool isHead)
    {
        BlockWord word = new((ulong)state);
        Assert.Equal((isOpen, isHead), (word.IsOpen, word.IsHead));
        Assert.StartsWith(state.ToString().ToUpperInvariant(), word.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_zero_slot_word_is_free_in_epoch_zero()
    {
        SlotWord word = new(0);
        Assert.Equal((false, 0u, true), (word.IsActive, word.Epoch, word.IsWellFormed));
    }

    [Fact]
    public void Giving_up_a_slot_counts_its_epoch_up_and_wraps() => Gen.OneOf(Gen.UInt, Gen.Const(uint.MaxValue)).Sample(epoch =>
    {
        var active = new SlotWord((ulong)epoch << 32).Activated;
        Assert.Equal((true, epoch, true), (active.IsActive, active.Epoch, active.IsWellFormed));
        Assert.Equal((false, unchecked(epoch + 1), true), (active.GivenUp.IsActive, active.GivenUp.Epoch, active.GivenUp.IsWellFormed));
    });

    [Theory]
    [InlineData(2UL)]
    [InlineData(0x8000_0000UL)]
    [InlineData(0x7_0001_0000UL)]
    [InlineData(0x7_0002_0001UL)]
    public void Other_bits_in_a_slot_word_are_malformed(ulong bits) => Assert.False(new SlotWord(bits).IsWellFormed);

    [Fact]
    public void A_slot_word_says_who_recovers_its_participant() => Gen.Select(Gen.UInt, Gen.Int[0, 65534], Gen.UInt).Sample((epoch, slot, other) =>
    {
        SlotWord active = new SlotWord((ulong)epoch << 32).Activated;
        SlotWord claimed = active.ClaimedBy(slot, other);
        SlotWord recoverer = new SlotWord((ulong)other << 32).Activated;
        Assert.Equal((true, epoch, true, slot, true), (claimed.IsActive, claimed.Epoch, claimed.IsClaimed, claimed.Recoverer, claimed.IsWellFormed));
        Assert.True(claimed.IsClaimedBy(slot, recoverer));
        Assert.False(claimed.IsClaimedBy(slot, recoverer.GivenUp.Activated));
        Assert.Equal((active.Bits, active.GivenUp.Bits), (claimed.Unclaimed.Bits, claimed.GivenUp.Bits));
    });

    [Fact]
    public void Cells_keep_kind_length_and_unit_apart() =>
        Gen.Select(Gen.ULong[0, CellWord.MaxUnit], Gen.ULong[1, CellWord.MaxLength], Gen.Bool).Sample((unit, length, isFreeing) =>
        {
            var kind = isFreeing ? CellKind.Freeing : CellKind.Claiming;
            CellWord cell = new(kind, unit, length);
            Assert.Equal((kind, unit, length, false), (cell.Kind, cell.Unit, cell.LengthUnits, cell.IsNone));
        });

    [Fact]
    public void A_cell_can_name_the_longest_place_in_a_block_and_the_last_unit_of_the_largest_heap()
    {
        Assert.True(new CellWord(0).IsNone);
        Assert.InRange(1UL << Geometry.MaxUnitsPerBlockShift, 1UL, CellWord.MaxLength);
        Assert.False(Geometry.TryCreate(12, 24, 1, 0, (CellWord.MaxUnit >> 12) + 1, out _));
    }

    [Fact]
    public void A_ticket_goes_through_its_states_and_never_comes_back_to_a_value_it_had()
    {
        Ticket free = new(0);
        HashSet<ulong> seen = [];
        for (var round = 0; round < 100; round++)
        {
            Assert.True(free.IsFree);
            Assert.True(seen.Add(free.Bits));
            Assert.True(seen.Add(free.Held.Bits));
            Assert.True(seen.Add(free.Held.Working.Bits));
            Assert.False(free.Held.IsFree || free.Held.IsClosed || free.Held.Working.IsFree || free.Held.Working.IsClosed);
            free = free.Held.Working.Released;
        }

        Assert.True(free.Closed.IsClosed);
        Assert.False(free.Closed.IsFree);
    }

    private static void AssertWord(BlockWord word, BlockState state, int slot, uint shard, ulong value) =>
        Assert.Equal((state, slot, shard, value), (word.State, word.Slot, word.Shard, word.Value));
}
