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

    /// <summary>
    /// Which values of which keys may expire; null: none. Such a one, when it went, may still be replaced, or added to, by who began before anybody missed
    /// it: no store can be one step with a look at the clock, and who only reads leaves no trace that would stop it.
    /// </summary>
    public Func<int, long, bool>? CanExpire { get; init; }

    /// <summary>
    /// Which of the values that may expire slide; null: none. Such a one, when it went, may be brought back by who began to renew it before anybody missed it,
    /// for the same reason.
    /// </summary>
    public Func<int, long, bool>? CanSlide { get; init; }

    /// <summary>What an increment adds to if nothing is there; null if it answers <see cref="Outcome.Missing"/> then.</summary>
    public long? MissingCountsAs { get; init; } = 0;

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
            ? CanGo(state) && TryStep(GoneFor(state, operation), operation, out next)
            : TryStep(state, operation, out next);
    }

    /// <summary>Whether an operation has surely left the entry as it was.</summary>
    internal bool IsObservation(Operation operation) => operation.IsObservation
        && !(operation is { Kind: OperationKind.Renew, Outcome: Outcome.Found } && CanSlide?.Invoke(operation.Key, operation.Result) == true);

    /// <summary>Whether the value may go, or what went may be gone for good.</summary>
    internal bool CanGo(EntryState state) => AllowEviction && (state.IsPresent || state.IsReplaceable);

    /// <summary>Lets one operation take effect, and nothing else happen.</summary>
    /// <param name="state">What is there.</param>
    /// <param name="operation">The operation; if it is pending, it does what it was asked, or this is false.</param>
    /// <param name="next">What is there afterwards.</param>
    /// <returns>Whether it can answer what it answered.</returns>
    private bool TryStep(EntryState state, Operation operation, out EntryState next)
    {
        next = state;
        switch (operation.Kind)
        {
            case OperationKind.Get:
                return operation.Outcome == Outcome.Found ? state == EntryState.Of(operation.Result) : TryMiss(state, operation, ref next);
            case OperationKind.Renew:
                return operation.Outcome == Outcome.Missing ? TryMiss(state, operation, ref next) : TryRenew(state, operation, ref next);
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
                return TryMiss(state, operation, ref next);
            case OperationKind.Remove:
                next = EntryState.Absent;
                return state.IsPresent;
            case OperationKind.Increment:
                return TryIncrement(state, operation, ref next);
            case OperationKind.ClearAll or OperationKind.Delete:
                next = EntryState.Absent;
                return true;
            default:
                return false;
        }
    }

    /// <summary>Only to who misses it a value is gone as one that may still be replaced: to replace it at once is as if it had not gone.</summary>
    private EntryState GoneFor(EntryState state, Operation operation) =>
        state.IsPresent && operation.Outcome == Outcome.Missing && CanExpire?.Invoke(operation.Key, state.Value) == true ? state.Gone : EntryState.Absent;

    private static bool TryMiss(EntryState state, Operation operation, ref EntryState next)
    {
        next = state.MissedAt(operation.Responded);
        return !state.IsPresent;
    }

    private bool TryRenew(EntryState state, Operation operation, ref EntryState next)
    {
        if (!state.IsPresent && state.IsFoundBy(operation) && CanSlide?.Invoke(operation.Key, state.Value) == true)
        {
            next = EntryState.Of(state.Value);
        }

        return next.IsPresent && (operation.IsPending || next.Value == operation.Result);
    }

    private bool TryReplace(EntryState state, Operation operation, ref EntryState next)
    {
        var isExpected = state.IsFoundBy(operation) && state.Value == operation.Expected;
        switch (operation.Outcome)
        {
            case Outcome.Changed:
                return state.IsPresent && (!isExpected || AllowSpuriousChange);
            case Outcome.Missing:
                return TryMiss(state, operation, ref next);
            default:
                next = EntryState.Of(operation.Argument);
                return isExpected;
        }
    }

    private bool TryIncrement(EntryState state, Operation operation, ref EntryState next)
    {
        if (operation.Outcome == Outcome.Missing)
        {
            return MissingCountsAs == null && TryMiss(state, operation, ref next);
        }

        if ((state.IsFoundBy(operation) ? state.Value : MissingCountsAs) is not { } first)
        {
            return false;
        }

        var sum = unchecked(first + operation.Argument);
        next = EntryState.Of(sum);
        return operation.IsPending || sum == operation.Result;
    }
}
