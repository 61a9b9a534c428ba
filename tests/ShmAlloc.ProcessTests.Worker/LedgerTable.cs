namespace ShmAlloc.ProcessTests;

/// <summary>
/// Names, in the heap itself, every allocation that churning threads have published, so that after any number of kills it can be
/// checked that nothing was lost: what is published and not in the table has leaked.
/// </summary>
/// <remarks>
/// A ledger belongs to one thread at a time. It has entries, and an <em>intent</em> for each thread that has used it: the offset that the
/// thread is about to publish, or has just allocated, or is about to take out of an entry (its own or another's) and free. What is in an entry
/// is whole. Wherever a thread is killed, each published offset is in an entry or in an intent, but for one: what <c>Malloc</c> gave it that
/// very moment. An intent of the dead may be stale; that it names something says nothing by itself, so the table is settled only when
/// everybody has stopped.
/// </remarks>
internal sealed class LedgerTable(ShmHeap heap, ShmOffset offset, int intentsPerLedger)
{
    internal const int EntriesPerLedger = 24;

    internal ShmOffset Offset => offset;

    internal static LedgerTable Create(ShmHeap heap, int ledgers, int intentsPerLedger)
    {
        var offset = heap.Calloc(ledgers, (EntriesPerLedger + intentsPerLedger) * sizeof(ulong));
        return new LedgerTable(heap, offset, intentsPerLedger);
    }

    internal ref ulong Entry(int ledger, int entry) => ref Word((ledger * (EntriesPerLedger + intentsPerLedger)) + entry);

    internal ref ulong Intent(int ledger, int intent) => ref Entry(ledger, EntriesPerLedger + intent);

    /// <summary>Frees all that the table names, and the table, and what nobody learned of. Nobody else may be at work.</summary>
    /// <param name="ledgers">How many ledgers it was created with.</param>
    /// <param name="keep">What is published beside it; null if nothing.</param>
    /// <param name="deaths">How many threads were killed: as many allocations may be unknown or not be filled, and not one more.</param>
    /// <returns>What was wrong; empty if nothing.</returns>
    internal List<string> Settle(int ledgers, ShmOffset keep, long deaths)
    {
        var faults = new List<string>();
        var unknown = 0L;
        for (var ledger = 0; ledger < ledgers; ledger++)
        {
            for (var entry = 0; entry < EntriesPerLedger; entry++)
            {
                var name = new ShmOffset(Volatile.Read(ref Entry(ledger, entry)));
                if (!name.IsNull && !Contents.HasStamp(heap, name))
                {
                    faults.Add($"{name} was handed over, and it is lost or damaged");
                }

                Free(name, faults);
            }
        }

        for (var ledger = 0; ledger < ledgers; ledger++)
        {
            for (var intent = 0; intent < intentsPerLedger; intent++)
            {
                var name = new ShmOffset(Volatile.Read(ref Intent(ledger, intent)));
                unknown += !name.IsNull && heap.UsableSize(name) != 0 && !Contents.HasStamp(heap, name) ? 1 : 0;
                Free(name, faults);
            }
        }

        heap.Free(offset);
        unknown += FreeAllBut(keep, faults);
        if (unknown > deaths)
        {
            faults.Add($"{unknown} allocations are not known or not filled, after {deaths} deaths");
        }

        return faults;
    }

    private long FreeAllBut(ShmOffset keep, List<string> faults)
    {
        const int page = 4096;
        var found = 0L;
        for (long at = page; at < page + heap.CommittedBytes; at += heap.UnitBytes)
        {
            var name = new ShmOffset((ulong)at);
            if (name != keep && heap.UsableSize(name) != 0)
            {
                found++;
                Free(name, faults);
            }
        }

        return found;
    }

    private void Free(ShmOffset name, List<string> faults)
    {
        if (heap.UsableSize(name) != 0 && heap.Free(name) is var status and not ShmStatus.Ok)
        {
            faults.Add($"{name} is published, and freeing it gave {status}");
        }
    }

    private ref ulong Word(int index) => ref heap.GetReference<ulong>(new ShmOffset(offset.Value + ((ulong)index * sizeof(ulong))));
}
