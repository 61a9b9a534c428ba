using static ShmAlloc.Simulation.Programs.CacheKeys;
using static ShmAlloc.Simulation.Programs.CacheTargeted;

namespace ShmAlloc.Simulation.Programs;

/// <summary>Values that get another deadline, while others read, replace, remove or reuse them.</summary>
internal static class CacheTouching
{
    private const ulong Sooner = CacheActor.Deadline / 2;

    internal static IEnumerable<SimulatedProgram> All =>
    [
        .. InTime("what is read is", actor => actor.Cache.Get(A)),
        .. InTime("what is read slowly is", actor => actor.Cache.GetSlowly(A)),
        .. InTime("what is read and held is", actor => actor.Cache.GetHeld(A)),
        .. InTime("what is marked is", actor => actor.Cache.GetByMark(A)),
        .. InTime("what is leased is", actor => actor.Cache.Lease(A)),
        .. InTime("what is to be replaced is", actor => actor.Cache.Replace(A, 2)),

        // Another key's item lies where the value lay that was to be touched.
        Make("what is touched is removed, swept and used for another key", true,
            new(0, actor => actor.Cache.Touch(A, CacheActor.Deadline)),
            new(1, actor => actor.Cache.Remove(A).Heap.Sweep(1).Cache.Set(B, 1).Tick().Get(B))) with
        {
            Setup = actors => Prepare(actors).Set(A, 9),
        },

        Make("what has expired is touched", false,
            new(0, actor => actor.Cache.Tick().Get(A).Touch(A, 0).Get(A)),
            new(1, actor => actor.Cache.Get(A)),
            new(2, actor => actor.Cache.Evict(ruthless: false))) with
        {
            Setup = actors => Prepare(actors).Set(A, 9, deadline: CacheActor.Deadline),
        },

        Make("what is touched is set and removed", true,
            new(0, actor => actor.Cache.Touch(A, 0).Get(A)),
            new(1, actor => actor.Cache.Set(A, 1).Remove(A).Get(A)),
            new(2, actor => actor.Cache.Touch(A, CacheActor.Later).Add(A, 2))) with
        {
            Setup = actors => Prepare(actors).Set(A, 9, deadline: CacheActor.Deadline),
        },

        Make("two set, into two entries, and one touches", true,
            new(0, actor => actor.Cache.Set(A, 0)),
            new(1, actor => actor.Cache.Remove(Stopper).Set(A, 1)),
            new(2, actor => actor.Cache.Touch(A, 0).Get(A))),

        // The new item of a number that is added to has the expiry of the old one, whoever changes that meanwhile.
        Make("a number is touched while it is added to, and would have expired", true,
            new(0, actor => actor.Cache.AddNothing(A)),
            new(1, actor => actor.Cache.Touch(A, 0).Tick().Get(A))) with
        {
            Setup = actors => Prepare(actors).Set(A, 9, deadline: CacheActor.Deadline),
        },

        Make("a number is touched while two add to it", true,
            new(0, actor => actor.Cache.AddNothing(A)),
            new(1, actor => actor.Cache.Touch(A, 0).Get(A)),
            new(2, actor => actor.Cache.AddNothing(A).Touch(A, 0).Tick().Get(A))) with
        {
            Setup = actors => Prepare(actors).Set(A, 9, deadline: CacheActor.Deadline),
        },

        // How long a value is stale counts from its deadline, whatever that is, and whatever becomes of those who change it.
        Make("what can be stale is touched, and the one who touches it dies", true,
            new(0, actor => actor.Cache.Touch(A, Sooner)),
            new(1, actor => actor.Recover().Cache.CheckStaleness(A)),
            new(2, actor => actor.Cache.CheckStaleness(A))) with
        {
            Setup = actors => Prepare(actors).SetWorked(A, 9),
        },

        Make("what can be stale is touched by two", true,
            new(0, actor => actor.Cache.Touch(A, Sooner).CheckStaleness(A)),
            new(1, actor => actor.Cache.Touch(A, CacheActor.Later).CheckStaleness(A)),
            new(2, actor => actor.Cache.Touch(A, 0).CheckStaleness(A))) with
        {
            Setup = actors => Prepare(actors).SetWorked(A, 9, words: 2),
        },

        Make("a number that can be stale is touched while it is added to", true,
            new(0, actor => actor.Cache.AddNothing(A).CheckStaleness(A)),
            new(1, actor => actor.Cache.Touch(A, Sooner).CheckStaleness(A))) with
        {
            Setup = actors => Prepare(actors).SetWorked(A, 9),
        },

        // The tags are read from an item that nobody holds: its memory may be another's by then.
        Make("a value with the tags of the one before loses them", true,
            new(0, actor => actor.Cache.ReplaceKeepingTags(A, 0)),
            new(1, actor => actor.Cache.RemoveTag().Get(A)),
            new(2, actor => actor.Cache.Set(A, 2, tagged: true).Heap.Sweep(1).Cache.Set(B, 2, tagged: true).Get(A))) with
        {
            Setup = actors => Prepare(actors).Set(A, 9, tagged: true),
        },
    ];

    /// <summary>It has a value at every moment, whichever way it is read.</summary>
    private static IEnumerable<SimulatedProgram> InTime(string what, Action<Actor> act) =>
        from words in (int[])[1, 2]
        select Make($"{what} touched in time, and would have expired{(words == 1 ? "" : ", no number")}", true,
            new(0, act),
            new(1, actor => actor.Cache.Touch(A, 0).Tick().Get(A))) with
        {
            Setup = actors => Prepare(actors).Set(A, 9, words, deadline: CacheActor.Deadline),
        };
}
