using ShmAlloc.Caching;
using ShmAlloc.Histories;
using ShmAlloc.Layout;
using ShmAlloc.Simulation.Machine;

namespace ShmAlloc.Simulation.Programs;

/// <content>Values that get another deadline, and numbers that keep theirs.</content>
internal sealed unsafe partial class CacheActor
{
    /// <summary>No value changes by it, so it is no operation of the history.</summary>
    internal CacheActor Touch(int key, ulong deadline) => Do(() =>
    {
        CacheStatus status = DeadlineChange<Simulated>.Make(Attached, Table, CacheKeys.Of(key), new ItemOptions { Deadline = deadline }, Now);
        Require(RequireProgress(status) is CacheStatus.Ok or CacheStatus.Missing or CacheStatus.Contended, $"a touch answers {status}");
    });

    /// <summary>Whatever becomes of its deadline: a value that was set by <see cref="SetWorked"/> is stale for as long as that says, and no longer.</summary>
    internal CacheActor CheckStaleness(int key) => Do(() =>
    {
        CacheStatus status = CacheReader<Simulated>.TryReadAnywhere(Attached, Table, CacheKeys.Of(key), null, 0, out ItemFacts facts);
        if (status is CacheStatus.Ok or CacheStatus.BufferTooSmall && facts.Shape.Is(ItemShape.Worked) && facts.Deadline != 0)
        {
            Require(facts.IsStaleValue(facts.Deadline + StaleFor - 1), $"a value that expires at {facts.Deadline} is stale for less than {StaleFor}");
            Require(!facts.IsStaleValue(facts.Deadline + StaleFor), $"a value that expires at {facts.Deadline} is stale for more than {StaleFor}");
        }
    });

    /// <summary>Reads a value, and replaces it by another one that has its tags, as an increment does.</summary>
    internal CacheActor ReplaceKeepingTags(int key, int number)
    {
        ulong* value = stackalloc ulong[ValueWords];
        long found = EndGet(Begin(OperationKind.Get, key), key, ReadSlowly(key, value, out ItemFacts facts), value, facts);
        if (found != 0)
        {
            ItemOptions options = new()
            {
                KeptTags = ItemAccess<Simulated>.TagsOf(ItemAccess<Simulated>.At(Attached, facts.Unit), facts.Shape),
                TagCount = facts.Shape.Tags,
            };
            int operation = Begin(OperationKind.ReplaceIfUnchanged, key, CacheKeys.Value(key, number), found);
            world.History.End(operation, OutcomeOf(PutItem(key, number, 1, options, PutMode.Replace, facts.Stamp)));
        }

        return this;
    }

    /// <summary>Adds nothing to a number, as an increment does that keeps its expiry: the same value, in another item.</summary>
    internal CacheActor AddNothing(int key) => Do(() =>
    {
        CacheStatus status = CacheCalls<Simulated>.Increment(
            Attached, Table, CacheKeys.Of(key), 0, default, Kept.Expiry | Kept.Tags, new Clock(this), out long number);
        Require(RequireProgress(status) == CacheStatus.Contended || CacheKeys.IsValueOf(key, number), $"an increment answers {status}, {number}");
    });
}
