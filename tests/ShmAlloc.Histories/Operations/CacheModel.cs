namespace ShmAlloc.Histories;

/// <summary>The rules of the cache that a history is held against: what one operation after the other would do.</summary>
public sealed record CacheModel
{
    /// <summary>A map: nothing goes unless it is removed.</summary>
    public static CacheModel Map { get; } = new();

    /// <summary>A cache: an entry may go at any time, and never comes back by itself.</summary>
    public static CacheModel Cache { get; } = new() { AllowEviction = true };

    /// <summary>Whether entries may go at any time: evicted, or expired.</summary>
    public bool AllowEviction { get; init; }

    /// <summary>
    /// Whether a replacement may answer <see cref="Outcome.Changed"/> although the expected value is there: the cache compares versions,
    /// and values are written more than once.
    /// </summary>
    public bool AllowSpuriousChange { get; init; }

    /// <summary>What an increment adds to if nothing is there; null if it answers <see cref="Outcome.Missing"/> then.</summary>
    public long? MissingCountsAs { get; init; } = 0;

    /// <summary>Lets one operation take effect, and nothing else happen.</summary>
    /// <param name="state">What is there.</param>
    /// <param name="operation">The operation; if it is pending, it does what it was asked, or this is false.</param>
    /// <param name="next">What is there afterwards.</param>
    /// <returns>Whether it can answer what it answered.</returns>
    internal bool TryStep(EntryState state, Operation operation, out EntryState next)
    {
        next = state;
        switch (operation.Kind)
        {
            case OperationKind.Get:
                return operation.Outcome == Outcome.Found ? state == EntryState.Of(operation.Result) : !state.IsPresent;
            case OperationKind.Set:
                next = EntryState.Of(operation.Argument);
                return true;
            case OperationKind.TryAdd when operation.Outcome == Outcome.Exists:
                return state.IsPresent;
            case OperationKind.TryAdd:
                next = EntryState.Of(operation.Argument);
                return !state.IsPresent;
            case OperationKind.ReplaceIfUnchanged:
                return TryReplace(state, operation, ref next);
            case OperationKind.Remove when operation.Outcome == Outcome.Missing:
                return !state.IsPresent;
            case OperationKind.Remove:
                next = EntryState.Absent;
                return state.IsPresent;
            case OperationKind.Increment:
                return TryIncrement(state, operation, ref next);
            case OperationKind.ClearAll:
                next = EntryState.Absent;
                return true;
            default:
                return false;
        }
    }

    /// <summary>Lets one operation take effect, perhaps after an eviction.</summary>
    /// <param name="state">What is there.</param>
    /// <param name="operation">The operation.</param>
    /// <param name="isEvictedBefore">Whether the entry goes first; false is the answer if none is there or the model does not allow it.</param>
    /// <param name="next">What is there afterwards.</param>
    /// <returns>Whether it can answer what it answered.</returns>
    internal bool TryStep(EntryState state, Operation operation, bool isEvictedBefore, out EntryState next)
    {
        next = state;
        return isEvictedBefore
            ? AllowEviction && state.IsPresent && TryStep(EntryState.Absent, operation, out next)
            : TryStep(state, operation, out next);
    }

    /// <summary>Whether the operation can lead from one state to another, with or without an eviction before it.</summary>
    /// <param name="state">What is there.</param>
    /// <param name="operation">The operation.</param>
    /// <param name="target">What shall be there afterwards.</param>
    /// <returns>Whether it can.</returns>
    internal bool CanLead(EntryState state, Operation operation, EntryState target) =>
        (TryStep(state, operation, false, out var next) && next == target) || (TryStep(state, operation, true, out next) && next == target);

    private bool TryReplace(EntryState state, Operation operation, ref EntryState next)
    {
        var isExpected = state == EntryState.Of(operation.Expected);
        switch (operation.Outcome)
        {
            case Outcome.Changed:
                return state.IsPresent && (!isExpected || AllowSpuriousChange);
            case Outcome.Missing:
                return !state.IsPresent;
            default:
                next = EntryState.Of(operation.Argument);
                return isExpected;
        }
    }

    private bool TryIncrement(EntryState state, Operation operation, ref EntryState next)
    {
        var before = state.IsPresent ? state.Value : MissingCountsAs;
        if (operation.Outcome == Outcome.Missing || before is not { } first)
        {
            return operation.Outcome == Outcome.Missing && before == null;
        }

        var sum = unchecked(first + operation.Argument);
        next = EntryState.Of(sum);
        return operation.IsPending || sum == operation.Result;
    }
}
