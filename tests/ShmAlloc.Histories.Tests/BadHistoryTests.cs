using static ShmAlloc.Histories.Tests.Support.Script;

namespace ShmAlloc.Histories.Tests;

/// <summary>Histories that no order explains, each the trace of one kind of fault. All but those about eviction are bad for maps and caches.</summary>
public sealed class BadHistoryTests
{
    [Fact]
    public void A_stale_read_after_a_newer_value_was_read() =>
        AssertBad(Set(0, 1, 1), Set(2, 20, 2), Get(3, 4, 2), Get(5, 6, 1));

    [Fact]
    public void A_stale_read_after_a_write_that_ended() => AssertBad(Set(0, 1, 1), Set(2, 3, 2), Get(4, 5, 1));

    [Fact]
    public void Two_readers_that_see_two_writes_in_opposite_orders() =>
        AssertBad(Set(0, 1, 9), Set(2, 30, 1), Set(2, 30, 2), Get(3, 4, 1), Get(3, 4, 2), Get(5, 6, 2), Get(7, 8, 1));

    [Fact]
    public void A_lost_update()
    {
        AssertRejected(CacheModel.Map, Set(0, 1, 1), Set(2, 3, 2), Get(4, 5, 1), Get(6, 7, 1));
        AssertBad(Set(0, 1, 10), Increment(2, 9, delta: 1, result: 11), Increment(2, 9, delta: 1, result: 11), Get(10, 11, 11));
    }

    [Fact]
    public void A_write_that_is_lost_without_a_trace_in_a_map() => AssertRejected(CacheModel.Map, Set(0, 1, 1), Miss(2, 3));

    [Fact]
    public void A_value_that_comes_back_after_it_was_removed() => AssertBad(Set(0, 1, 1), Remove(2, 3), Get(4, 5, 1));

    [Fact]
    public void A_value_that_comes_back_after_all_was_cleared() => AssertBad(Set(0, 1, 1), Clear(2, 3), Get(4, 5, 1));

    [Fact]
    public void A_value_that_comes_back_after_it_was_evicted() => AssertBad(Set(0, 1, 1), Miss(2, 3), Get(4, 5, 1));

    [Fact]
    public void A_value_that_comes_back_when_its_successor_is_removed() => AssertBad(Set(0, 1, 1), Set(2, 3, 2), Remove(4, 5), Get(6, 7, 1));

    [Fact]
    public void A_value_that_comes_back_when_its_successor_is_evicted() => AssertBad(Set(0, 1, 1), Set(2, 3, 2), Miss(4, 5), Get(6, 7, 1));

    [Fact]
    public void A_value_that_was_never_written()
    {
        AssertBad(Set(0, 1, 1), Get(2, 3, 5));
        Assert.Contains("Nobody ever wrote 5.", Check(CacheModel.Cache, Set(0, 1, 1), Get(2, 3, 5)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_additions_of_one_absent_key_that_both_succeed_though_the_first_value_never_went() =>
        AssertBad(Added(0, 1, 1), Get(2, 3, 1), Added(3, 9, 2), Get(10, 11, 1));

    [Fact]
    public void Two_additions_of_one_absent_key_that_both_succeed_in_a_map() => AssertRejected(CacheModel.Map, Added(0, 9, 1), Added(0, 9, 2));

    [Fact]
    public void An_addition_that_finds_something_where_nothing_can_be() => AssertBad(Set(0, 1, 1), Remove(2, 3), Exists(4, 5, 2));

    [Fact]
    public void A_replacement_of_a_value_that_had_been_replaced() => AssertBad(Set(0, 1, 1), Set(2, 3, 2), Replace(4, 5, expected: 1, value: 3));

    [Fact]
    public void Two_replacements_of_the_same_value() =>
        AssertBad(Set(0, 1, 1), Replace(2, 9, expected: 1, value: 2), Replace(2, 9, expected: 1, value: 3));

    [Fact]
    public void An_increment_that_gives_the_same_result_twice() =>
        AssertBad(Set(0, 1, 10), Increment(2, 9, delta: 1, result: 11), Increment(3, 10, delta: 1, result: 11));

    [Fact]
    public void A_replacement_by_who_began_after_the_entry_was_missed()
    {
        AssertBad(Set(0, 1, 1), Miss(2, 3), Replace(4, 9, expected: 1, value: 2));
        AssertBad(Set(0, 1, 1), Killed(Replace(2, 30, expected: 1, value: 2)), Miss(3, 4), Miss(3, 20), Replace(5, 9, expected: 1, value: 3), Get(40, 41, 3));
        AssertBad(Set(0, 1, 10), Miss(2, 3), Increment(4, 9, delta: 1, result: 11));
        AssertBad(Set(0, 1, 1), Miss(2, 3), Killed(Replace(4, 9, expected: 1, value: 2)), Get(10, 11, 2));
    }

    [Fact]
    public void A_late_replacement_of_what_was_evicted_and_cannot_expire() =>
        AssertRejected(
            CacheModel.Cache with { CanExpire = (_, value) => value != 1 },
            Set(0, 1, 1),
            Replace(2, 9, expected: 1, value: 2),
            Miss(3, 4),
            Get(10, 11, 2));

    [Fact]
    public void A_late_replacement_of_what_was_replaced_removed_or_set_meanwhile()
    {
        AssertBad(Set(0, 1, 1), Replace(2, 9, expected: 1, value: 2), Miss(3, 4), Replace(2, 9, expected: 1, value: 3));
        AssertBad(Set(0, 1, 1), Get(2, 3, 1), Replace(4, 20, expected: 1, value: 2), Get(5, 6, 1), Remove(7, 8), Miss(9, 10), Get(21, 22, 2));
        AssertBad(Set(0, 1, 1), Replace(2, 20, expected: 1, value: 2), Set(3, 4, 5), Miss(6, 7), Get(21, 22, 2));
        AssertBad(Set(0, 1, 1), Replace(2, 20, expected: 1, value: 2), Miss(3, 4), Get(5, 6, 1));
    }

    [Fact]
    public void A_renewal_by_who_began_after_the_entry_was_missed_or_of_what_does_not_slide()
    {
        AssertBad(Set(0, 1, 1), Miss(2, 3), Renew(4, 9, 1));
        AssertBad(Set(0, 1, 1), Miss(2, 3), Killed(Renew(4, 9, 1)), Get(10, 11, 1));
        AssertBad(Set(0, 1, 1), Renew(2, 20, 1), Miss(3, 4), Get(5, 6, 1), Miss(7, 8), Get(9, 10, 1));
        AssertBad(Set(0, 1, 1), Renew(2, 20, 1), Remove(3, 4), Get(5, 6, 1));
        AssertRejected(
            CacheModel.Cache with { CanExpire = (_, _) => true, CanSlide = (_, value) => value != 1 },
            Set(0, 1, 1),
            Renew(2, 9, 1),
            Miss(3, 4),
            Get(10, 11, 1));
    }

    [Fact]
    public void A_read_from_the_future() => AssertBad(Get(0, 1, 1), Set(2, 3, 1));

    [Fact]
    public void A_read_from_the_future_of_a_killed_write() => AssertBad(Get(0, 1, 1), Killed(Set(2, 3, 1)));

    [Fact]
    public void A_killed_write_whose_value_appears_and_disappears_and_appears_again() =>
        AssertBad(Killed(Set(0, 1, 1)), Get(2, 3, 1), Miss(4, 5), Get(6, 7, 1));

    [Fact]
    public void A_killed_write_that_is_replaced_and_appears_again() => AssertBad(Killed(Set(0, 1, 1)), Get(2, 3, 1), Set(4, 5, 2), Get(6, 7, 1));

    [Fact]
    public void One_killed_write_that_explains_two_removals() => AssertBad(Killed(Set(0, 1, 1)), Remove(2, 3), Remove(4, 5));

    [Fact]
    public void An_answer_that_belongs_to_another_operation_is_an_error_of_the_record()
    {
        Assert.Throws<ArgumentException>(() => Check(CacheModel.Map, Get(0, 1, 1) with { Outcome = Outcome.Exists }));
        Assert.Throws<ArgumentException>(() => Check(CacheModel.Map, Get(2, 1, 1)));
    }

    private static void AssertBad(params Operation[] operations)
    {
        AssertRejected(CacheModel.Map, operations);
        AssertRejected(CacheModel.Cache, operations);
        AssertRejected(CacheModel.Cache with { CanExpire = (_, _) => true, CanSlide = (_, _) => true }, operations);
    }
}
