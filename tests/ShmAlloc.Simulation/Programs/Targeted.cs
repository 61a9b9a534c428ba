namespace ShmAlloc.Simulation.Programs;

/// <summary>Programs that begin a few steps away from what is known to break a careless protocol.</summary>
internal static class Targeted
{
    /// <summary>A file system with room for one block more, and a heap that wants five.</summary>
    private static readonly Machine.WorldShape Narrow = Catalogue.Shape with { CommittedBlocks = 2, MaximumBlocks = 7, StorageBlocks = 3 };

    internal static IEnumerable<SimulatedProgram> All =>
    [
        MakeTight("a claim is made and published while it is swept", 2,
            new(0, actor => actor.Malloc(40, "a")),
            new(1, actor => actor.Sweep(0))),

        MakeTight("the first claim of a participant is made while it is swept", 2,
            new(1, actor => actor.Malloc(40, "a")),
            new(0, actor => actor.Sweep(0))),

        MakeTight("the only room lies in a block that is swept", 2,
            new(0, actor => actor.Malloc(40, "a")),
            new(1, actor => actor.Sweep(0))) with
        {
            Shape = Catalogue.Tight with { HasRoom = true },
        },

        MakeTight("a claim is given up and made again while it is swept", 2,
            new(0, actor => actor.Reserve(40, "a").Abandon("a").Reserve(40, "b").Publish("b")),
            new(1, actor => actor.Sweep(0))),

        MakeTight("what is being freed is swept and claimed by another", 3,
            new(0, actor => actor.Free("held")),
            new(1, actor => actor.Sweep(0)),
            new(2, actor => actor.Malloc(40, "b"))) with
        {
            Setup = actors => actors[0].Malloc(1, "seed").Malloc(40, "held"),
        },

        MakeTight("a claim is abandoned, swept and claimed by another", 3,
            new(0, actor => actor.Reserve(40, "a").Abandon("a")),
            new(1, actor => actor.Sweep(0)),
            new(2, actor => actor.Malloc(40, "b"))),

        MakeTight("two claim the same room, and it is swept", 3,
            new(0, actor => actor.Malloc(40, "a")),
            new(1, actor => actor.Malloc(44, "b")),
            new(2, actor => actor.Sweep(0))),

        MakeTight("an empty block is closed beside a sweep and a malloc", 3,
            new(0, actor => actor.Close(0)),
            new(1, actor => actor.Sweep(0)),
            new(2, actor => actor.Malloc(4, "a"))) with
        {
            Setup = actors => actors[0].Malloc(1, "seed").Free("seed"),
        },

        MakeTight("an empty block is closed, opened and claimed", 3,
            new(0, actor => actor.Malloc(40, "a")),
            new(1, actor => actor.Close(0).Open(0)),
            new(2, actor => actor.Malloc(64, "run"))) with
        {
            Setup = actors => actors[0].Malloc(1, "seed").Free("seed"),
        },

        Make("a malloc in a block that is closed for a run", 2,
            new(0, actor => actor.Malloc(4, "a")),
            new(1, actor => actor.Free("seed").Close(5).Malloc(384, "run"))),

        Make("a run is freed, dies, and its room is claimed again", 4,
            new(0, actor => actor.Free("run")),
            new(1, actor => actor.Recover().Malloc(64, "a").Malloc(128, "b")),
            new(2, actor => actor.Malloc(128, "c").Recover())) with
        {
            Setup = actors =>
            {
                // Whoever claimed it has left: its bodies name a slot that nobody recovers.
                actors[3].Malloc(192, "run").Malloc(192, "rest").Detach();
            },
            Mortal = [0, 1],
            Shape = Catalogue.Shape with { MaximumBlocks = 6 },
        },

        Make("a run is freed, dies, and part of its room is claimed beside the recovery", 4,
            new(0, actor => actor.Free("run")),
            new(1, actor => actor.Malloc(120, "a")),
            new(2, actor => actor.Recover())) with
        {
            Setup = actors => actors[3].Malloc(192, "run").Malloc(192, "rest").Detach(),
            Shape = Catalogue.Shape with { MaximumBlocks = 6 },
        },

        Make("a run is claimed, dies, and its room is claimed again", 3,
            new(0, actor => actor.Malloc(128, "run")),
            new(1, actor => actor.Recover().Malloc(64, "a").Malloc(128, "b")),
            new(2, actor => actor.Recover().Malloc(128, "c").Free("c"))) with
        {
            Mortal = [0, 1],
            Shape = Catalogue.Shape with { MaximumBlocks = 6 },
        },

        Make("a slot is used again after its participant died", 4,
            new(0, actor => actor.Malloc(40, "a")),
            new(4, actor => actor.Attach().Malloc(40, "b").Free("b")),
            new(1, actor => actor.Recover().Sweep(5)),
            new(2, actor => actor.FreeBlocks())) with
        {
            Mortal = [0, 1],
            Shape = Catalogue.Shape with { Participants = 6, Slots = 6 },
        },

        MakeTight("one that died is recovered by another, and by the one that takes its slot and claims", 2,
            new(1, actor => actor.Recover().Sweep(0)),
            new(2, actor => actor.Attach().Reserve(40, "b").Publish("b"))) with
        {
            Setup = actors => actors[0].Malloc(1, "seed").BeDead(),
            Shape = Catalogue.Tight with { Slots = 2 },
            Mortal = [1, 2],
        },

        MakeTight("one that died is recovered by two, and its slot is used again", 3,
            new(1, actor => actor.Recover().Sweep(0)),
            new(2, actor => actor.Recover()),
            new(3, actor => actor.Attach().Reserve(40, "b").Publish("b"))) with
        {
            Setup = actors => actors[0].Malloc(1, "seed").BeDead(),
            Shape = Catalogue.Tight with { Slots = 3 },
            Mortal = [1, 2],
        },

        MakeTight("a recoverer leaves beside another one, and the slot is used again", 3,
            new(1, actor => actor.Recover()),
            new(1, actor => actor.Detach()),
            new(2, actor => actor.Recover()),
            new(3, actor => actor.Attach().Reserve(40, "b").FindNamed("b"))) with
        {
            Setup = actors => actors[0].Malloc(1, "seed").BeDead(),
            Shape = Catalogue.Tight with { Slots = 3 },
            Mortal = [1, 2],
        },

        // Another participant is in the middle of recovering who had the last room, and the last slot.
        MakeTight("the last room is one's who died, and whom another recovers", 3,
            new(1, actor => actor.Recover()),
            new(2, actor => actor.Malloc(40, "a"))) with
        {
            Setup = actors => actors[0].LeaveClaim(40).BeDead(),
            Shape = Catalogue.Tight with { HasRoom = true },
            Mortal = [],
        },

        MakeTight("the last slot is one's who died, and whom another recovers", 2,
            new(1, actor => actor.Recover()),
            new(2, actor => actor.AttachSurely())) with
        {
            Setup = actors => actors[0].LeaveClaim(40).BeDead(),
            Shape = Catalogue.Tight with { Slots = 2 },
            Mortal = [],
        },

        MakeTight("who was about to take a dead one's slot died, and three claim after each other", 3,
            new(1, actor => actor.Recover()),
            new(2, actor => actor.Recover()),
            new(3, actor => actor.Attach())) with
        {
            Setup = actors => actors[0].Malloc(1, "seed").BeDead(isClaimed: true),
            Shape = Catalogue.Tight with { Slots = 3 },
            Mortal = [2],
        },

        Make("a free died half-way, who was about to take its slot died, and three claim after each other", 3,
            new(1, actor => actor.Recover()),
            new(2, actor => actor.Recover()),
            new(3, actor => actor.Attach()),
            new(1, actor => actor.Malloc(128, "claim"))) with
        {
            Setup = actors => actors[0].Malloc(128, "run").BeFreeing("run").BeDead(isClaimed: true),
            Shape = Catalogue.Shape with { Slots = 3, CommittedBlocks = 2, MaximumBlocks = 2, StorageBlocks = 2 },
            Mortal = [2],
        },

        MakeTight("a run is retired while a late claim names its block", 3,
            new(0, actor => actor.Malloc(40, "a")),
            new(1, actor => actor.FreeBlocks())) with
        {
            // All slots are taken, so the fourth participant can only retire a run. The first one remembers a place in its block.
            Shape = Catalogue.Tight with { Slots = 3 },
            Setup = actors =>
            {
                actors[0].Malloc(40, "x").Free("x").Close(0);
                actors[1].Malloc(60, "run");
                actors[3].Free("run");
            },
            Mortal = [1],
        },

        MakeTight("a participant leaves while it is verified", 2,
            new(0, actor => actor.Malloc(40, "a").Detach()),
            new(1, actor => actor.Verify())),

        Make("somebody is stopped at the last block", 3,
            new(0, actor => actor.Malloc(60, "a").Malloc(60, "b").Malloc(60, "c")),
            new(1, actor => actor.Malloc(60, "d"))) with
        {
            Setup = actors => actors[2].BeStoppedAt(0),
            Shape = Catalogue.Shape with { CommittedBlocks = 2, MaximumBlocks = 2, HasStopped = true },
        },

        Make("two threads dispose while a third is in an operation", 1,
            new(0, actor => actor.Malloc(40, "a")),
            new(0, actor => actor.Detach()),
            new(0, actor => actor.Detach())) with
        {
            Shape = Catalogue.Shape with { Cells = 2, OperationCells = 2 },
        },

        Make("a growth fails and gives back beside two that succeed", 3,
            new(0, actor => actor.Grow(blocks: 3)),
            new(1, actor => actor.Grow()),
            new(2, actor => actor.Grow())) with
        {
            Shape = Narrow,
            Mortal = [0, 1],
        },

        Make("two growths fail at once, and somebody attaches", 3,
            new(0, actor => actor.Grow(blocks: 3)),
            new(1, actor => actor.Grow(blocks: 3)),
            new(2, actor => actor.GiveBackLeft())) with
        {
            Shape = Narrow,
            Mortal = [0],
        },

        Make("a copy is attached by three at once", 0,
            new(0, actor => actor.AttachCopy()),
            new(1, actor => actor.AttachCopy()),
            new(2, actor => actor.AttachCopy())) with
        {
            Setup = actors => actors[0].NameAnotherFile(),
            Mortal = [0, 1],
        },

        MakeTight("the last room is garbage", 3,
            new(0, actor => actor.Malloc(40, "a").Free("a")),
            new(1, actor => actor.Recover().Malloc(44, "b")),
            new(2, actor => actor.Recover().Malloc(16, "c"))),

        Make("two threads of one participant get a slot late", 1,
            new(1, actor => actor.Malloc(40, "a")),
            new(1, actor => actor.Malloc(40, "b")),
            new(0, actor => actor.Malloc(40, "c"))),

        Make("two threads of one participant want both its cells", 1,
            new(0, actor => actor.HaveTwoCells()),
            new(0, actor => actor.HaveTwoCells())) with
        {
            Shape = Catalogue.Shape with { Cells = 2, OperationCells = 2 },
        },

        Make("three threads of one participant share two cells", 1,
            new(0, actor => actor.Malloc(40, "a").Free("a")),
            new(0, actor => actor.Malloc(40, "b")),
            new(0, actor => actor.Malloc(128, "run"))) with
        {
            Shape = Catalogue.Shape with { Cells = 2, OperationCells = 2, ShardsOfParticipant = 4, HasRoom = true },
        },

        Make("reservations wait for operations that have the cells", 1,
            new(0, actor => actor.Malloc(40, "a")),
            new(0, actor => actor.Malloc(40, "b")),
            new(0, actor => actor.Reserve(8, "r").Need("r").Publish("r"))) with
        {
            Shape = Catalogue.Shape with { Cells = 2, OperationCells = 1, ShardsOfParticipant = 4, HasRoom = true },
            Mortal = [],
        },

        MakeTight("what is read is retired, swept and claimed", 3,
            new(0, actor => actor.ReadHeld()),
            new(1, actor => actor.Replace("old", "new")),
            new(2, actor => actor.Malloc(24, "claim"))) with
        {
            Setup = actors => actors[0].Malloc(1, "seed").Malloc(24, "old").Malloc(24, "new").Link("old"),
            Mortal = [0, 1],
        },

        MakeTight("what is read is retired, swept by another and claimed by a fourth", 4,
            new(0, actor => actor.ReadHeld()),
            new(1, actor => actor.Replace("old", "new")),
            new(2, actor => actor.Sweep(0)),
            new(3, actor => actor.Malloc(24, "claim"))) with
        {
            Setup = actors => actors[0].Malloc(1, "seed").Malloc(24, "old").Malloc(24, "new").Link("old"),
            Mortal = [0, 1],
        },

        Make("a run that is read is retired and claimed", 3,
            new(0, actor => actor.ReadHeld()),
            new(1, actor => actor.Replace("old", "new").FreeBlocks()),
            new(2, actor => actor.FreeBlocks().Malloc(128, "claim"))) with
        {
            Setup = actors => actors[0].Malloc(128, "old").Malloc(128, "new").Link("old"),
            Mortal = [0, 1],
            Shape = Catalogue.Shape with { CommittedBlocks = 4, MaximumBlocks = 4, StorageBlocks = 4 },
        },

        Make("a run that is read is retired, and one of its blocks is wanted", 3,
            new(0, actor => actor.ReadHeld()),
            new(1, actor => actor.Replace("old", "new").FreeBlocks()),
            new(2, actor => actor.FreeBlocks().Malloc(64, "claim"))) with
        {
            Setup = actors => actors[0].Malloc(128, "old").Malloc(128, "new").Link("old"),
            Mortal = [0, 1],
            Shape = Catalogue.Shape with { CommittedBlocks = 4, MaximumBlocks = 4, StorageBlocks = 4 },
        },

        MakeTight("two threads of one participant free and sweep", 2,
            new(0, actor => actor.Free("held")),
            new(0, actor => actor.Sweep(0).Malloc(40, "b")),
            new(1, actor => actor.Malloc(40, "c"))) with
        {
            Setup = actors => actors[0].Malloc(1, "seed").Malloc(40, "held"),
        },
    ];

    private static SimulatedProgram MakeTight(string name, int joined, params ProgramThread[] threads) =>
        Make(name, joined, threads) with { Shape = Catalogue.Tight };

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
