using static ShmAlloc.Histories.Tests.Support.Script;

namespace ShmAlloc.Histories.Tests;

/// <summary>Histories that an order explains.</summary>
public sealed class GoodHistoryTests
{
    public static TheoryData<bool> MapAndCache => [false, true];

    [Theory]
    [MemberData(nameof(MapAndCache))]
    public void No_operations_at_all(bool allowEviction) => AssertAccepted(Rules(allowEviction));

    [Theory]
    [MemberData(nameof(MapAndCache))]
    public void One_operation_of_each_kind_after_the_other(bool allowEviction) => AssertAccepted(
        Rules(allowEviction),
        Miss(0, 1),
        Set(2, 3, 5),
        Get(4, 5, 5),
        Exists(6, 7, 6),
        Replace(8, 9, expected: 5, value: 8),
        Replace(10, 11, expected: 5, value: 9, Outcome.Changed));

    [Theory]
    [MemberData(nameof(MapAndCache))]
    public void Removal_and_what_finds_nothing_afterwards(bool allowEviction) => AssertAccepted(
        Rules(allowEviction),
        Added(0, 1, 5),
        Remove(2, 3),
        Remove(4, 5, Outcome.Missing),
        Replace(6, 7, expected: 5, value: 6, Outcome.Missing),
        Increment(8, 9, delta: 3, result: 3),
        Increment(10, 11, delta: 4, result: 7));

    [Theory]
    [MemberData(nameof(MapAndCache))]
    public void A_read_that_overlaps_a_write_sees_the_value_before_it_or_after_it(bool allowEviction)
    {
        AssertAccepted(Rules(allowEviction), Set(0, 1, 1), Set(2, 9, 2), Get(3, 4, 1), Get(5, 6, 2));
        AssertAccepted(Rules(allowEviction), Set(0, 1, 1), Set(2, 9, 2), Get(3, 4, 2), Get(5, 6, 2));
    }

    [Fact]
    public void Two_overlapping_writes_that_two_overlapping_readers_see_in_the_same_order() =>
        AssertAccepted(CacheModel.Map, Set(0, 9, 1), Set(0, 9, 2), Get(1, 2, 2), Get(3, 4, 1), Get(1, 3, 2), Get(5, 6, 1));

    [Fact]
    public void Operations_that_touch_in_time_count_as_overlapping() => AssertAccepted(CacheModel.Map, Set(0, 5, 1), Get(5, 6, 1), Miss(5, 7));

    [Theory]
    [MemberData(nameof(MapAndCache))]
    public void The_write_of_a_killed_worker_took_effect_long_after(bool allowEviction) =>
        AssertAccepted(Rules(allowEviction), Set(0, 1, 1), Killed(Set(2, 3, 2)), Get(10, 11, 1), Get(12, 13, 2), Get(14, 15, 2));

    [Theory]
    [MemberData(nameof(MapAndCache))]
    public void The_write_of_a_killed_worker_never_took_effect(bool allowEviction) =>
        AssertAccepted(Rules(allowEviction), Set(0, 1, 1), Killed(Set(2, 3, 2)), Get(10, 11, 1), Get(12, 13, 1));

    [Fact]
    public void The_removal_of_a_killed_worker_took_effect() => AssertAccepted(CacheModel.Map, Set(0, 1, 1), Killed(Remove(2, 3)), Get(4, 5, 1), Miss(6, 7));

    [Fact]
    public void Killed_workers_did_what_another_ones_answer_depends_on() => AssertAccepted(
        CacheModel.Map,
        Set(0, 1, 1),
        Killed(Remove(2, 3)),
        Killed(Added(2, 3, 4)),
        Killed(Replace(2, 3, expected: 4, value: 5)),
        Killed(Increment(2, 3, delta: 10, result: 0)),
        Get(4, 5, 15));

    [Fact]
    public void An_entry_that_was_evicted_and_written_again() =>
        AssertAccepted(CacheModel.Cache, Set(0, 1, 1), Get(2, 3, 1), Miss(4, 5), Miss(6, 7), Set(8, 9, 2), Get(10, 11, 2));

    [Fact]
    public void An_eviction_between_two_additions_of_one_key() => AssertAccepted(CacheModel.Cache, Added(0, 1, 1), Added(2, 3, 2), Get(4, 5, 2));

    [Fact]
    public void A_counter_that_was_evicted_and_begins_again() =>
        AssertAccepted(CacheModel.Cache, Increment(0, 1, delta: 1, result: 1), Increment(2, 3, delta: 1, result: 2), Increment(4, 5, delta: 1, result: 1));

    [Fact]
    public void A_value_that_was_written_twice_may_come_back() => AssertAccepted(CacheModel.Cache, Set(0, 1, 1), Set(2, 3, 2), Set(4, 9, 1), Get(5, 6, 1));

    [Fact]
    public void A_refused_operation_did_nothing() =>
        AssertAccepted(CacheModel.Map, Set(0, 1, 1), Set(2, 3, 2) with { Outcome = Outcome.Refused }, Get(4, 5, 1));

    [Fact]
    public void A_replacement_by_versions_may_find_that_an_equal_value_was_written_again()
    {
        Operation[] history = [Set(0, 1, 1), Set(2, 3, 1), Replace(4, 5, expected: 1, value: 2, Outcome.Changed)];
        AssertRejected(CacheModel.Cache, history);
        AssertAccepted(CacheModel.Cache with { AllowSpuriousChange = true }, history);
    }

    [Fact]
    public void Who_began_before_an_entry_was_missed_may_replace_it_where_that_is_allowed()
    {
        Operation[][] histories =
        [
            [Set(0, 1, 1), Replace(2, 9, expected: 1, value: 2), Miss(3, 4), Get(10, 11, 2)],
            [Set(0, 1, 1), Replace(2, 9, expected: 1, value: 2), Miss(3, 4), Remove(5, 6, Outcome.Missing), Miss(7, 8), Get(10, 11, 2)],
            [Set(0, 1, 1), Killed(Replace(2, 9, expected: 1, value: 2)), Miss(3, 4), Get(10, 11, 2)],
            [Set(0, 1, 10), Increment(2, 9, delta: 1, result: 11), Miss(3, 4), Get(10, 11, 11)],
            [Set(0, 1, 10), Killed(Increment(2, 9, delta: 1, result: 0)), Miss(3, 4), Get(10, 11, 11)],
        ];
        foreach (var history in histories)
        {
            AssertRejected(CacheModel.Cache, history);
            AssertAccepted(Late, history);
        }
    }

    [Fact]
    public void Who_began_before_an_entry_was_missed_may_renew_it_where_that_is_allowed()
    {
        Operation[][] histories =
        [
            [Set(0, 1, 1), Renew(2, 9, 1), Miss(3, 4), Get(10, 11, 1)],
            [Set(0, 1, 1), Renew(2, 20, 1), Miss(3, 4), Get(5, 6, 1), Miss(7, 8)],
            [Set(0, 1, 1), Killed(Renew(2, 9, 1)), Miss(3, 4), Get(10, 11, 1)],
            [Set(0, 1, 1), Renew(2, 9, 1), Renew(2, 9, 1), Miss(3, 4), Get(5, 6, 1), Miss(7, 8), Get(10, 11, 1)],
        ];
        foreach (var history in histories)
        {
            AssertRejected(Late, history);
            AssertAccepted(Late with { CanSlide = (_, _) => true }, history);
        }
    }

    [Fact]
    public void Where_a_late_replacement_is_allowed_there_need_be_none()
    {
        AssertAccepted(Late, Set(0, 1, 1), Replace(2, 9, expected: 1, value: 2, Outcome.Missing), Miss(3, 4));
        AssertAccepted(Late, Set(0, 1, 10), Increment(2, 9, delta: 1, result: 1), Miss(3, 4), Get(10, 11, 1));
        AssertAccepted(Late, Set(0, 1, 10), Killed(Increment(2, 9, delta: 1, result: 0)), Miss(3, 4), Get(10, 11, 1));
    }

    [Fact]
    public void A_counter_without_a_first_value_answers_that_it_is_missing()
    {
        var missing = Increment(0, 1, delta: 1, result: 0) with { Outcome = Outcome.Missing };
        AssertAccepted(CacheModel.Map with { MissingCountsAs = null }, missing, Set(2, 3, 4), Increment(4, 5, delta: 1, result: 5));
        AssertRejected(CacheModel.Map, missing);
    }

    [Fact]
    public void Clearing_all_touches_every_key()
    {
        Operation[] history = [Set(0, 1, 1), Set(0, 1, 1) with { Key = 8 }, Clear(2, 3), Miss(4, 5), Miss(4, 5) with { Key = 8 }];
        Assert.Equal(VerdictKind.Linearizable, Check(CacheModel.Map, history).Kind);
        Assert.Equal(VerdictKind.NotLinearizable, Check(CacheModel.Map, [.. history.Where(operation => operation.Kind != OperationKind.ClearAll)]).Kind);
    }

    private static CacheModel Late => CacheModel.Cache with { CanExpire = (_, _) => true };

    private static CacheModel Rules(bool allowEviction) => allowEviction ? CacheModel.Cache : CacheModel.Map;
}
