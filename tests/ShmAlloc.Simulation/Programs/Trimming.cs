using ShmAlloc.Simulation.Machine;

namespace ShmAlloc.Simulation.Programs;

/// <summary>Programs around blocks that give their storage back, and get it again. Of three blocks the first one is promised, and taken by a run.</summary>
internal static class Trimming
{
    private const int Block = 64;
    private const int Crossing = 40;

    /// <summary>Two blocks. A power of two would be aligned to itself.</summary>
    private const int Run = (2 * Block) - 4;

    private static readonly WorldShape Shape =
        Catalogue.Shape with { InitialBlocks = 1, CommittedBlocks = 3, MaximumBlocks = 3, StorageBlocks = 3, HasRoom = true };

    /// <summary>Where more is wanted than there is.</summary>
    private static readonly WorldShape Scarce = Shape with { HasRoom = false };

    /// <summary>A heap that can grow.</summary>
    private static readonly WorldShape Growing = Shape with { MaximumBlocks = 4, StorageBlocks = 4 };

    /// <summary>A file system that is one block short when all are wanted.</summary>
    private static readonly WorldShape Short = Scarce with { StorageBlocks = 2 };

    /// <summary>Four blocks, of which a run of three would take one more than there is.</summary>
    private static readonly WorldShape ShortOfFour = Scarce with { CommittedBlocks = 4, MaximumBlocks = 4, StorageBlocks = 3 };

    internal static IEnumerable<SimulatedProgram> All =>
    [
        Make("free blocks are given back beside a malloc", 2,
            new(0, actor => actor.Trim()),
            new(1, actor => actor.Malloc(Crossing, "a").Free("a"))),

        Make("free blocks are given back beside a run", 2,
            new(0, actor => actor.Trim()),
            new(1, actor => actor.Malloc(Run, "run").Free("run"))),

        Make("all blocks are free, and the first one keeps its storage", 2,
            new(0, actor => actor.Free("full").Trim()),
            new(1, actor => actor.Malloc(4, "a").Free("a").Trim())),

        Make("free blocks are given back by two, and wanted", 3,
            new(0, actor => actor.Trim()),
            new(1, actor => actor.Trim()),
            new(2, actor => actor.Malloc(Crossing, "a"))),

        Make("free blocks are given back while the heap grows", 2,
            new(0, actor => actor.Trim()),
            new(1, actor => actor.Grow().Malloc(3 * Block, "run"))) with { Shape = Growing },

        Make("a death while storage is given back", 3,
            new(0, actor => actor.Trim()),
            new(1, actor => actor.Recover().Malloc(Run, "run")),
            new(2, actor => actor.Recover().Malloc(4, "a"))) with { Shape = Scarce, Mortal = [0, 1] },

        MakeBare("bare blocks are filled by two", 2,
            new(0, actor => actor.Malloc(Crossing, "a")),
            new(1, actor => actor.Malloc(Crossing, "b"))),

        MakeBare("two bare blocks are filled, and wanted by three", 3,
            new(0, actor => actor.Malloc(4, "a")),
            new(1, actor => actor.Malloc(4, "b")),
            new(2, actor => actor.Malloc(4, "c"))),

        MakeBare("bare blocks are filled for a run and for less", 2,
            new(0, actor => actor.Malloc(Run, "run")),
            new(1, actor => actor.Malloc(4, "a"))) with { Shape = Scarce },

        MakeBare("a bare block is filled by two, and given back again", 3,
            new(0, actor => actor.Malloc(Block, "a")),
            new(1, actor => actor.Malloc(Block, "b").Free("b").Trim()),
            new(2, actor => actor.Trim())),

        MakeBare("a death while bare blocks are filled", 3,
            new(0, actor => actor.Malloc(Crossing, "a")),
            new(1, actor => actor.Recover().Malloc(Run, "run")),
            new(2, actor => actor.Recover().Malloc(4, "b"))) with { Shape = Scarce, Mortal = [0, 1] },

        MakeBare("a death while bare blocks are filled for a run", 3,
            new(0, actor => actor.Malloc(Run, "run")),
            new(1, actor => actor.Recover().Malloc(Crossing, "a")),
            new(2, actor => actor.Recover())) with { Shape = Scarce, Mortal = [0, 1] },

        MakeBare("a run goes on from bare blocks into what the heap grows by", 2,
            new(0, actor => actor.Malloc(3 * Block, "run")),
            new(1, actor => actor.Malloc(4, "a"))) with { Shape = Growing with { HasRoom = false } },

        MakeBare("the file system has room for one of two bare blocks", 2,
            new(0, actor => actor.Malloc(Run, "run").Malloc(Block, "a")),
            new(1, actor => actor.Malloc(4, "b"))) with { Shape = Short, Mortal = [0, 1] },

        // F2: the first bare block is filled, and the second one is refused.
        MakeSplit("a run over two bare blocks is refused, and takes nothing",
            new(0, actor => actor.MallocInVain(3 * Block)),
            new(1, actor => actor.Recover()),
            new(2, actor => actor.Recover())),

        MakeSplit("a run over two bare blocks is refused beside a malloc",
            new(0, actor => actor.Malloc(3 * Block, "run")),
            new(1, actor => actor.Recover().Malloc(4, "a")),
            new(2, actor => actor.Recover())),

        Make("the file system makes no holes", 2,
            new(0, actor => actor.Trim()),
            new(1, actor => actor.Malloc(Crossing, "a"))) with { Shape = Shape with { MakesHoles = false } },

        MakeBare("a bare block is looked at, and freed by mistake", 2,
            new(0, actor => actor.Verify().Look("none")),
            new(1, actor => actor.Malloc(4, "a").Free("a").Trim())),

        Make("a round marks what is free beside a malloc", 2,
            new(0, actor => actor.TrimRound(1).TrimRound(2)),
            new(1, actor => actor.Malloc(Crossing, "a").Free("a").Malloc(Run, "run"))),

        Make("what is marked is wanted when it is given back", 3,
            new(0, actor => actor.TrimRound(2)),
            new(1, actor => actor.Malloc(Crossing, "a")),
            new(2, actor => actor.TrimRound(2).Malloc(Run, "run"))) with
        {
            Shape = Scarce,
            Setup = actors => Fill(actors).TrimRound(1),
        },

        Make("a round closes an empty block beside a malloc", 2,
            new(0, actor => actor.TrimRound(1).TrimRound(2).TrimRound(3)),
            new(1, actor => actor.Malloc(4, "a"))) with
        {
            Setup = actors => Fill(actors).Malloc(4, "small").Free("small"),
        },

        Make("a death in a step of a round", 2,
            new(0, actor => actor.TrimRound(1).TrimRound(2)),
            new(1, actor => actor.Recover().Malloc(Run, "run"))) with { Mortal = [0, 1] },

        // On tmpfs it takes room to read a hole.
        Make("cache: what is read late has been freed, and is not given back", 2,
            new(0, actor => actor.Cache.Get(CacheKeys.A)),
            new(1, actor => actor.Cache.Remove(CacheKeys.A).Heap.Trim())) with
        {
            Shape = CacheCatalogue.Shape with { InitialBlocks = 1 },
            Setup = actors => actors[1].Cache.Make().HaveStamps().Set(CacheKeys.A, 9),
        },
    ];

    private static Actor Fill(Actor[] actors) => actors[0].Malloc(Block, "full");

    /// <summary>Two bare blocks, a free one between them, and storage for one of the two.</summary>
    private static SimulatedProgram MakeSplit(string name, params ProgramThread[] threads) => Make(name, 3, threads) with
    {
        Shape = ShortOfFour,
        Setup = actors => Fill(actors).Malloc(Block, "first").Malloc(Block, "between").Malloc(Block, "second")
            .Free("first").Free("second").Trim().Free("between"),
        Mortal = [0, 1],
    };

    private static SimulatedProgram MakeBare(string name, int joined, params ProgramThread[] threads) =>
        Make(name, joined, threads) with { Setup = actors => Fill(actors).Trim() };

    private static SimulatedProgram Make(string name, int joined, params ProgramThread[] threads) => new()
    {
        Name = name,
        Shape = Shape,
        Joined = joined,
        Setup = actors => Fill(actors),
        Threads = threads,
        Mortal = [0],
    };
}
