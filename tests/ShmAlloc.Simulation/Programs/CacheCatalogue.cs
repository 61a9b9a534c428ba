using ShmAlloc.Simulation.Machine;
using static ShmAlloc.Simulation.Programs.CacheKeys;

namespace ShmAlloc.Simulation.Programs;

/// <summary>The programs with a cache. Its table takes one block, and all items lie in the other.</summary>
internal static class CacheCatalogue
{
    internal static readonly WorldShape Shape = new()
    {
        CommittedBlocks = 2,
        MaximumBlocks = 2,
        StorageBlocks = 2,
        Participants = 4,
        Slots = 4,
        ShardsOfParticipant = 1,
        HasUserArea = true,
        HasRoom = true,
    };

    /// <summary>With another block for items, so that nothing is evicted because somebody is at the first one.</summary>
    internal static readonly WorldShape Roomy = Shape with { CommittedBlocks = 3, MaximumBlocks = 3, StorageBlocks = 3, IsMap = true };

    /// <summary>One more participant needs a larger table.</summary>
    internal static readonly WorldShape Wide = Shape with { CommittedBlocks = 4, MaximumBlocks = 4, StorageBlocks = 4, Participants = 5, Slots = 5 };

    /// <summary>With so many blocks that the order of sweeping is kept: two are the table's, and four are for items.</summary>
    internal static readonly WorldShape Spacious = Shape with { CommittedBlocks = 6, MaximumBlocks = 6, StorageBlocks = 6 };

    /// <summary>Every pair of operations of two participants, with and without a value to begin with.</summary>
    internal static IEnumerable<SimulatedProgram> Pairs =>
        from isThere in (bool[])[false, true]
        from first in CacheOperations.All.Index()
        from second in CacheOperations.All.Index()
        where first.Index <= second.Index
        select Make($"cache: {first.Item.Name} | {second.Item.Name}{(isThere ? ", present" : "")}", isThere, first.Item, second.Item);

    /// <summary>Every pair of operations of two threads of one participant, which dies with both, beside somebody who reads the key.</summary>
    internal static IEnumerable<SimulatedProgram> Threads =>
        from isThere in (bool[])[false, true]
        from first in CacheOperations.All.Index()
        from second in CacheOperations.All.Index()
        where first.Index <= second.Index
        let pair = Make($"cache threads: {first.Item.Name} + {second.Item.Name} | get{(isThere ? ", present" : "")}", isThere, first.Item, second.Item)
        select pair with
        {
            // A cell less, and one of the two would be refused.
            Shape = pair.Shape with { Cells = 6, OperationCells = 4, ShardsOfParticipant = 2 },
            Threads = [.. pair.Threads.Select(thread => thread with { Participant = 0 }), new(1, actor => actor.Cache.Get(CacheKeys.A))],
        };

    /// <summary>
    /// The same, when somebody else has made the heap larger and put the values there: those that run do not know yet that these blocks exist.
    /// </summary>
    internal static IEnumerable<SimulatedProgram> Grown =>
        from program in Threads
        where program.Name.EndsWith(", present", StringComparison.Ordinal)
        let blocks = program.Shape.MaximumBlocks + 1
        select program with
        {
            Name = program.Name.Replace("present", "grown", StringComparison.Ordinal),
            Shape = program.Shape with { MaximumBlocks = blocks, StorageBlocks = blocks },
            Setup = actors =>
            {
                Prepare(actors);
                actors[2].Grow().Cache.Set(A, 9).Set(B, 9);
            },
        };

    /// <summary>Every operation, which dies somewhere, beside somebody who recovers and may die as well.</summary>
    internal static IEnumerable<SimulatedProgram> Deaths =>
        from isThere in (bool[])[false, true]
        from operation in CacheOperations.All
        let pair = Make($"cache: {operation.Name} dies | recover{(isThere ? ", present" : "")}", isThere, operation)
        select pair with
        {
            Threads = [.. pair.Threads, new(1, actor => actor.Recover())],
            Mortal = [0, 1],
        };

    internal static SimulatedProgram Make(string name, bool isThere, params CacheOperation[] operations) => new()
    {
        Name = name,
        Shape = operations.Any(operation => operation.Drops) ? Shape : Roomy,
        Joined = 3,
        Setup = actors =>
        {
            Prepare(actors);
            if (isThere)
            {
                actors[2].Cache.Set(A, 9).Set(B, 9);
            }
        },
        Threads = [.. operations.Select((operation, index) => new ProgramThread(index, actor => operation.Body(actor.Cache, index)))],
        Mortal = [0],
    };

    /// <summary>Makes the table and opens the block for items; each participant has made items before.</summary>
    internal static void Prepare(Actor[] actors)
    {
        actors[0].Cache.Make();
        actors[0].Malloc(1, "seed");
        foreach (Actor actor in actors)
        {
            actor.Cache.HaveStamps();
        }
    }
}
