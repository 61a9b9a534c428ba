using ShmAlloc.Caching;
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

    /// <summary>Adds nothing to a number, as an increment does that keeps its expiry: the same value, in another item.</summary>
    internal CacheActor AddNothing(int key) => Do(() =>
    {
        CacheStatus status = CacheCalls<Simulated>.Increment(
            Attached, Table, CacheKeys.Of(key), 0, default, Kept.Expiry | Kept.Tags, new Clock(this), out long number);
        Require(RequireProgress(status) == CacheStatus.Contended || CacheKeys.IsValueOf(key, number), $"an increment answers {status}, {number}");
    });
}
