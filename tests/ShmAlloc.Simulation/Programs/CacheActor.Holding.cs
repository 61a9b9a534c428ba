using ShmAlloc.Caching;
using ShmAlloc.Histories;
using ShmAlloc.Layout;
using ShmAlloc.Participants;
using ShmAlloc.Simulation.Machine;

namespace ShmAlloc.Simulation.Programs;

/// <content>Operations that keep a cell for longer: leases.</content>
internal sealed unsafe partial class CacheActor
{
    /// <summary>Holds a value, reads it twice where it lies, and lets go.</summary>
    internal CacheActor Lease(int key)
    {
        int operation = Begin(OperationKind.Get, key);
        if (Grips<Simulated>.TryTake(Attached, lasting: true, out int cell) != CacheStatus.Ok)
        {
            world.History.End(operation, Outcome.Refused);
            return this;
        }

        CacheStatus status = CacheStore<Simulated>.Hold(Attached, Table, CacheKeys.Of(key), Now, AddressOf(cell), out ItemFacts facts);
        if (status == CacheStatus.Ok)
        {
            ItemHeader* item = ItemAccess<Simulated>.At(Attached, facts.Unit);
            Lease lease = world.BeginLease(facts.Unit, Attached->UnitsFor(facts.Shape.TotalBytes), participant);
            long value = ReadLeased(key, item, facts, lease);
            world.History.End(operation, Outcome.Found, value);
            Require(value == ReadLeased(key, item, facts, lease), "a leased value changed");
            Require(facts.Stamp == ItemAccess<Simulated>.Stamp(item), "a leased item has another stamp");
            world.EndLease(lease);
        }
        else
        {
            world.History.End(operation, OutcomeOf(status));
        }

        Cells<Simulated>.Release(Attached, cell);
        return this;
    }

    /// <summary>Leases a value, and sets it and others meanwhile: the memory of the first stays in use until the lease ends.</summary>
    internal CacheActor SetWhileLeased(int key, int[] others, int number, int words)
    {
        if (Grips<Simulated>.TryTake(Attached, lasting: true, out int cell) == CacheStatus.Ok)
        {
            CacheStore<Simulated>.Hold(Attached, Table, CacheKeys.Of(key), Now, AddressOf(cell), out _);
            Set(key, number, words);
            Array.ForEach(others, other => Set(other, number, words));
            Cells<Simulated>.Release(Attached, cell);
        }

        return this;
    }

    /// <summary>Reads, and removes what it has read, as a value that is found damaged: nothing else.</summary>
    internal CacheActor RemoveSeen(int key)
    {
        ulong seen = StampOf(key);
        long begun = world.History.Mark();
        int operation = Begin(OperationKind.Remove, key);
        long removing = world.History.Now;
        CacheStatus status = seen == 0 ? CacheStatus.Contended : CacheStore<Simulated>.Remove(Attached, Table, CacheKeys.Of(key), seen, Now);
        Require(status != CacheStatus.Ok || !IsChanged(key, begun, removing, tagged: false), "another value was removed than the one that was seen");

        // That the key has another value is no answer of a removal.
        world.History.End(operation, status == CacheStatus.Ok ? Outcome.Done : Outcome.Refused);
        return this;
    }

    private ulong StampOf(int key)
    {
        ulong* value = stackalloc ulong[ValueWords];
        CacheStatus status = CacheReader<Simulated>.TryReadAnywhere(
            Attached, Table, CacheKeys.Of(key), (byte*)value, ValueWords * sizeof(ulong), out ItemFacts facts);
        return status == CacheStatus.Ok ? facts.Stamp : 0;
    }

    private long ReadLeased(int key, ItemHeader* item, in ItemFacts facts, Lease lease)
    {
        ulong* value = stackalloc ulong[ValueWords];
        for (uint at = 0; at < facts.Shape.ValueBytes; at += sizeof(ulong))
        {
            value[at / sizeof(ulong)] = Simulated.Read((ulong*)((byte*)item + facts.Shape.ValueBegins + at), "lease", 0);
            world.CheckUsed(lease);
        }

        return Check(key, value, facts.Shape.ValueBytes);
    }
}
