using static ShmAlloc.Simulation.Programs.CacheKeys;
using static ShmAlloc.Simulation.Programs.CacheTargeted;

namespace ShmAlloc.Simulation.Programs;

/// <summary>Everything is removed in one step, while others set, read, mark and work values out. What began before may be gone although it ends later.</summary>
internal static class CacheRemovingAll
{
    internal static IEnumerable<SimulatedProgram> All =>
    [
        MakeRemovable("everything is removed while it is set and read",
            new(0, actor => actor.Cache.RemoveAll().Get(A).Get(B)),
            new(1, actor => actor.Cache.Set(A, 1).Get(A)),
            new(2, actor => actor.Cache.Add(B, 2).Replace(A, 2).Get(B))),

        MakeRemovable("everything is removed while it is leased and removed",
            new(0, actor => actor.Cache.RemoveAll().Get(A)),
            new(1, actor => actor.Cache.Lease(A).Get(A)),
            new(2, actor => actor.Cache.Remove(A).Add(A, 2))),

        MakeRemovable("what is marked is removed with everything, and set again",
            new(0, actor => actor.Cache.GetByMark(A)),
            new(1, actor => actor.Cache.RemoveAll().Get(A).Set(A, 1).Get(A))),

        MakeRemovable("everything is removed while a value is worked out",
            new(0, actor => actor.Cache.Fly(B, 0).Get(B)),
            new(1, actor => actor.Cache.RemoveAll().Get(B)),
            new(2, actor => actor.Cache.Get(B))),

        MakeRemovable("everything is removed by two",
            new(0, actor => actor.Cache.RemoveAll().Get(A).Set(A, 0).Get(A)),
            new(1, actor => actor.Cache.RemoveAll().Get(A)),
            new(2, actor => actor.Cache.ReplaceKeepingTags(A, 2).Get(A))),
    ];

    private static SimulatedProgram MakeRemovable(string name, params ProgramThread[] threads) => Make(name, false, threads) with
    {
        Setup = actors =>
        {
            actors[0].Cache.Make(allowsRemoveAll: true);
            Prepare(actors).Set(A, 9);
        },
    };
}
