using ShmAlloc.Allocation;
using ShmAlloc.Caching;
using ShmAlloc.Histories;
using ShmAlloc.Layout;
using ShmAlloc.Participants;
using ShmAlloc.Simulation.Machine;

namespace ShmAlloc.Simulation.Programs;

/// <content>A set that begins in the middle: what leads there takes so many switches that no search would come by.</content>
internal sealed unsafe partial class CacheActor
{
    private NewItem _contested;
    private ulong* _entry;
    private EntryWord _linked;
    private int _grip;

    /// <summary>As far as a set comes that finds no value: its item is linked, tentatively. For the setup, where nobody is in the way.</summary>
    internal CacheActor BeginContest(int key, int number, int bucket, int index) => Do(() =>
    {
        Require(Grips<Simulated>.TryTakeTwo(Attached, out int cell, out _grip) == CacheStatus.Ok, "no cells");
        Require(
            NewItems<Simulated>.TryBegin(
                Attached, ShortWay<Simulated>.ShardOf(Attached), Table, CacheKeys.Of(key), sizeof(ulong), default, cell, quickly: true, out _contested)
                == ShmStatus.Ok,
            "no room");
        *(ulong*)_contested.Value = (ulong)CacheKeys.Value(key, number);
        Require(NewItems<Simulated>.TryPublish(Attached, _contested), "not published");
        _entry = Table->Buckets + (bucket * TableLayout.BucketWords) + index;
        EntryWord seen = new(*_entry);
        Require(seen.IsEmpty, "the entry is taken");
        _linked = seen.Naming(_contested.Unit, EntryWord.TagOf(CacheKeys.HashOf(key)));
        ItemAccess<Simulated>.At(Attached, _contested.Unit)->Deadline = ItemHeader.Tentative;
        *_entry = _linked.Bits;
    });

    /// <summary>The rest of it, when another value is confirmed: takes its item out again, as a lost contest ends, and tries anew.</summary>
    internal CacheActor GoOnAfterContest(int key)
    {
        long value = (long)*(ulong*)_contested.Value;
        int operation = Begin(OperationKind.Set, key, value);
        Contest<Simulated>.TakeOut(_entry, _linked, ItemAccess<Simulated>.At(Attached, _contested.Unit), 0);
        CacheStatus status = CacheWriter<Simulated>.Put(
            Attached, Table, CacheKeys.Of(key), _contested, PutMode.Set, 0, Now, AddressOf(_grip));
        if (status != CacheStatus.Ok)
        {
            Hold<Simulated>.Retire(Attached, Attached->OffsetOf(_contested.Unit));
        }

        world.History.End(operation, OutcomeOf(status));
        Cells<Simulated>.Release(Attached, _grip);
        Cells<Simulated>.Release(Attached, _contested.Cell);
        return this;
    }
}
