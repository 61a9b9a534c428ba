using ShmAlloc.Caching;
using ShmAlloc.Layout;
using ShmAlloc.Simulation.Machine;

namespace ShmAlloc.Simulation.Programs;

/// <content>The first use after a start of the machine.</content>
internal sealed unsafe partial class CacheActor
{
    private const ulong AnchorOfThisStart = 1;

    /// <summary>Sets a value before the start, of which the history says nothing: nobody may be given it, and what is set later may not go with it.</summary>
    internal CacheActor SetBeforeStart(int key) => Do(() => PutItem(key, 9, 1, default, PutMode.Set, 0));

    /// <summary>Opens the cache, as a process does after a start: empties it first, unless somebody else has.</summary>
    internal CacheActor OpenAfterStart()
    {
        ulong* anchor = &Attached->Header->ClockAnchor;
        ulong seen = Simulated.Read(anchor, "restart", 0);
        if (seen != AnchorOfThisStart)
        {
            RequireProgress(CacheRestart<Simulated>.TryBegin(Attached, seen, AnchorOfThisStart));
            Require(Simulated.Read(anchor, "restart", 1) == AnchorOfThisStart || world.IsAnybodyDead, "a cache was not emptied");
        }

        return this;
    }

    /// <summary>Damages an entry, as pages do that were not written back: it leads out of the heap, or to what another entry leads to.</summary>
    internal CacheActor Damage(int bucket, int index, int key)
    {
        Probe probe;
        Probe.Begin(&probe, Table, CacheKeys.HashOf(key));
        CacheSearch<Simulated>.TryHold(Attached, &probe, CacheKeys.Of(key), AddressOf(0), out ItemFacts facts);
        Grips<Simulated>.Loosen(AddressOf(0));
        ulong unit = facts.Unit != 0 ? facts.Unit : Attached->WholeBytes;
        *(Table->Buckets + ((uint)bucket * TableLayout.BucketWords) + (uint)index) = new EntryWord(0).Naming(unit, EntryWord.TagOf(CacheKeys.HashOf(key))).Bits;
        return this;
    }
}
