using ShmAlloc.Simulation.Machine;
using static ShmAlloc.Simulation.Programs.CacheKeys;

namespace ShmAlloc.Simulation.Programs;

/// <summary>
/// Items for which there is no room before something goes. Where there is enough that may go, at any time, nobody is told that there is no room; what others
/// are making or leasing just then may be in the way of what takes most of the heap.
/// </summary>
internal static class CacheMakingRoom
{
    private const int Values = 13;

    private static readonly WorldShape MayLack = CacheCatalogue.Spacious with { HasRoom = false };

    internal static IEnumerable<SimulatedProgram> All =>
    [
        MakeFull("room is made in a full heap",
            _ => { },
            new(0, actor => actor.Cache.Set(A, 0, words: 30).Set(B, 0, words: 24)),
            new(1, actor => actor.Cache.Set(A, 1, words: 30).Get(A)),
            new(2, actor => actor.Cache.Get(A).Get(Others))),

        MakeFull("room is made in a heap full of what is used",
            cache => ForEach(key => cache.Get(key)),
            new(0, actor => actor.Cache.Set(A, 0, words: 50)),
            new(1, actor => actor.Cache.Get(Others).Set(A, 1, words: 30)),
            new(2, actor => actor.Cache.Get(A).Get(Others))),

        // Before the answer is that there is no room, that goes, too, on which somebody works.
        CacheTargeted.Make("room is made in a heap full of what is worked on", false,
            new(0, actor => actor.Cache.Set(A, 0, words: 30).Get(A)),
            new(1, actor => actor.Cache.Set(B, 1, words: 24))) with
        {
            Shape = CacheCatalogue.Spacious,
            Setup = actors =>
            {
                // Three in each of four blocks: another one, and the first of them would go.
                CacheActor cache = CacheTargeted.Prepare(actors);
                ForEach(key => _ = key == Others ? cache : cache.SetWorked(key, 9, words: 30));
                ForEach(key => _ = key == Others ? cache : cache.Hang(key, refreshes: true));
            },
        },

        // Each block has some of it. Who has filled the heap knows that it does not grow, and so does not look for garbage everywhere before it drops values.
        MakeFull("room for what needs several blocks is made of garbage",
            cache => ForEach(key => _ = key % 2 == 0 ? cache.Remove(key) : cache),
            new(2, actor => actor.Cache.Set(A, 0, words: 150).Get(A)),
            new(1, actor => actor.Cache.Get(Others).Get(A))),

        MakeFull("blocks are emptied for an item that needs several",
            _ => { },
            new(0, actor => actor.Cache.Set(A, 0, words: 150).Get(A)),
            new(1, actor => actor.Cache.Set(A, 1, words: 150)),
            new(2, actor => actor.Cache.Get(A).Get(Others))) with
        {
            Shape = MayLack,
        },

        MakeFull("blocks are emptied for items that need several, beside leases",
            _ => { },
            new(0, actor => actor.Cache.Set(A, 0, words: 150).Set(A, 3, words: 150).Set(A, 6, words: 150)),
            new(1, actor => actor.Cache.Lease(Others).Lease(A)),
            new(2, actor => actor.Cache.Get(A))) with
        {
            Shape = MayLack,
        },

        CacheTargeted.Make("several blocks are leased that nothing leads to any more, and others are wanted", false,
            new(0, actor => actor.Cache.SetWhileLeased(A, [B, C, Others], 0, words: 100)),
            new(1, actor => actor.Cache.Get(A).Get(B))) with
        {
            Shape = MayLack,
            Setup = actors => CacheTargeted.Prepare(actors).Set(A, 9, words: 100),
        },

        CacheTargeted.Make("all entries of a key lead to what is worked on", false,
            new(0, actor => actor.Cache.Set(A, 0).Get(A)),
            new(1, actor => actor.Cache.Set(B, 1))) with
        {
            Setup = actors =>
            {
                CacheActor cache = CacheTargeted.Prepare(actors);
                ForEach(key => cache.Hang(key));
                cache.Hang(Others + Values);
            },
        },
    ];

    private static void ForEach(Action<int> act)
    {
        for (int key = Others; key < Others + Values; key++)
        {
            act(key);
        }
    }

    /// <summary>All blocks are full of items, and what is noted of their sweeping is nonsense.</summary>
    private static SimulatedProgram MakeFull(string name, Action<CacheActor> prepare, params ProgramThread[] threads) =>
        CacheTargeted.Make(name, false, threads) with
        {
            Shape = CacheCatalogue.Spacious,
            Setup = actors =>
            {
                CacheActor cache = CacheTargeted.Prepare(actors);
                ForEach(key => cache.Set(key, 9, words: 30));
                prepare(cache);
                cache.LoseSweeps();
            },
        };
}
