using ShmAlloc.Layout;

namespace ShmAlloc.Tests.Caching;

/// <summary>The word of hints beside the entries of a bucket, and the word that the hands keep for a block.</summary>
public sealed class EvictionHintTests
{
    [Fact]
    public void Every_entry_of_a_bucket_has_a_use_of_its_own()
    {
        HintWord word = new(0);
        for (int position = 0; position < TableLayout.EntriesOfBucket; position++)
        {
            word = word.WithUse(position, position % HintWord.Uses);
        }

        for (int position = 0; position < TableLayout.EntriesOfBucket; position++)
        {
            Assert.Equal(position % HintWord.Uses, word.UseOf(position));
        }
    }

    [Theory]
    [InlineData(HintWord.New)]
    [InlineData(HintWord.Cold)]
    [InlineData(HintWord.Used)]
    public void A_hit_makes_an_entry_used(int before)
    {
        HintWord word = new(new HintWord(0).WithUse(6, before).Bits | HintWord.Hit(6));
        Assert.Equal(HintWord.Used, word.UseOf(6));
        Assert.Equal(HintWord.New, word.UseOf(5));
    }

    [Fact]
    public void A_ghost_is_found_once_with_what_was_noted()
    {
        HintWord word = new HintWord(0).WithUse(6, HintWord.Used).WithGhost(0x7AB, GhostKind.Used, 61).WithGhost(0x7AC, GhostKind.New, 3);
        Assert.True(word.TryTakeGhost(0x7AB, out HintWord without, out GhostKind kind, out uint when));
        Assert.Equal(GhostKind.Used, kind);
        Assert.Equal(61u, when);
        Assert.False(without.TryTakeGhost(0x7AB, out _, out _, out _));
        Assert.True(without.TryTakeGhost(0x7AC, out without, out kind, out when));
        Assert.Equal(GhostKind.New, kind);
        Assert.Equal(3u, when);
        Assert.Equal(new HintWord(0).WithUse(6, HintWord.Used).Bits, without.Bits);
    }

    [Fact]
    public void The_oldest_ghost_is_forgotten()
    {
        HintWord word = new(0);
        for (uint tag = 1; tag <= HintWord.Ghosts + 1; tag++)
        {
            word = word.WithGhost(tag, GhostKind.New, tag);
        }

        Assert.False(word.TryTakeGhost(1, out _, out _, out _));
        Assert.True(word.TryTakeGhost(2, out _, out _, out uint when));
        Assert.Equal(2u, when);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Ghosts_of_one_kind_do_not_push_out_the_last_one_of_the_other(bool isNewRare)
    {
        (GhostKind rare, GhostKind frequent) = isNewRare ? (GhostKind.New, GhostKind.Used) : (GhostKind.Used, GhostKind.New);
        HintWord word = new HintWord(0).WithUse(6, HintWord.Used).WithGhost(1, rare, 5);
        for (uint tag = 2; tag < 20; tag++)
        {
            word = word.WithGhost(tag, frequent, tag);
        }

        Assert.False(word.TryTakeGhost(17, out _, out _, out _));
        Assert.True(word.TryTakeGhost(18, out _, out _, out uint when));
        Assert.Equal(18u, when);
        Assert.True(word.TryTakeGhost(1, out HintWord without, out GhostKind kind, out when));
        Assert.Equal((rare, 5u), (kind, when));

        // What was taken leaves a gap, which is filled before another ghost goes.
        Assert.True(without.WithGhost(30, rare, 0).TryTakeGhost(18, out _, out _, out _));
        Assert.Equal(HintWord.Used, word.UseOf(6));
    }

    [Fact]
    public void An_empty_place_is_nobodys_ghost() => Assert.False(new HintWord(0).TryTakeGhost(0, out _, out _, out _));

    [Fact]
    public void A_block_that_was_never_swept_says_so()
    {
        Assert.True(new SweepWord(0).IsNever);
        SweepWord word = new(0, uint.MaxValue);
        Assert.False(word.IsNever);
        Assert.Equal(0u, word.Turn);
        Assert.Equal(uint.MaxValue, word.Since);
    }
}
