using ShmAlloc.Histories.Checking;

namespace ShmAlloc.Histories;

/// <summary>Decides whether a history of a cache is linearizable.</summary>
public static class HistoryChecker
{
    /// <summary>What one key may cost by default: some seconds and some hundred megabytes.</summary>
    public const long DefaultStepsPerKey = 2_000_000;

    /// <summary>
    /// Looks for an order of the operations on each key in which each takes effect between its invocation and its response (a pending one at
    /// any time after its invocation, or never) and gives the answer that was recorded. All keys hold nothing at first.
    /// </summary>
    /// <param name="operations">The history, in any order.</param>
    /// <param name="model">The rules of the cache.</param>
    /// <param name="stepsPerKey">After how many placements a key is given up.</param>
    /// <returns>The first key that is not linearizable; if there is none, the first that was given up; otherwise that all is well.</returns>
    /// <exception cref="ArgumentException">An operation has an answer or times that it cannot have.</exception>
    public static Verdict Check(IEnumerable<Operation> operations, CacheModel model, long stepsPerKey = DefaultStepsPerKey)
    {
        ArgumentNullException.ThrowIfNull(operations);
        ArgumentNullException.ThrowIfNull(model);
        var (keys, count, steps) = (0, 0L, 0L);
        Verdict? givenUp = null;
        foreach (var (key, list) in KeyHistory.Partition(operations))
        {
            var history = KeyHistory.Of(key, list, model);
            var search = new Search(history, model);
            var end = search.Run(stepsPerKey);
            (keys, count, steps) = (keys + 1, count + list.Count, steps + search.Steps);
            if (end == SearchEnd.NotFound)
            {
                var reduction = new Reduction(key, list, model, search).Run();
                return new Verdict(VerdictKind.NotLinearizable, key, Evidence.Of(key, list, model, reduction), steps);
            }

            if (end == SearchEnd.BudgetExceeded)
            {
                var reason = $"Key {key} was given up after {stepsPerKey} placements: it has {history.Completed.Length} operations that ended and "
                    + $"{history.Pending.Length} that may have taken effect. Give more steps, or record fewer operations for a key.";
                givenUp ??= new Verdict(VerdictKind.Inconclusive, key, reason, 0);
            }
        }

        return givenUp == null
            ? new Verdict(VerdictKind.Linearizable, null, $"An order explains all {count} operations on {keys} keys.", steps)
            : givenUp with { Steps = steps };
    }
}
