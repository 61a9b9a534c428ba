using ShmAlloc.Simulation.Machine;
using static ShmAlloc.Simulation.Programs.CacheKeys;

namespace ShmAlloc.Simulation.Programs;

/// <summary>
/// Programs with a participant that cannot find out how large the heap is, when somebody else has made it larger. It may refuse; it takes nothing for
/// missing, and gives no key a second value.
/// </summary>
internal static class CacheBlind
{
    private static readonly WorldShape Shape =
        CacheCatalogue.Roomy with { MaximumBlocks = CacheCatalogue.Roomy.MaximumBlocks + 1, StorageBlocks = CacheCatalogue.Roomy.MaximumBlocks + 1, Blind = 0 };

    internal static IEnumerable<SimulatedProgram> All =>
    [
        .. Pairs,

        Make("cache: a recount, blind, grown", Shape,
            actors =>
            {
                CacheCatalogue.Prepare(actors);
                actors[2].Grow().Cache.Set(A, 9).Set(B, 9).OrderRecount();
            },
            new(0, actor => actor.Cache.Recount()),
            new(1, actor => actor.Cache.Get(A))),

        Make("cache: recovery, blind, grown", Shape,
            actors =>
            {
                CacheCatalogue.Prepare(actors);
                actors[1].BeDead();
                actors[2].Grow();
            },
            new(0, actor => actor.Recover()),
            new(2, actor => actor.Recover())),

        Make("cache: the table begins where one does not see, blind, grown", Shape with { MaximumBlocks = 6, StorageBlocks = 6 },
            actors =>
            {
                actors[0].Malloc(Shape.CommittedBlocks * Block, "run");
                actors[2].Grow(2).Cache.Make();
            },
            new ProgramThread(0, actor => actor.Cache.SeekInVain())),

        Make("cache: the table ends where one does not see, blind, grown", CacheCatalogue.Wide with { CommittedBlocks = 1, Blind = 0 },
            actors => actors[2].Grow(2).Cache.Make(),
            new ProgramThread(0, actor => actor.Cache.SeekInVain())),
    ];

    private const int Block = 64;

    /// <summary>Every operation beside one of somebody who sees all of the heap, where the values are.</summary>
    private static IEnumerable<SimulatedProgram> Pairs =>
        from other in (CacheOperation[])[CacheOperations.Get, CacheOperations.Set, CacheOperations.Remove]
        from operation in CacheOperations.All
        let pair = CacheCatalogue.Make($"cache: {operation.Name}, blind | {other.Name}, grown", true, operation, other)
        let blocks = pair.Shape.MaximumBlocks + 1
        select pair with
        {
            Shape = pair.Shape with { MaximumBlocks = blocks, StorageBlocks = blocks, Blind = 0 },
            Setup = actors =>
            {
                CacheCatalogue.Prepare(actors);
                actors[2].Grow().Cache.Set(A, 9).Set(B, 9);
            },
        };

    private static SimulatedProgram Make(string name, WorldShape shape, Action<Actor[]> setup, params ProgramThread[] threads) => new()
    {
        Name = name,
        Shape = shape,
        Joined = 3,
        Setup = setup,
        Threads = threads,
        Mortal = [0],
    };
}
