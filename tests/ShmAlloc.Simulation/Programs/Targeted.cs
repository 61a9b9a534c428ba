namespace ShmAlloc.Simulation.Programs;

/// <summary>Programs that begin a few steps away from what is known to break a careless protocol.</summary>
internal static class Targeted
{
    internal static IEnumerable<SimulatedProgram> All =>
    [
        Make("a claim is given up and made again while it is swept", 3,
            new(0, actor => actor.Reserve(40, "a").Abandon("a").Reserve(40, "a").Publish("a")),
            new(1, actor => actor.Sweep(2)),
            new(2, actor => actor.Sweep(2))),

        Make("a published place becomes private between two scans", 4,
            new(0, actor => actor.Malloc(40, "a").Free("a")),
            new(1, actor => actor.Sweep(2)),
            new(2, actor => actor.Malloc(40, "b").Free("b")),
            new(3, actor => actor.Reserve(20, "c").Publish("c").Free("c"))),

        Make("a claim in a block that is closed and opened again", 3,
            new(0, actor => actor.Malloc(40, "a")),
            new(1, actor => actor.Free("seed").Close(2).Open(2)),
            new(2, actor => actor.Malloc(64, "run").Free("run"))) with
        {
            Setup = actors => actors[0].Malloc(1, "seed"),
        },

        Make("a malloc in a block that is closed for a run", 2,
            new(0, actor => actor.Malloc(4, "a")),
            new(1, actor => actor.Free("seed").Close(2).Malloc(192, "run"))),

        Make("a run is freed, dies, and its room is claimed again", 3,
            new(0, actor => actor.Free("run")),
            new(1, actor => actor.Recover().Malloc(64, "a").Malloc(64, "b")),
            new(2, actor => actor.Malloc(128, "c").Recover())) with
        {
            Setup = actors => actors[0].Malloc(192, "run"),
            Mortal = [0, 1],
        },

        Make("a run is claimed, dies, and its room is claimed again", 3,
            new(0, actor => actor.Malloc(128, "run")),
            new(1, actor => actor.Recover().Malloc(64, "a").Malloc(128, "b")),
            new(2, actor => actor.Recover().Malloc(128, "c").Free("c"))) with
        {
            Mortal = [0, 1],
        },

        Make("a slot is used again after its participant died", 4,
            new(0, actor => actor.Malloc(40, "a")),
            new(4, actor => actor.Attach().Malloc(40, "b").Free("b")),
            new(1, actor => actor.Recover().Sweep(2)),
            new(2, actor => actor.FreeBlocks())) with
        {
            Mortal = [0, 1],
            Shape = Catalogue.Shape with { Participants = 6, Slots = 6 },
        },

        Make("the last room is garbage", 3,
            new(0, actor => actor.Malloc(40, "a").Free("a")),
            new(1, actor => actor.Recover().Malloc(44, "b")),
            new(2, actor => actor.Recover().Malloc(16, "c"))) with
        {
            Setup = actors => actors[0].Malloc(64, "r1").Malloc(64, "r2").Malloc(1, "seed"),
            Mortal = [0],
            Shape = Catalogue.Shape with { MaximumBlocks = 3 },
        },
    ];

    private static SimulatedProgram Make(string name, int joined, params ProgramThread[] threads) => new()
    {
        Name = name,
        Shape = Catalogue.Shape,
        Joined = joined,
        Setup = actors => actors[0].Malloc(1, "seed"),
        Threads = threads,
        Mortal = [0],
    };
}
