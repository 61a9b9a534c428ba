
namespace ShmAlloc.Simulation.Programs;

/// <summary>The programs that are explored.</summary>
internal static class Catalogue
{
    internal static IEnumerable<SimulatedProgram> All =>
    [
        new SimulatedProgram
        {
            Name = "two mallocs in one word",
            Joined = 2,
            Setup = actors => actors[0].Malloc(1, "seed"),
            Threads =
            [
                new(0, actor => actor.Malloc(4, "a").Free("a")),
                new(1, actor => actor.Malloc(4, "b").Free("b")),
            ],
            Mortal = [0],
        },
        new SimulatedProgram
        {
            Name = "crossing malloc and free beside a sweep",
            Joined = 3,
            Setup = actors => actors[0].Malloc(1, "seed"),
            Threads =
            [
                new(0, actor => actor.Malloc(40, "a").Free("a")),
                new(1, actor => actor.Sweep(1)),
                new(2, actor => actor.Recover().FreeBlocks()),
            ],
            Mortal = [0],
        },
    ];
}
