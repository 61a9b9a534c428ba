using ShmAlloc.Caching;
using ShmAlloc.Simulation.Machine;
using static ShmAlloc.Simulation.Programs.CacheKeys;
using static ShmAlloc.Simulation.Programs.CacheTargeted;

namespace ShmAlloc.Simulation.Programs;

/// <summary>Values that are worked out, by one of several, while others wait, take over, set, remove, or die.</summary>
internal static class CacheFlights
{
    private const FlightRules StaleRules = FlightRules.OneAtATime | FlightRules.InPlace;

    private static readonly WorldShape MayExpire = CacheCatalogue.Roomy with { IsMap = false };

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

        Make("one flies, another waits, and a third rings for another key", true,
            new(0, actor => actor.Cache.Fly(A, 0)),
            new(1, actor => actor.Cache.FlyOrWait(A, 1)),
            new(2, actor => actor.Cache.Fly(B, 2))),

        Make("one flies, another is watched for", true,
            new(0, actor => actor.Cache.Fly(A, 0)),
            new(1, actor => actor.Cache.FlyOrWait(A, 1, isWatched: true))),

        Make("one flies and gives up, another is watched for, and a third removes", true,
            new(0, actor => actor.Cache.Fly(A, 0, gives: false)),
            new(1, actor => actor.Cache.FlyOrWait(A, 1, isWatched: true)),
            new(2, actor => actor.Cache.Remove(A))),

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

        // One that hangs owns the word: of two who have seen that, one takes it over.
        Make("one hangs, and two take over", true,
            new(0, actor => actor.Cache.TakeOver(A, 0).Get(A)),
            new(1, actor => actor.Cache.TakeOver(A, 1).Get(A))) with
        {
            Setup = actors => Prepare(actors).Hang(A),
        },

        Make("one hangs on a value that is due, and two take over when it has expired", false,
            new(0, actor => actor.Cache.Tick().TakeOver(A, 0).Get(A)),
            new(1, actor => actor.Cache.TakeOver(A, 1).Get(A))) with
        {
            Shape = MayExpire,
            Setup = actors => Prepare(actors).SetWorked(A, 9).Hang(A, refreshes: true),
        },

        Make("one flies and gives up, another takes over, and a third flies", true,
            new(0, actor => actor.Cache.Fly(A, 0, gives: false)),
            new(1, actor => actor.Cache.TakeOver(A, 1).Get(A)),
            new(2, actor => actor.Cache.Fly(A, 2))),

        Make("two fly on a stale value", false,
            new(0, actor => actor.Cache.Fly(A, 0, rules: StaleRules)),
            new(1, actor => actor.Cache.Fly(A, 1, gives: false, rules: StaleRules).Fly(A, 2, rules: StaleRules))) with
        {
            Shape = MayExpire,
            Setup = actors => Prepare(actors).SetWorked(A, 9).Tick(),
        },

        Make("a value that is due expires, and two fly on it", false,
            new(0, actor => actor.Cache.Fly(A, 0, refreshes: true, rules: FlightRules.OneAtATime)),
            new(1, actor => actor.Cache.Tick().Fly(A, 1, rules: FlightRules.OneAtATime).Get(A))) with
        {
            Shape = MayExpire,
            Setup = actors => Prepare(actors).SetWorked(A, 9, staleFor: 0),
        },

        // The last value could not be stored. If the clock was set back since, that lies too far ahead, and has passed.
        Make("a value could not be stored, and two want the next one", true,
            new(0, actor => actor.Cache.Expect(A, 0, FlightState.Passing)),
            new(1, actor => actor.Cache.Expect(A, 1, FlightState.Passing))) with
        {
            Setup = actors => Prepare(actors).LeavePause(A, FlightEnding.PassMilliseconds),
        },

        Make("a value could not be stored, by a clock that was set back", true,
            new(0, actor => actor.Cache.Expect(A, 0, FlightState.Begun)),
            new(1, actor => actor.Cache.Get(A))) with
        {
            Setup = actors => Prepare(actors).LeavePause(A, FlightEnding.PassMilliseconds + 1),
        },

        Make("one flies, and hands make room beside it", false,
            new(0, actor => actor.Cache.Fly(A, 0, rules: FlightRules.Lands)),
            new(1, actor => actor.Cache.Evict(ruthless: false).Evict(ruthless: false)),
            new(2, actor => actor.Cache.Get(B))) with
        {
            Setup = actors => Prepare(actors).Set(B, 9),
        },

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
            Shape = CacheCatalogue.Spacious with { HasRoom = false },
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
