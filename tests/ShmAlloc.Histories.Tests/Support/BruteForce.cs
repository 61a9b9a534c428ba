namespace ShmAlloc.Histories.Tests.Support;

/// <summary>
/// Tries every order of the operations on one key, with nothing shared with the checker but the operations: it keeps the set of all that
/// may be there, and prunes nothing.
/// </summary>
internal static class BruteForce
{
    internal static bool Accepts(IReadOnlyList<Operation> operations, CacheModel model) =>
        Accepts([.. operations.Where(operation => operation.Outcome != Outcome.Refused)], [default], model);

    private static bool Accepts(List<Operation> left, HashSet<Held> possible, CacheModel model)
    {
        if (left.All(operation => operation.IsPending))
        {
            return true;
        }

        if (model.AllowEviction)
        {
            possible.UnionWith(
                [.. possible.Select(held => held.Value is { } value && model.CanExpire?.Invoke(left[0].Key, value) == true ? new Held(null, value, null) : default)]);
            possible.Add(default);
        }

        foreach (var operation in left)
        {
            if (left.Any(other => other.Responded < operation.Invoked))
            {
                continue;
            }

            HashSet<Held> after = [.. possible.SelectMany(held => After(held, operation, model))];
            if (after.Count != 0 && Accepts([.. left.Where(other => !ReferenceEquals(other, operation))], after, model))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>What may be there after the operation has answered what it answered: nothing in this list if it cannot.</summary>
    private static IEnumerable<Held> After(Held held, Operation operation, CacheModel model)
    {
        foreach (var value in After(held.Value, operation, model))
        {
            var isMissed = operation.Outcome == Outcome.Missing;
            var missed = held.FirstMissed is { } first && first < operation.Responded ? first : operation.Responded;
            yield return isMissed ? held with { FirstMissed = missed } : new Held(value, null, null);
        }

        var renews = operation is { Kind: OperationKind.Renew, Outcome: Outcome.Found or Outcome.Pending };
        if (renews && held.Gone is { } expired && !(held.FirstMissed < operation.Invoked) && model.CanSlide?.Invoke(operation.Key, expired) == true
            && (operation.IsPending || operation.Result == expired))
        {
            yield return new Held(expired, null, null);
        }

        var replaces = operation.Outcome is Outcome.Done or Outcome.Pending && operation.Kind is OperationKind.ReplaceIfUnchanged or OperationKind.Increment;
        if (replaces && held.Gone is { } gone && !(held.FirstMissed < operation.Invoked))
        {
            foreach (var value in After(gone, operation, model).Where(value => operation.Kind == OperationKind.Increment || gone == operation.Expected))
            {
                yield return new Held(value, null, null);
            }
        }
    }

    private static IEnumerable<long?> After(long? value, Operation operation, CacheModel model)
    {
        var (asked, done) = Do(value, operation, model);
        var isEitherAnswer = model.AllowSpuriousChange && operation is { Kind: OperationKind.ReplaceIfUnchanged, Outcome: Outcome.Changed };
        return operation.IsPending || asked == (operation.Outcome, operation.Result) ? [done]
            : isEitherAnswer && value != null ? [value]
            : [];
    }

    private static ((Outcome Outcome, long Result) Answer, long? After) Do(long? value, Operation operation, CacheModel model)
    {
        var sum = (value ?? model.MissingCountsAs) + operation.Argument;
        return operation.Kind switch
        {
            OperationKind.Get or OperationKind.Renew => value is { } read ? ((Outcome.Found, read), value) : ((Outcome.Missing, 0), null),
            OperationKind.Set => ((Outcome.Done, 0), operation.Argument),
            OperationKind.TryAdd => value == null ? ((Outcome.Done, 0), operation.Argument) : ((Outcome.Exists, 0), value),
            OperationKind.ReplaceIfUnchanged when value == null => ((Outcome.Missing, 0), null),
            OperationKind.ReplaceIfUnchanged => value == operation.Expected ? ((Outcome.Done, 0), operation.Argument) : ((Outcome.Changed, 0), value),
            OperationKind.Remove => (value == null ? (Outcome.Missing, 0) : (Outcome.Done, 0), null),
            OperationKind.Increment => sum is { } result ? ((Outcome.Done, result), result) : ((Outcome.Missing, 0), null),
            _ => ((Outcome.Done, 0), null),
        };
    }

    /// <summary>The value, or one that went and may still be replaced by whoever began before it was first missed.</summary>
    private readonly record struct Held(long? Value, long? Gone, long? FirstMissed);
}
