using ShmAlloc.Caching;
using ShmAlloc.Histories;
using ShmAlloc.Layout;
using ShmAlloc.Participants;
using ShmAlloc.Simulation.Machine;

namespace ShmAlloc.Simulation.Programs;

/// <content>Operations that keep a cell for longer: leases and flights.</content>
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

    /// <summary>Says that it works a value out, does something else, and stores the value, if nobody has changed the key meanwhile.</summary>
    internal CacheActor Fly(int key, int number, bool gives = true, Action? between = null)
    {
        ulong tagOfAll = CacheStore<Simulated>.TagOfAll(Table);
        if (!TryBeginFlight(key, out NewItem placeholder))
        {
            return this;
        }

        long begun = world.History.Mark();
        between?.Invoke();
        if (!gives)
        {
            return GiveUp(placeholder);
        }

        int operation = Begin(OperationKind.TryAdd, key, CacheKeys.Value(key, number));
        long landing = world.History.Now;
        CacheStatus status = PutItem(key, number, 1, new() { TagOfAll = tagOfAll }, PutMode.Complete, placeholder.Stamp);
        Require(status != CacheStatus.Ok || !IsChanged(key, begun, landing), "a value was stored that was worked out before the key was changed");
        world.History.End(operation, status == CacheStatus.Ok ? Outcome.Done : Outcome.Refused);
        RequireGone(key, number, begun, landing);
        if (status is CacheStatus.Ok or CacheStatus.Changed)
        {
            Cells<Simulated>.Release(Attached, placeholder.Cell);
            return this;
        }

        return GiveUp(placeholder);
    }

    /// <summary>Reads what has expired, and says that it works the value out anew and keeps that one meanwhile: unless the key was changed in between.</summary>
    internal CacheActor FlyWithStale(int key)
    {
        ulong stale = StampOf(key);
        long seen = world.History.Mark();
        long begins = world.History.Mark();
        if (stale != 0 && TryBeginFlight(key, out NewItem placeholder, stale))
        {
            Require(!IsChanged(key, seen, begins), "a stale value came back although the key was changed");
            GiveUp(placeholder);
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
        Require(status != CacheStatus.Ok || !IsChanged(key, begun, removing), "another value was removed than the one that was seen");

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

    /// <summary>Whether somebody changed a key from a time on, and was done before another time.</summary>
    private bool IsChanged(int key, long since, long until) => world.History.Operations.Any(other =>
        other.Key == key && other.Invoked > since && other.Responded < until
        && other.Kind is OperationKind.Remove or OperationKind.Set && other.Outcome is Outcome.Done or Outcome.Missing);

    /// <summary>If everything was removed while a value was worked out, nobody finds the value, although it was stored.</summary>
    private void RequireGone(int key, int number, long since, long until)
    {
        bool isGone = Table->KeepsGeneration && world.History.Operations.Any(other =>
            other.Kind == OperationKind.ClearAll && other.Invoked > since && other.Responded < until && other.Outcome == Outcome.Done);
        if (isGone)
        {
            ulong* value = stackalloc ulong[ValueWords];
            CacheStatus status = ReadSlowly(key, value, out _);
            Require(status != CacheStatus.Ok || value[0] != (ulong)CacheKeys.Value(key, number), "a value is there that was worked out before everything was removed");
        }
    }

    private bool TryBeginFlight(int key, out NewItem placeholder, ulong stale = 0)
    {
        placeholder = default;
        if (Grips<Simulated>.TryTake(Attached, lasting: true, out int cell) != CacheStatus.Ok)
        {
            return false;
        }

        CacheStatus status = Grips<Simulated>.TryTake(Attached, lasting: false, out int grip);
        if (status == CacheStatus.Ok)
        {
            ulong now = Now;
            ItemOptions options = new() { Flags = ItemShape.Placeholder, Owner = ((ulong)Attached->Epoch << 32) | (uint)Attached->Slot };
            status = Grips<Simulated>.StatusOf(
                CacheRoom<Simulated>.TryBegin(Attached, Table, CacheKeys.Of(key), 0, options, cell, now, AddressOf(grip), out placeholder));
            status = status != CacheStatus.Ok ? status : Flight<Simulated>.TryBegin(Attached, Table, CacheKeys.Of(key), placeholder, stale, now, AddressOf(grip));
            Cells<Simulated>.Release(Attached, grip);
        }

        if (status != CacheStatus.Ok)
        {
            Cells<Simulated>.Release(Attached, cell);
        }

        return status == CacheStatus.Ok;
    }

    private CacheActor GiveUp(in NewItem placeholder)
    {
        Flight<Simulated>.GiveUp(Attached, Table, placeholder);
        Cells<Simulated>.Release(Attached, placeholder.Cell);
        return this;
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
