using ShmAlloc.Simulation.Machine;

namespace ShmAlloc.Simulation.Programs;

/// <summary>The programs that are explored.</summary>
internal static class Catalogue
{
    internal static readonly WorldShape Shape = new() { CommittedBlocks = 6, MaximumBlocks = 7, StorageBlocks = 7, Participants = 5, Slots = 5 };

    /// <summary>One block: whoever wants room wants the same room.</summary>
    internal static readonly WorldShape Tight = Shape with { CommittedBlocks = 1, MaximumBlocks = 1, StorageBlocks = 1 };

    /// <summary>Every pair of operations, of two participants.</summary>
    internal static IEnumerable<SimulatedProgram> Pairs =>
        from first in Operations.All.Index()
        from second in Operations.All.Index()
        where first.Index <= second.Index
        select Make($"{first.Item.Name} | {second.Item.Name}", (0, first.Item), (1, second.Item));

    /// <summary>Every pair of operations, of two threads of one participant beside a second one that allocates.</summary>
    internal static IEnumerable<SimulatedProgram> ThreadPairs =>
        from first in Operations.All.Index()
        from second in Operations.All.Index()
        where first.Index <= second.Index && !first.Item.BeginsOutside && !second.Item.BeginsOutside
        select Make($"{first.Item.Name} + {second.Item.Name} | malloc", (0, first.Item), (0, second.Item), (1, Operations.MallocWord));

    /// <summary>Every operation, which dies somewhere, beside somebody who recovers and may die as well.</summary>
    internal static IEnumerable<SimulatedProgram> Deaths =>
        from operation in Operations.All
        select Make($"{operation.Name} dies | recover", (0, operation), (1, Operations.Recover), (2, Operations.FreeBlocks)) with { Mortal = [0, 1, 2] };

    /// <summary>Four actors around cells and sweeping, all in one block.</summary>
    internal static IEnumerable<SimulatedProgram> Fours
    {
        get
        {
            (string Name, Action<Actor, int> Body)[] parts =
            [
                ("claim", (actor, n) => actor.Malloc(40, $"m{n}")),
                ("claim, abandon", (actor, n) => actor.Reserve(40, $"r{n}").Abandon($"r{n}")),
                ("claim, publish", (actor, n) => actor.Reserve(40, $"r{n}").Publish($"r{n}")),
                ("free", (actor, _) => actor.Free("held")),
                ("claim, free", (actor, n) => actor.Malloc(40, $"m{n}").Free($"m{n}")),
                ("claim in one word", (actor, n) => actor.Reserve(8, $"r{n}").Publish($"r{n}")),
            ];
            return from held in (int[])[0, 1]
                   from first in parts.Index()
                   from second in parts.Index()
                   where first.Index <= second.Index
                   select new SimulatedProgram
                   {
                       Name = $"{first.Item.Name} | {second.Item.Name} | sweep | sweep{(held == 0 ? "" : ", held")}",
                       Shape = Tight,
                       Joined = 4,
                       Setup = actors =>
                       {
                           actors[0].Malloc(1, "seed");
                           if (held != 0)
                           {
                               actors[0].Malloc(40, "held");
                           }
                       },
                       Threads =
                       [
                           new(0, actor => first.Item.Body(actor, 0)),
                           new(1, actor => second.Item.Body(actor, 1)),
                           new(2, actor => actor.Sweep(0)),
                           new(3, actor => actor.Sweep(0)),
                       ],
                       Mortal = [0, 1, 2],
                   };
        }
    }

    internal static IReadOnlyDictionary<string, IEnumerable<SimulatedProgram>> Sets { get; } = new Dictionary<string, IEnumerable<SimulatedProgram>>
    {
        ["deaths"] = Deaths,
        ["pairs"] = Pairs,
        ["threads"] = ThreadPairs,
        ["fours"] = Fours,
        ["targeted"] = Targeted.All,
        ["bare"] = Trimming.All,
        ["cache"] = CacheCatalogue.Pairs,
        ["cachethreads"] = CacheCatalogue.Threads,
        ["cachegrown"] = CacheCatalogue.Grown,
        ["cacheblind"] = CacheBlind.All,
        ["cachedeaths"] = CacheCatalogue.Deaths,
        ["cachefours"] = CacheFours.All,
        ["cachetargeted"] = [.. CacheTargeted.All, .. CacheMarking.All, .. CacheTouching.All, .. CacheRemovingAll.All, .. CacheRestarting.All],
        ["cacheflights"] = CacheFlights.All,
    };

    internal static IEnumerable<SimulatedProgram> All => Sets.Values.SelectMany(programs => programs);

    private static SimulatedProgram Make(string name, params (int Participant, Operation Operation)[] parts) => new()
    {
        Name = name,
        Shape = Shape with { HasRoom = true },
        Joined = parts.Any(part => part.Operation.BeginsOutside) ? parts.Where(part => !part.Operation.BeginsOutside).Select(part => part.Participant).DefaultIfEmpty(-1).Min() + 1 : 4,
        Setup = actors =>
        {
            actors[0].Malloc(1, "seed");
            foreach ((int index, (int participant, Operation operation)) in parts.Index())
            {
                operation.Prepare?.Invoke(actors[participant], index);
            }
        },
        Threads = [.. parts.Index().Select(part => new ProgramThread(part.Item.Participant, actor => part.Item.Operation.Body(actor, part.Index)))],
        Mortal = [0],
    };
}
