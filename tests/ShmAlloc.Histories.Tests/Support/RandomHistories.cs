using CsCheck;

namespace ShmAlloc.Histories.Tests.Support;

/// <summary>Random histories: of a sequential cache that really ran, and of nothing at all.</summary>
internal static class RandomHistories
{
    /// <summary>Greater than every value and sum that a random history has.</summary>
    internal const long Impossible = 1_000_000_000_000;

    // The last one touches all keys.
    private static readonly OperationKind[] Kinds = [.. Enum.GetValues<OperationKind>()[1..].OrderBy(kind => kind == OperationKind.ClearAll)];

    /// <summary>All rules that there are.</summary>
    internal static Gen<CacheModel> Models { get; } =
        from allowEviction in Gen.Bool
        from allowSpuriousChange in Gen.Bool
        from expiring in Gen.Int[0, 2]
        from sliding in Gen.Int[0, expiring]
        from missingCountsAs in Gen.Int[0, 2].Select(choice => choice == 2 ? (long?)null : choice)
        select new CacheModel
        {
            AllowEviction = allowEviction,
            AllowSpuriousChange = allowSpuriousChange,
            CanExpire = expiring == 0 ? null : (_, value) => expiring == 2 || value % 2 == 1,
            CanSlide = sliding == 0 ? null : (_, value) => sliding == 2 || value % 2 == 1,
            MissingCountsAs = missingCountsAs,
        };

    /// <summary>What a cache answered that did one thing after the other, each at some time between its invocation and its response.</summary>
    /// <param name="model">The rules of the cache.</param>
    /// <param name="seed">Which history.</param>
    /// <param name="operations">How many operations.</param>
    /// <returns>The history, on three keys.</returns>
    internal static List<Operation> Run(CacheModel model, int seed, int operations)
    {
        const int keys = 3;
        var random = new Random(seed);
        var overlap = random.Next(1, 40);
        var values = random.Next(2) == 0 ? 3 : 1_000_000;
        var entries = new long?[keys];
        var history = new List<Operation>();
        for (var index = 0; index < operations; index++)
        {
            if (model.AllowEviction && random.Next(5) == 0)
            {
                entries[random.Next(keys)] = null;
            }

            var time = 10L * (index + 10);
            var asked = new Operation
            {
                Kind = Kinds[random.Next(100) < 3 ? Kinds.Length - 1 : random.Next(Kinds.Length - 1)],
                Key = random.Next(keys),
                Argument = random.Next(1, values),
                Expected = entries[random.Next(keys)] ?? 1,
                Invoked = time - random.Next(overlap),
            };
            var isKilled = random.Next(12) == 0;
            var isDone = !isKilled || random.Next(2) == 0;
            var answered = isDone ? Answer(asked, entries, model) : asked;
            history.Add(isKilled ? asked : answered with { Responded = time + random.Next(overlap) });
        }

        return history;
    }

    /// <summary>Operations on one key that have random answers, which the kind can give.</summary>
    /// <param name="most">At most so many.</param>
    /// <returns>The generator.</returns>
    internal static Gen<Operation[]> Nonsense(int most)
    {
        var operation =
            from kind in Gen.Int[0, Kinds.Length - 1].Select(index => Kinds[index])
            from times in Gen.Select(Gen.Int[0, 12], Gen.Int[0, 6])
            from numbers in Gen.Select(Gen.Long[1, 2], Gen.Long[1, 2], Gen.Long[1, 4])
            from choice in Gen.Int[0, 6]
            let asked = new Operation { Kind = kind, Invoked = times.Item1, Argument = numbers.Item1, Expected = numbers.Item2 }
            select choice is 0 or 6 ? asked : Guess(asked, choice, numbers.Item3) with { Responded = times.Item1 + times.Item2 };
        return operation.Array[1, most];
    }

    private static Operation Guess(Operation asked, int choice, long result) => asked.Kind switch
    {
        OperationKind.Get or OperationKind.Renew => choice < 4 ? asked with { Outcome = Outcome.Found, Result = result } : asked with { Outcome = Outcome.Missing },
        OperationKind.TryAdd => asked with { Outcome = choice < 3 ? Outcome.Done : Outcome.Exists },
        OperationKind.ReplaceIfUnchanged => asked with { Outcome = choice < 3 ? Outcome.Done : choice < 5 ? Outcome.Changed : Outcome.Missing },
        OperationKind.Remove => asked with { Outcome = choice < 3 ? Outcome.Done : Outcome.Missing },
        OperationKind.Increment => choice < 4 ? asked with { Outcome = Outcome.Done, Result = result } : asked with { Outcome = Outcome.Missing },
        _ => asked with { Outcome = Outcome.Done },
    };

    private static Operation Answer(Operation asked, long?[] entries, CacheModel model)
    {
        ref var entry = ref entries[asked.Key];
        var before = entry;
        switch (asked.Kind)
        {
            case OperationKind.Get or OperationKind.Renew:
                return before is { } value ? asked with { Outcome = Outcome.Found, Result = value } : asked with { Outcome = Outcome.Missing };
            case OperationKind.Set:
                entry = asked.Argument;
                return asked with { Outcome = Outcome.Done };
            case OperationKind.TryAdd:
                entry ??= asked.Argument;
                return asked with { Outcome = before == null ? Outcome.Done : Outcome.Exists };
            case OperationKind.ReplaceIfUnchanged:
                entry = before == asked.Expected ? asked.Argument : before;
                return asked with { Outcome = before == null ? Outcome.Missing : before == asked.Expected ? Outcome.Done : Outcome.Changed };
            case OperationKind.Remove:
                entry = null;
                return asked with { Outcome = before == null ? Outcome.Missing : Outcome.Done };
            case OperationKind.Delete:
                entry = null;
                return asked with { Outcome = Outcome.Done };
            case OperationKind.Increment:
                entry = (before ?? model.MissingCountsAs) + asked.Argument;
                return entry is { } sum ? asked with { Outcome = Outcome.Done, Result = sum } : asked with { Outcome = Outcome.Missing };
            default:
                Array.Clear(entries);
                return asked with { Outcome = Outcome.Done };
        }
    }
}
