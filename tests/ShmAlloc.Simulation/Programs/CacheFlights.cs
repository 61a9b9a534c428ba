using static ShmAlloc.Simulation.Programs.CacheKeys;
using static ShmAlloc.Simulation.Programs.CacheTargeted;

namespace ShmAlloc.Simulation.Programs;

/// <summary>Values that are worked out, by one of several, while others wait, take over, set, remove, or die.</summary>
internal static class CacheFlights
{
    internal static IEnumerable<SimulatedProgram> All =>
    [
        Make("two fly, into two entries", true,
            new(0, actor => actor.Cache.Fly(A, 0)),
            new(1, actor => actor.Cache.Remove(Stopper).Fly(A, 1))),

        Make("one flies, another removes", true,
            new(0, actor => actor.Cache.Fly(A, 0)),
            new(1, actor => actor.Cache.Remove(A).Get(A)),
            new(2, actor => actor.Cache.Remove(Stopper).Set(A, 2))),

        Make("one flies, another waits", true,
            new(0, actor => actor.Cache.Fly(A, 0)),
            new(1, actor => actor.Cache.FlyOrWait(A, 1))),

        Make("one flies and gives up, another waits", true,
            new(0, actor => actor.Cache.Fly(A, 0, gives: false)),
            new(1, actor => actor.Cache.FlyOrWait(A, 1))),

        Make("one flies, another waits, and a third removes", true,
            new(0, actor => actor.Cache.Fly(A, 0)),
            new(1, actor => actor.Cache.FlyOrWait(A, 1)),
            new(2, actor => actor.Cache.Remove(A))),

        Make("one flies, and two wait", true,
            new(0, actor => actor.Cache.Fly(A, 0, gives: false)),
            new(1, actor => actor.Cache.FlyOrWait(A, 1)),
            new(2, actor => actor.Cache.FlyOrWait(A, 2))),

        Make("one flies, another takes over", true,
            new(0, actor => actor.Cache.Fly(A, 0)),
            new(1, actor => actor.Cache.TakeOver(A, 1).Get(A))),

        Make("one flies, and what it flies on is evicted", false,
            new(0, actor => actor.Cache.Fly(A, 0)),
            new(1, actor => actor.Cache.Evict()),
            new(2, actor => actor.Sweep(1).Cache.Set(B, 2))),

        Make("one flies on a stale value, another sets and removes", false,
            new(0, actor => actor.Cache.Fly(A, 0)),
            new(1, actor => actor.Cache.Set(A, 1).Remove(A)),
            new(2, actor => actor.Cache.Get(A))) with
        {
            Setup = actors => Prepare(actors).SetWorked(A, 9).Tick(),
        },

        Make("one flies on a stale value that is in the way of the next one, another sets and removes", false,
            new(0, actor => actor.Cache.Fly(A, 0, words: 150).Get(A)),
            new(1, actor => actor.Cache.Set(A, 1).Remove(A)),
            new(2, actor => actor.Cache.Get(A))) with
        {
            // Four blocks for items, one of which is not the cache's: no room for two values of two.
            Shape = CacheCatalogue.Spacious,
            Setup = actors => Prepare(actors).SetWorked(A, 9, words: 150).Tick(),
        },

        Make("two fly on a value that is due", true,
            new(0, actor => actor.Cache.Fly(A, 0, refreshes: true)),
            new(1, actor => actor.Cache.Fly(A, 1, refreshes: true).Get(A))) with
        {
            Setup = actors => Prepare(actors).SetWorked(A, 9),
        },

        Make("one flies on a value that is due, and its memory is the next value's", true,
            new(0, actor => actor.Cache.Fly(A, 0, refreshes: true)),
            new(1, actor => actor.Cache.SetWorked(A, 1).Heap.Sweep(1).Cache.SetWorked(A, 2))) with
        {
            Setup = actors => Prepare(actors).SetWorked(A, 9),
        },

        Make("one flies on a value that is due, another touches it", true,
            new(0, actor => actor.Cache.Fly(A, 0, refreshes: true)),
            new(1, actor => actor.Cache.Touch(A, CacheActor.Later).Get(A))) with
        {
            Setup = actors => Prepare(actors).SetWorked(A, 9),
        },

        Make("one flies on a tagged value that is due, another removes the tag", true,
            new(0, actor => actor.Cache.Fly(A, 0, refreshes: true, tagged: true)),
            new(1, actor => actor.Cache.RemoveTag().Get(A))) with
        {
            Setup = actors => Prepare(actors).SetWorked(A, 9, tagged: true),
        },

        Make("one flies without the tag of a value that is due, another removes the tag", false,
            new(0, actor => actor.Cache.Fly(A, 0, refreshes: true)),
            new(1, actor => actor.Cache.LoseTag().Get(A))) with
        {
            Setup = actors => Prepare(actors).SetWorked(A, 9, tagged: true),
        },
    ];
}
