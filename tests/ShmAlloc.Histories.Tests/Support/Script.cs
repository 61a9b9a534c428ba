namespace ShmAlloc.Histories.Tests.Support;

/// <summary>Writes small histories on key 7 down: an operation, and from when to when it was under way.</summary>
internal static class Script
{
    internal static Operation Get(long from, long to, long result) => Of(OperationKind.Get, from, to, Outcome.Found) with { Result = result };

    internal static Operation Renew(long from, long to, long result) => Of(OperationKind.Renew, from, to, Outcome.Found) with { Result = result };

    internal static Operation Miss(long from, long to) => Of(OperationKind.Get, from, to, Outcome.Missing);

    internal static Operation Set(long from, long to, long value) => Of(OperationKind.Set, from, to, Outcome.Done) with { Argument = value };

    internal static Operation Added(long from, long to, long value) => Of(OperationKind.TryAdd, from, to, Outcome.Done) with { Argument = value };

    internal static Operation Exists(long from, long to, long value) => Of(OperationKind.TryAdd, from, to, Outcome.Exists) with { Argument = value };

    internal static Operation Replace(long from, long to, long expected, long value, Outcome outcome = Outcome.Done) =>
        Of(OperationKind.ReplaceIfUnchanged, from, to, outcome) with { Expected = expected, Argument = value };

    internal static Operation Remove(long from, long to, Outcome outcome = Outcome.Done) => Of(OperationKind.Remove, from, to, outcome);

    internal static Operation Increment(long from, long to, long delta, long result) =>
        Of(OperationKind.Increment, from, to, Outcome.Done) with { Argument = delta, Result = result };

    internal static Operation Clear(long from, long to) => Of(OperationKind.ClearAll, from, to, Outcome.Done) with { Key = 0 };

    /// <summary>The same operation, by a worker that was killed while it was under way.</summary>
    internal static Operation Killed(Operation operation) => operation.Unanswered;

    internal static Verdict Check(CacheModel model, params Operation[] operations) => HistoryChecker.Check(operations, model);

    internal static void AssertAccepted(CacheModel model, params Operation[] operations)
    {
        var verdict = Check(model, operations);
        Assert.True(verdict.Kind == VerdictKind.Linearizable, verdict.ToString());
        Assert.True(BruteForce.Accepts(operations, model), "No order exists.");
    }

    internal static void AssertRejected(CacheModel model, params Operation[] operations)
    {
        var verdict = Check(model, operations);
        Assert.True(verdict.Kind == VerdictKind.NotLinearizable, verdict.ToString());
        Assert.False(BruteForce.Accepts(operations, model), "An order exists.");
    }

    private static Operation Of(OperationKind kind, long from, long to, Outcome outcome) =>
        new() { Kind = kind, Key = 7, Invoked = from, Responded = to, Outcome = outcome };
}
