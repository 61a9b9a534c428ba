using static ShmAlloc.Histories.Tests.Support.Script;

namespace ShmAlloc.Histories.Tests;

/// <summary>What a verdict says, and what it costs.</summary>
public sealed class VerdictTests
{
    [Fact]
    public void The_evidence_is_the_few_operations_that_contradict_each_other()
    {
        List<Operation> history = [];
        for (var index = 0; index < 200; index++)
        {
            history.Add(Set(10 * index, (10 * index) + 15, index));
            history.Add(Get((10 * index) + 16, (10 * index) + 17, index));
        }

        history.Add(Get(1500, 1501, 120));
        var verdict = HistoryChecker.Check(history, CacheModel.Cache);
        Assert.Equal(
            """
            Key 7: no order of its 401 operations keeps the rules of a cache (an entry may go at any time, but not come back).
            These suffice to show it (nanoseconds since 0):
                      1200 .. 1215         worker 0   Set(120) -> done   (whenever it took effect)
                      1216 .. 1217         worker 0   Get -> 120
                      1480 .. 1495         worker 0   Set(148) -> done   (whenever it took effect)
                      1496 .. 1497         worker 0   Get -> 148
                      1500 .. 1501         worker 0   Get -> 120   <- no order can place this in time
            Where the orders of these end, the key holds: 148 (or evicted).
            One of them ends: Set(120), Get -> 120, Set(148), Get -> 148.
            The other 396 operations make no difference.

            """,
            verdict.Reason);
    }

    [Fact]
    public void The_evidence_does_not_blame_a_read_that_ended_after_the_fault_for_a_write_that_came_later()
    {
        var verdict = Check(CacheModel.Cache, Set(0, 1, 1), Get(2, 50, 2), Get(3, 20, 9), Set(30, 40, 2));
        Assert.Contains("Get -> 9   <-", verdict.Reason, StringComparison.Ordinal);
        Assert.DoesNotContain("Get -> 2", verdict.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_budget_that_ends_gives_no_verdict_but_a_reason()
    {
        Operation[] history = [.. Enumerable.Range(0, 100).Select(index => Set(2 * index, (2 * index) + 1, index)), Get(300, 301, 5)];
        var verdict = HistoryChecker.Check(history, CacheModel.Cache, stepsPerKey: 50);
        Assert.Equal(VerdictKind.Inconclusive, verdict.Kind);
        Assert.Equal(7, verdict.Key);
        Assert.StartsWith("Key 7 was given up after 50 placements: it has 101 operations that ended and 0 that may", verdict.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_that_is_bad_counts_more_than_one_that_was_given_up()
    {
        Operation[] history = [.. Enumerable.Range(0, 100).Select(index => Set(2 * index, (2 * index) + 1, index)), Get(0, 1, 5) with { Key = 8 }];
        var verdict = HistoryChecker.Check(history, CacheModel.Cache, stepsPerKey: 50);
        Assert.Equal((VerdictKind.NotLinearizable, 8), (verdict.Kind, verdict.Key));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Hundreds_of_killed_writers_of_one_key_do_not_exhaust_the_budget(bool isGood)
    {
        List<Operation> history = [];
        for (var index = 0; index < 300; index++)
        {
            var time = 10 * index;
            history.Add(Killed(Set(time, 0, index)));
            history.Add(Killed(Remove(time, 0)));
            history.Add(index % 3 == 0 ? Get(time + 1, time + 2, index) : Miss(time + 1, time + 2));
            history.Add(index % 7 == 6 ? Remove(time + 3, time + 5) : Set(time + 3, time + 5, 1000 + index));
            history.Add(Exists(time + 6, time + 9, 2000 + index));
        }

        if (!isGood)
        {
            history.Add(Get(2995, 2999, 2001));
        }

        foreach (var model in (CacheModel[])[CacheModel.Cache, CacheModel.Cache with { CanExpire = (_, _) => true }, CacheModel.Map])
        {
            Assert.Equal(isGood ? VerdictKind.Linearizable : VerdictKind.NotLinearizable, HistoryChecker.Check(history, model).Kind);
        }
    }
}
