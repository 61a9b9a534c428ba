using ShmAlloc.Caching;
using ShmAlloc.Histories;
using ShmAlloc.Layout;
using ShmAlloc.Simulation.Machine;

namespace ShmAlloc.Simulation.Programs;

/// <content>Values that are kept in private memory, and validated.</content>
internal sealed unsafe partial class CacheActor
{
    /// <summary>Reads a value and keeps it; then asks by its mark whether it is the value still: that is a get. If not, it reads again, within the same get.</summary>
    internal CacheActor GetByMark(int key)
    {
        ulong* value = stackalloc ulong[ValueWords];
        ulong* tags = stackalloc ulong[ItemShape.MaxTagWords];
        long kept = EndGet(Begin(OperationKind.Get, key), key, ReadSlowly(key, value, out ItemFacts facts), value, facts);
        if (kept == 0 || !Marks<Simulated>.TryMark(Attached, facts, 0, tags, out MarkedItem marked))
        {
            return this;
        }

        int operation = Begin(OperationKind.Get, key);
        if (Marks<Simulated>.IsCurrent(Attached, Table, marked, new ReadOnlySpan<ulong>(tags, facts.Shape.Tags), new Clock(this)))
        {
            world.History.End(operation, Outcome.Found, kept);
        }
        else
        {
            CacheStatus status = ReadSlowly(key, value, out facts);
            EndGet(operation, key, status, value, facts);
        }

        return this;
    }

    private CacheStatus ReadSlowly(int key, ulong* value, out ItemFacts facts) => CacheReader<Simulated>.TryGet(
        Attached, Table, CacheKeys.Of(key), (byte*)value, ValueWords * sizeof(ulong), new Clock(this), out facts, out _);
}
