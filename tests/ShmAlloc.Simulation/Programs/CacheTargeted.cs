using static ShmAlloc.Simulation.Programs.CacheKeys;

namespace ShmAlloc.Simulation.Programs;

/// <summary>Cache programs that begin a few steps away from what is known to break a careless protocol.</summary>
internal static class CacheTargeted
{
    /// <summary>In the first bucket of key A: it keeps the first entry from those who look for an empty one.</summary>
    internal const int Stopper = Others + 1;

    internal static IEnumerable<SimulatedProgram> All =>
    [
        // Two find no entry of the key, and link into different ones, because one becomes empty in between.
        Make("two set, into two entries", true,
            new(0, actor => actor.Cache.Set(A, 0)),
            new(1, actor => actor.Cache.Remove(Stopper).Set(A, 1))),

        Make("two add, into two entries", true,
            new(0, actor => actor.Cache.Add(A, 0)),
            new(1, actor => actor.Cache.Remove(Stopper).Add(A, 1))),

        Make("one sets and one adds, into two entries", true,
            new(0, actor => actor.Cache.Set(A, 0)),
            new(1, actor => actor.Cache.Remove(Stopper).Add(A, 1))),

        Make("one adds and one sets, into two entries", true,
            new(0, actor => actor.Cache.Add(A, 0)),
            new(1, actor => actor.Cache.Remove(Stopper).Set(A, 1))),

        Make("two set, into two entries, and one gets", true,
            new(0, actor => actor.Cache.Set(A, 0)),
            new(1, actor => actor.Cache.Remove(Stopper).Set(A, 1)),
            new(2, actor => actor.Cache.Get(A).Get(A))),

        Make("two set, into two entries, and one removes", true,
            new(0, actor => actor.Cache.Set(A, 0)),
            new(1, actor => actor.Cache.Remove(Stopper).Set(A, 1)),
            new(2, actor => actor.Cache.Remove(A).Get(A).Remove(A).Get(A))),

        Make("one sets and one adds, into two entries, and one removes", true,
            new(0, actor => actor.Cache.Set(A, 0)),
            new(1, actor => actor.Cache.Remove(Stopper).Add(A, 1)),
            new(2, actor => actor.Cache.Remove(A).Get(A))),

        Make("one adds and one sets, into two entries, and one gets", true,
            new(0, actor => actor.Cache.Add(A, 0)),
            new(1, actor => actor.Cache.Remove(Stopper).Set(A, 1)),
            new(2, actor => actor.Cache.Get(A).Get(A))),

        Make("one adds and one sets, into two entries, and one gets slowly", true,
            new(0, actor => actor.Cache.Add(A, 0)),
            new(1, actor => actor.Cache.Remove(Stopper).Set(A, 1)),
            new(2, actor => actor.Cache.GetSlowly(A).GetSlowly(A))),

        Make("two add, into two entries, and one leases", true,
            new(0, actor => actor.Cache.Add(A, 0)),
            new(1, actor => actor.Cache.Remove(Stopper).Add(A, 1)),
            new(2, actor => actor.Cache.Lease(A))),

        // Another's item lies where it was given up, and is published but not linked yet, when the one that gave up is recovered (F70).
        Make("an item is given up, dies, and its room is used for another", false,
            new(0, actor => actor.Cache.Abandon(B)),
            new(1, actor => actor.Cache.Set(A, 1)),
            new(2, actor => actor.Cache.Heap.Recover())) with
        {
            Mortal = [0],
        },

        // A claim of who held the slot's lock and died is neither the next holder's, nor another's, but by a step of its own.
        Make("who was about to take a dead one's slot died, and two go on", false,
            new(1, actor => actor.Recover().Sweep(1).Cache.Set(A, 1)),
            new(2, actor => actor.Attach())) with
        {
            Joined = 2,
            Shape = CacheCatalogue.Shape with { Slots = 2 },
            Setup = actors =>
            {
                Prepare(actors);
                actors[0].Cache.LeaveUnlinked(B).Heap.BeDead(isClaimed: true);
            },
            Mortal = [1],
        },

        // Whoever clears the entry of an item that its maker takes out again, and dies: the item is still its maker's.
        Make("one has lost a contest, and one that clears dies", true,
            new(0, actor => actor.Cache.GoOnAfterContest(A)),
            new(1, actor => actor.Cache.Clear(1, 0)),
            new(2, actor => actor.Recover())) with
        {
            Setup = actors =>
            {
                Prepare(actors).Set(A, 9);
                actors[0].Cache.BeginContest(A, 0, bucket: 1, index: 0);
            },
            Mortal = [1],
        },

        // Its item is nobody's value before it is out of the index: it would be seen, and vanish.
        Make("one has lost a contest, another removes and gets", true,
            new(0, actor => actor.Cache.GoOnAfterContest(A)),
            new(1, actor => actor.Cache.Remove(A).Get(A).Get(A))) with
        {
            Setup = actors =>
            {
                Prepare(actors).Set(A, 9);
                actors[0].Cache.BeginContest(A, 0, bucket: 1, index: 0);
            },
        },

        .. Reads("what is read is", actor => actor.Cache.Get(A)),
        .. Reads("what is read slowly is", actor => actor.Cache.GetSlowly(A)),
        .. Reads("what is read and held is", actor => actor.Cache.GetHeld(A)),
        Make("what is verified is replaced, swept and used for another key", true,
            new(0, actor => actor.Verify()),
            new(1, actor => actor.Cache.Set(A, 1, words: 2)),
            new(2, actor => actor.Sweep(1).Cache.Set(B, 2, words: 2))) with
        {
            Setup = actors => Prepare(actors).Set(A, 9, words: 2),
        },

        Make("two set, into two entries, and one verifies", true,
            new(0, actor => actor.Cache.Set(A, 0)),
            new(1, actor => actor.Cache.Remove(Stopper).Set(A, 1)),
            new(2, actor => actor.Verify())),

        // The value lies in a block that this process does not know yet; while one thread looks whether it exists, the other one finds out.
        Make("two threads find out at once that the heap has grown", true,
            new(0, actor => actor.Cache.Remove(A)),
            new(0, actor => actor.Cache.Get(A))) with
        {
            Shape = CacheCatalogue.Roomy with { MaximumBlocks = 4, StorageBlocks = 4, Cells = 6, OperationCells = 4, ShardsOfParticipant = 2 },
            Setup = actors => Prepare(actors).Heap.Grow().Cache.Set(A, 9),
            Mortal = [],
        },

        Make("what is leased is replaced, swept and used for another key", true,
            new(0, actor => actor.Cache.Lease(A)),
            new(1, actor => actor.Cache.Set(A, 1)),
            new(2, actor => actor.Sweep(1).Cache.Set(B, 2))) with
        {
            Setup = actors => Prepare(actors).Set(A, 9),
        },

        Make("what is leased is evicted and allocated", false,
            new(0, actor => actor.Cache.Lease(A)),
            new(1, actor => actor.Cache.Evict()),
            new(2, actor => actor.Malloc(3, "raw"))) with
        {
            Setup = actors => Prepare(actors).Set(A, 9),
        },

        Make("what two leased is replaced and swept by two", true,
            new(0, actor => actor.Cache.Lease(A)),
            new(1, actor => actor.Cache.Set(A, 1).Heap.Sweep(1).Cache.Set(B, 1)),
            new(2, actor => actor.Sweep(1).Malloc(3, "raw"))) with
        {
            Setup = actors => Prepare(actors).Set(A, 9),
        },

        // All 14 entries are taken.
        Make("a set makes room, and its victim is replaced", false,
            new(0, actor => actor.Cache.Set(A, 0)),
            new(1, actor => actor.Cache.Set(Stopper, 1).Get(Stopper)),
            new(2, actor => actor.Cache.Get(A).Get(A))) with
        {
            Setup = Fill,
        },

        Make("two sets make room", false,
            new(0, actor => actor.Cache.Set(A, 0)),
            new(1, actor => actor.Cache.Set(A, 1))) with
        {
            Setup = Fill,
        },

        Make("a value expires", false,
            new(0, actor => actor.Cache.Get(A).Get(A)),
            new(1, actor => actor.Cache.Tick().Get(A)),
            new(2, actor => actor.Cache.Add(A, 2))) with
        {
            Setup = actors => Prepare(actors).Set(A, 9, deadline: CacheActor.Deadline),
        },

        Make("a value that expires is evicted", false,
            new(0, actor => actor.Cache.Tick().Evict(ruthless: false)),
            new(1, actor => actor.Cache.Set(A, 1, deadline: CacheActor.Deadline).Get(A)),
            new(2, actor => actor.Cache.Refresh(A).Get(A))) with
        {
            Setup = actors => Prepare(actors).Set(A, 9, deadline: CacheActor.Deadline, window: 2000),
        },

        Make("one removes what it has seen, another sets", false,
            new(0, actor => actor.Cache.RemoveSeen(A)),
            new(1, actor => actor.Cache.Set(A, 1).Get(A)),
            new(2, actor => actor.Cache.Get(A))) with
        {
            Setup = actors => Prepare(actors).Set(A, 9),
        },

        // Whoever is halted after it has looked at the first value must not say that the key had none: it had one at every moment.
        .. InTime("what is read is", actor => actor.Cache.Get(A)),
        .. InTime("what is read slowly is", actor => actor.Cache.GetSlowly(A)),
        .. InTime("what is read and held is", actor => actor.Cache.GetHeld(A)),
        .. InTime("what is leased is", actor => actor.Cache.Lease(A)),
        .. InTime("what is to be replaced is", actor => actor.Cache.Replace(A, 2)),

        // What is set with a tag that is removed meanwhile is gone at once, with what was there before it.
        Make("a tag is removed", false,
            new(0, actor => actor.Cache.RemoveTag().Get(A)),
            new(1, actor => actor.Cache.Set(A, 1, tagged: true).Get(A)),
            new(2, actor => actor.Cache.Add(A, 2))) with
        {
            Setup = actors => Prepare(actors).Set(A, 9, tagged: true),
        },

        Make("a cache is made by two", true,
            new(0, actor => actor.Cache.Make()),
            new(1, actor => actor.Cache.Make().Set(A, 1).Get(A)),
            new(2, actor => actor.Recover())) with
        {
            // Room for two tables: who finds none while the other one's is there would have no cache. An actor that finds none drops values for it.
            Shape = CacheCatalogue.Spacious,
            Setup = actors => actors[2].Malloc(1, "seed"),
        },

        Make("a value that is used lives on", false,
            new(0, actor => actor.Cache.Set(A, 0, deadline: 1500, window: 2000).Refresh(A)),
            new(1, actor => actor.Cache.Refresh(A).Get(A)),
            new(2, actor => actor.Cache.Refresh(A).Remove(A))) with
        {
            Setup = actors => Prepare(actors).Set(A, 9, deadline: 1500, window: 2000),
        },

        Make("a block becomes empty by evictions", false,
            new(0, actor => actor.Cache.Evict()),
            new(1, actor => actor.Cache.EmptyBlock(1).Set(A, 1)),
            new(2, actor => actor.Cache.Get(A))) with
        {
            Setup = actors =>
            {
                Prepare(actors).Set(A, 9);
                actors[0].Free("seed");
            },
        },

        Make("the first items of two participants", true,
            new(0, actor => actor.Cache.Set(A, 0)),
            new(1, actor => actor.Cache.Set(A, 1).Get(A))) with
        {
            Setup = actors =>
            {
                actors[0].Cache.Make();
                actors[0].Malloc(1, "seed");
            },
        },

        Make("a cache with a limit", false,
            new(0, actor => actor.Cache.Set(B, 0).Recount()),
            new(1, actor => actor.Cache.Set(A, 1).Flush()),
            new(2, actor => actor.Recover().Cache.Get(A).ReadEntry(0, 0))) with
        {
            Setup = actors =>
            {
                actors[0].Cache.Make(limit: 100, flags: ShmAlloc.Layout.ItemShape.Checked);
                Prepare(actors).Set(C, 9);
            },
        },

        .. CacheMakingRoom.All,
    ];

    internal static CacheActor Prepare(Actor[] actors)
    {
        CacheCatalogue.Prepare(actors);
        return actors[2].Cache;
    }

    private static void Fill(Actor[] actors)
    {
        CacheActor cache = Prepare(actors);
        for (int key = Others; key < Others + 14; key++)
        {
            cache.Set(key, 9).Get(key);
        }
    }

    /// <summary>What a reader meets, whichever way it reads.</summary>
    private static IEnumerable<SimulatedProgram> InTime(string what, Action<Actor> act) =>
    [
        Make($"{what} replaced in time, and would have expired", false,
            new(0, act),
            new(1, actor => actor.Cache.Replace(A, 1).Tick().Get(A))) with
        {
            Setup = actors => Prepare(actors).Set(A, 9, deadline: CacheActor.Deadline),
        },

        Make($"{what} renewed in time, and would have expired", false,
            new(0, act),
            new(1, actor => actor.Cache.Refresh(A).Tick().Get(A))) with
        {
            Setup = actors => Prepare(actors).Set(A, 9, deadline: 1500, window: 10_000),
        },

        Make($"{what} replaced, and would have lost its tag", false,
            new(0, act),
            new(1, actor => actor.Cache.Replace(A, 1).LoseTag().Get(A))) with
        {
            Setup = actors => Prepare(actors).Set(A, 9, tagged: true),
        },
    ];

    internal static IEnumerable<SimulatedProgram> Reads(string what, Action<Actor> read) =>
    [
        Make($"{what} replaced, swept and used for another key", true,
            new(0, read),
            new(1, actor => actor.Cache.Set(A, 1, words: 2)),
            new(2, actor => actor.Sweep(1).Cache.Set(B, 2, words: 2))) with
        {
            Setup = actors => Prepare(actors).Set(A, 9, words: 2),
        },

        Make($"{what} replaced twice, and lies where it lay", true,
            new(0, read),
            new(1, actor => actor.Cache.Remove(A).Heap.Sweep(1).Cache.Set(A, 1, words: 2))) with
        {
            Setup = actors => Prepare(actors).Set(A, 9, words: 2),
        },

        // The new item of the same key lies where the old one lay, and is complete before it is linked.
        Make($"{what} replaced, and its memory is the next value's", true,
            new(0, actor =>
            {
                read(actor);
                read(actor);
            }),
            new(1, actor => actor.Cache.Set(A, 1).Heap.Sweep(1).Cache.Set(A, 2))) with
        {
            Setup = actors => Prepare(actors).Set(A, 9),
        },
    ];

    internal static SimulatedProgram Make(string name, bool isMap, params ProgramThread[] threads) => new()
    {
        Name = name,
        Shape = isMap ? CacheCatalogue.Roomy : CacheCatalogue.Shape,
        Joined = 3,
        Setup = actors => Prepare(actors).Set(Stopper, 9),
        Threads = threads,
        Mortal = [0, 1],
    };
}
