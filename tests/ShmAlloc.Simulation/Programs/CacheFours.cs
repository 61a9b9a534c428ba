using static ShmAlloc.Simulation.Programs.CacheKeys;

namespace ShmAlloc.Simulation.Programs;

/// <summary>Four actors around one key: two that change it, one that reads or drops, and one that sweeps or reads.</summary>
internal static class CacheFours
{
    internal static IEnumerable<SimulatedProgram> All
    {
        get
        {
            CacheOperation[] changes = [CacheOperations.Set, CacheOperations.Add, CacheOperations.Remove, CacheOperations.Land];
            CacheOperation[] others = [CacheOperations.Get, CacheOperations.Lease, CacheOperations.Evict];
            return from first in changes.Index()
                   from second in changes.Index()
                   where first.Index <= second.Index
                   from third in others
                   from last in (string[])["sweep", "get"]
                   select new SimulatedProgram
                   {
                       Name = $"cache: {first.Item.Name} | {second.Item.Name} | {third.Name} | {last}",
                       Shape = CacheCatalogue.Wide with { IsMap = !third.Drops },
                       Joined = 4,
                       Setup = actors =>
                       {
                           CacheCatalogue.Prepare(actors);
                           actors[3].Cache.Set(Others + 1, 9).Set(A, 9);
                       },
                       Threads =
                       [
                           new(0, actor => first.Item.Body(actor.Cache, 0)),
                           new(1, actor => second.Item.Body(actor.Cache.Remove(Others + 1), 1)),
                           new(2, actor => third.Body(actor.Cache, 2)),
                           new(3, actor => _ = last == "get" ? actor.Cache.Get(A).Heap : actor.Sweep(2)),
                       ],
                       Mortal = [0, 1, 2],
                   };
        }
    }
}
