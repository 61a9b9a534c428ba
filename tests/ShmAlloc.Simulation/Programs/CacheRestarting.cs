using static ShmAlloc.Simulation.Programs.CacheKeys;
using static ShmAlloc.Simulation.Programs.CacheTargeted;

namespace ShmAlloc.Simulation.Programs;

/// <summary>Several open a cache after a start of the machine: one of them, or all together, empty it, and nothing that is set after that goes.</summary>
internal static class CacheRestarting
{
    internal static IEnumerable<SimulatedProgram> All =>
    [
        Make("two open a cache after a start, and set", true,
            new(0, actor => actor.Cache.OpenAfterStart().Set(A, 0).Get(A)),
            new(1, actor => actor.Cache.OpenAfterStart().Set(A, 1).Get(A))) with
        {
            Setup = actors => Prepare(actors).Set(A, 9).Set(B, 9),
        },

        Make("two open a cache after a start, and remove", true,
            new(0, actor => actor.Cache.OpenAfterStart().Get(B).Remove(A)),
            new(1, actor => actor.Cache.OpenAfterStart().Set(B, 1).Get(B))) with
        {
            Setup = actors => Prepare(actors).Set(A, 9).Set(B, 9),
        },

        Make("two open a cache after a start, in which entries are damaged", true,
            new(0, actor => actor.Cache.OpenAfterStart().Get(A)),
            new(1, actor => actor.Cache.OpenAfterStart().Set(B, 1).Get(B))) with
        {
            Setup = actors => Prepare(actors).Set(A, 9).Damage(0, 5, A).Damage(1, 5, C),

            // One always comes to the end: what nobody opens stays damaged.
            Mortal = [0],
        },
    ];
}
