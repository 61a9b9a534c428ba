using static ShmAlloc.Simulation.Programs.CacheKeys;
using static ShmAlloc.Simulation.Programs.CacheTargeted;

namespace ShmAlloc.Simulation.Programs;

/// <summary>Values that are kept in private memory, and validated by their marks while others change them.</summary>
internal static class CacheMarking
{
    internal static IEnumerable<SimulatedProgram> All =>
    [
        .. Reads("what is marked is", actor => actor.Cache.GetByMark(A)),

        Make("what is marked loses its tag, and is set again", true,
            new(0, actor => actor.Cache.GetByMark(A)),
            new(1, actor => actor.Cache.RemoveTag().Get(A).ReadEntry(0, 0).Set(A, 1, tagged: true).Get(A))) with
        {
            Setup = actors => Prepare(actors).Set(A, 9, tagged: true),
        },

        Make("what is marked expires, and is set again", false,
            new(0, actor => actor.Cache.GetByMark(A)),
            new(1, actor => actor.Cache.Tick().Get(A).Set(A, 1).Get(A))) with
        {
            Setup = actors => Prepare(actors).Set(A, 9, deadline: CacheActor.Deadline),
        },

        Make("two set, into two entries, and one marks", true,
            new(0, actor => actor.Cache.Set(A, 0)),
            new(1, actor => actor.Cache.Remove(Stopper).Set(A, 1)),
            new(2, actor => actor.Cache.GetByMark(A))),
    ];
}
