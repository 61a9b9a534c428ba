using ShmAlloc.Benchmarks.HitRates.Policies.Ours;

namespace ShmAlloc.Benchmarks.Tests.HitRates;

/// <summary>The model of the shared cache's policy, and its parts.</summary>
public sealed class TwoHandsTests
{
    private const int CapacityBytes = 1 << 20;

    [Fact]
    public void An_entry_that_was_hit_outlives_any_number_of_entries_that_were_not()
    {
        TwoHands policy = new(CapacityBytes);
        policy.Request(0, 1000);
        policy.Request(0, 1000);
        for (ulong key = 1; key < 10_000; key++)
        {
            policy.Request(key, 1000);
        }

        Assert.True(policy.Request(0, 1000));
    }

    [Fact]
    public void An_entry_as_large_as_a_block_is_kept_although_every_block_has_a_hot_entry()
    {
        TwoHands policy = new(CapacityBytes);
        for (int round = 0; round < 4; round++)
        {
            for (ulong key = 0; key < 900; key++)
            {
                policy.Request(key, 1000);
            }
        }

        Assert.False(policy.Request(1_000_000, BlockRoom.BlockBytes));
        Assert.True(policy.Request(1_000_000, BlockRoom.BlockBytes));
    }

    [Fact]
    public void A_capacity_of_less_than_a_block_is_refused() => Assert.Throws<ArgumentOutOfRangeException>(() => new TwoHands(1000));

    [Theory]
    [InlineData(Hint.New, Hint.Warm)]
    [InlineData(Hint.Cold, Hint.Warm)]
    [InlineData(Hint.Warm, Hint.Hot)]
    [InlineData(Hint.Hot, Hint.Hot)]
    public void A_hit_raises_the_hint(byte before, byte after) => Assert.Equal(after, Hint.AfterHit(before));

    [Fact]
    public void Probation_lasts_longer_when_keys_come_back_that_it_has_just_dropped()
    {
        Probation probation = new(CapacityBytes, new GhostTable(4096));
        double before = probation.Share;
        probation.Evicted(7, 1000, Hint.New);
        Assert.Equal(Hint.Cold, probation.Admit(7, 1000));
        Assert.True(probation.Share > before);
    }

    [Fact]
    public void Probation_is_shorter_when_keys_come_back_that_the_main_hand_has_just_dropped()
    {
        Probation probation = new(CapacityBytes, new GhostTable(4096));
        double before = probation.Share;
        probation.Evicted(7, 1000, Hint.Cold);
        Assert.Equal(Hint.New, probation.Admit(7, 1000));
        Assert.True(probation.Share < before);
    }

    [Fact]
    public void A_key_that_comes_back_late_changes_nothing_and_is_new()
    {
        Probation probation = new(CapacityBytes, new GhostTable(65_536));
        double before = probation.Share;
        for (ulong key = 0; key < 1000; key++)
        {
            probation.Evicted(key, 1000, Hint.New);
        }

        Assert.Equal(Hint.New, probation.Admit(0, 1000));
        Assert.Equal(before, probation.Share);
    }

    [Fact]
    public void Probation_is_over_when_more_than_its_share_was_inserted_as_new()
    {
        Probation probation = new(CapacityBytes, new GhostTable(4096));
        probation.Admit(1, CapacityBytes / 10);
        Assert.False(probation.IsOver(since: 0));
        probation.Admit(2, CapacityBytes / 10);
        Assert.True(probation.IsOver(since: 0));
    }

    [Fact]
    public void The_ghost_table_says_once_which_hand_evicted_a_key_and_when()
    {
        GhostTable ghosts = new(64);
        ghosts.Add(5, Hand.Main, 3000);
        Assert.True(ghosts.Remove(5, out Hand hand, out uint when));
        Assert.Equal(Hand.Main, hand);
        Assert.Equal(10u, GhostTable.Age(when, 3010));
        Assert.False(ghosts.Remove(5, out _, out _));
    }

    [Fact]
    public void The_ghost_table_forgets_the_oldest_of_a_bucket()
    {
        GhostTable ghosts = new(4);
        for (ulong key = 1; key <= 5; key++)
        {
            ghosts.Add(key, Hand.Probation, 0);
        }

        Assert.False(ghosts.Remove(1, out _, out _));
        Assert.True(ghosts.Remove(2, out _, out _));
    }

    [Fact]
    public void Room_is_claimed_where_it_first_fits_and_freed_neighbours_become_one()
    {
        BlockRoom room = new();
        Assert.Equal(0, room.Claim(100));
        Assert.Equal(100, room.Claim(100));
        Assert.Equal(200, room.Claim(100));
        room.Free(0, 100);
        room.Free(100, 100);
        Assert.Equal(300, room.Claim(201));
        Assert.Equal(0, room.Claim(200));
        Assert.Equal(BlockRoom.Units - 501, room.FreeUnits);
    }

    [Fact]
    public void A_block_is_claimed_whole_or_not_at_all()
    {
        BlockRoom room = new();
        Assert.Equal(0, room.Claim(BlockRoom.Units));
        Assert.Equal(-1, room.Claim(1));
        room.Free(0, BlockRoom.Units);
        Assert.Equal(-1, room.Claim(BlockRoom.Units + 1));
        Assert.Equal(0, room.Claim(1));
    }
}
