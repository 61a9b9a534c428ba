using CsCheck;
using ShmAlloc.Histories.Tests.Support;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Histories.Tests;

/// <summary>The checker on random histories whose verdict is known otherwise.</summary>
public sealed class PropertyTests
{
    private static readonly Gen<(CacheModel Model, int Seed, int Operations)> Runs =
        Gen.Select(RandomHistories.Models, Gen.Int, Gen.Int[1, 120]);

    [Fact]
    public void What_a_sequential_cache_did_is_always_accepted() => Runs.Sample(
        run =>
        {
            var verdict = HistoryChecker.Check(RandomHistories.Run(run.Model, run.Seed, run.Operations), run.Model);
            Assert.True(verdict.Kind == VerdictKind.Linearizable, verdict.ToString());
        },
        iter: Effort.Choose(2000, 50_000),
        threads: 2);

    [Fact]
    public void One_answer_that_is_impossible_is_always_rejected() => Runs.Sample(
        run =>
        {
            var history = RandomHistories.Run(run.Model, run.Seed, run.Operations);
            int[] candidates = [.. history.Index().Where(entry => CanBeFalsified(entry.Item)).Select(entry => entry.Index)];
            if (candidates.Length == 0)
            {
                return;
            }

            var victim = candidates[new Random(run.Seed).Next(candidates.Length)];
            history[victim] = Falsified(history[victim]);
            var verdict = HistoryChecker.Check(history, run.Model);
            Assert.True(verdict.Kind == VerdictKind.NotLinearizable, verdict.ToString());
            Assert.Equal(history[victim].Key, verdict.Key);
            if (history[victim].Kind != OperationKind.ReplaceIfUnchanged)
            {
                // What a replacement wrote may be missed by others even if its own answer is forgotten, because it now expects something else.
                Assert.Contains(history[victim].ToString(), verdict.Reason, StringComparison.Ordinal);
            }
        },
        iter: Effort.Choose(300, 10_000),
        threads: 2);

    [Fact]
    public void It_agrees_with_trying_all_orders()
    {
        var (accepted, rejected) = (0, 0);
        Gen.Select(RandomHistories.Models, RandomHistories.Nonsense(most: Effort.Choose(6, 7))).Sample(
            (model, history) =>
            {
                var expected = BruteForce.Accepts(history, model);
                var verdict = HistoryChecker.Check(history, model);
                Assert.True(
                    verdict.Kind == (expected ? VerdictKind.Linearizable : VerdictKind.NotLinearizable),
                    $"An order {(expected ? "exists" : "does not exist")}. {verdict}");
                _ = expected ? Interlocked.Increment(ref accepted) : Interlocked.Increment(ref rejected);
            },
            iter: Effort.Choose(30_000, 2_000_000),
            threads: 2);

        // Random answers are bad more often than good; both must be met often for this to say something.
        Assert.True(accepted > 3000 && rejected > 3000, $"{accepted} accepted, {rejected} rejected");
    }

    private static bool CanBeFalsified(Operation operation) =>
        !operation.IsPending && operation.Kind is OperationKind.Get or OperationKind.ReplaceIfUnchanged or OperationKind.Increment;

    private static Operation Falsified(Operation operation) => operation.Kind == OperationKind.Get
        ? operation with { Outcome = Outcome.Found, Result = RandomHistories.Impossible }
        : operation with { Outcome = Outcome.Done, Result = RandomHistories.Impossible, Expected = RandomHistories.Impossible };
}
