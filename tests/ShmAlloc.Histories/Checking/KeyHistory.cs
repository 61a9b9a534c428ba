namespace ShmAlloc.Histories.Checking;

/// <summary>What can matter of the operations on one key: those that ended, and those that may have changed something.</summary>
/// <remarks>
/// Linearizability is local (Herlihy and Wing, 1990): a history is linearizable if what touches each key is. An operation that clears all
/// keys is one operation on each of them here, so that it is atomic is not checked.
/// </remarks>
internal sealed class KeyHistory
{
    private readonly Dictionary<long, long> _firstReplacements = [];
    private readonly long _firstIncrement = long.MaxValue;
    private readonly Dictionary<long, long> _firstRenewals = [];
    private readonly long _firstPendingRenewal = long.MaxValue;

    private KeyHistory(int key, IEnumerable<Operation> operations, CacheModel model)
    {
        Key = key;
        var effective = operations.Where(operation => operation.Outcome != Outcome.Refused).OrderBy(operation => operation.Invoked).ToList();
        Completed = [.. effective.Where(operation => !operation.IsPending)];
        var end = Completed.Length == 0 ? long.MinValue : Completed.Max(operation => operation.Responded);
        Pending = [.. effective.Where(operation => operation.IsPending && operation.Invoked <= end && CanMatter(operation, model))];
        PreviousAlike = FindPreviousAlike();
        foreach (var operation in effective)
        {
            if (operation.Kind == OperationKind.Increment)
            {
                _firstIncrement = Math.Min(_firstIncrement, operation.Invoked);
            }
            else if (operation.Kind == OperationKind.ReplaceIfUnchanged)
            {
                _firstReplacements.TryAdd(operation.Expected, operation.Invoked);
            }
            else if (operation is { Kind: OperationKind.Renew, IsPending: true })
            {
                _firstPendingRenewal = Math.Min(_firstPendingRenewal, operation.Invoked);
            }
            else if (operation is { Kind: OperationKind.Renew, Outcome: Outcome.Found })
            {
                _firstRenewals.TryAdd(operation.Result, operation.Invoked);
            }
        }
    }

    internal int Key { get; }

    /// <summary>The operations that were answered, in the order of their invocations.</summary>
    internal Operation[] Completed { get; }

    /// <summary>The operations that may have taken effect or not, in the order of their invocations.</summary>
    internal Operation[] Pending { get; }

    /// <summary>
    /// For each pending operation an earlier one that can be put into its place in every order, or -1. Nobody ever saw or expected the values of
    /// the two, so it is enough to look at orders that use the earlier one first. (Otherwise a hundred dead writers have 2^100 subsets.)
    /// </summary>
    internal int[] PreviousAlike { get; }

    /// <summary>
    /// Whether something is there, or somebody began in time who wants to replace or to renew what went; otherwise it is as if it had never been.
    /// </summary>
    internal bool CanBeReplaced(EntryState state) =>
        state.IsPresent
        || (state.IsReplaceable
            && (_firstIncrement <= state.ReplaceableUntil
                || _firstPendingRenewal <= state.ReplaceableUntil
                || (_firstRenewals.TryGetValue(state.Value, out var renewed) && renewed <= state.ReplaceableUntil)
                || (_firstReplacements.TryGetValue(state.Value, out var invoked) && invoked <= state.ReplaceableUntil)));

    internal static KeyHistory Of(int key, IEnumerable<Operation> operations, CacheModel model) => new(key, operations, model);

    /// <summary>Gives each key what touches it.</summary>
    /// <param name="operations">The whole history.</param>
    /// <returns>The keys, in ascending order, with their operations.</returns>
    internal static IEnumerable<(int Key, List<Operation> Operations)> Partition(IEnumerable<Operation> operations)
    {
        var keys = new SortedDictionary<int, List<Operation>>();
        var clears = new List<Operation>();
        foreach (var operation in operations)
        {
            operation.Validate();
            if (operation.Kind == OperationKind.ClearAll)
            {
                clears.Add(operation);
            }
            else if (keys.TryGetValue(operation.Key, out var list))
            {
                list.Add(operation);
            }
            else
            {
                keys.Add(operation.Key, [operation]);
            }
        }

        foreach (var (key, list) in keys)
        {
            list.AddRange(clears);
            yield return (key, list);
        }
    }

    /// <summary>A read has no effect, unless it renews. And where entries may go at any time, whatever explains that this one is gone will do.</summary>
    private static bool CanMatter(Operation pending, CacheModel model) => pending.Kind switch
    {
        OperationKind.Get => false,
        OperationKind.Renew => model.CanSlide != null,
        OperationKind.Remove or OperationKind.Delete or OperationKind.ClearAll => !model.AllowEviction,
        _ => true,
    };

    private int[] FindPreviousAlike()
    {
        var isCounter = Completed.Concat(Pending).Any(operation => operation.Kind == OperationKind.Increment);
        var replacements = Completed.Concat(Pending).Where(operation => operation.Kind == OperationKind.ReplaceIfUnchanged);
        var seen = Completed.Where(operation => operation.Outcome == Outcome.Found).Select(operation => operation.Result).ToHashSet();
        seen.UnionWith(replacements.Select(operation => operation.Expected));

        var latest = new Dictionary<OperationKind, int>();
        var previous = new int[Pending.Length];
        for (var index = 0; index < Pending.Length; index++)
        {
            var (kind, value) = (Pending[index].Kind, Pending[index].Argument);
            var isAnonymous = kind is OperationKind.Remove or OperationKind.Delete or OperationKind.ClearAll or OperationKind.Renew
                || (kind is OperationKind.Set or OperationKind.TryAdd && !isCounter && !seen.Contains(value));
            previous[index] = isAnonymous && latest.TryGetValue(kind, out var alike) ? alike : -1;
            if (isAnonymous)
            {
                latest[kind] = index;
            }
        }

        return previous;
    }
}
