using static ShmAlloc.Simulation.Programs.CacheKeys;

namespace ShmAlloc.Simulation.Programs;

/// <summary>
/// Several open a cache after a start of the machine: one of them, or all together, empty it, and nothing that is set after that goes. One always comes to
/// the end: what nobody opens stays as it was.
/// </summary>
internal static class CacheRestarting
{
    internal static IEnumerable<SimulatedProgram> All =>
    [
        Make("two open a cache after a start, and set",
            actors => CacheTargeted.Prepare(actors).SetBeforeStart(A).SetBeforeStart(B),
            new(0, actor => actor.Cache.OpenAfterStart().Set(A, 0).Get(A)),
            new(1, actor => actor.Cache.OpenAfterStart().Set(A, 1).Get(A))),

        Make("two open a cache after a start, and remove",
            actors => CacheTargeted.Prepare(actors).SetBeforeStart(A).SetBeforeStart(B),
            new(0, actor => actor.Cache.OpenAfterStart().Get(B).Remove(A)),
            new(1, actor => actor.Cache.OpenAfterStart().Set(B, 1).Get(B))),

        Make("two open a cache after a start, in which entries are damaged",
            actors => CacheTargeted.Prepare(actors).SetBeforeStart(A).Damage(0, 5, A).Damage(1, 5, C),
            new(0, actor => actor.Cache.ReadDamagedEntry(1, 5).OpenAfterStart().Get(A)),
            new(1, actor => actor.Cache.OpenAfterStart().Set(B, 1).Get(B))),
    ];

    private static SimulatedProgram Make(string name, Action<Actor[]> setup, params ProgramThread[] threads) =>
        CacheTargeted.Make(name, true, threads) with { Setup = setup, Mortal = [0] };
}
