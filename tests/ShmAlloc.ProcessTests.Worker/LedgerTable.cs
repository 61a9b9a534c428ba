namespace ShmAlloc.ProcessTests;

/// <summary>
/// Names, in the heap itself, every allocation that churning threads have published, so that after any number of kills it can be
/// checked that nothing was lost: what is published and not in the table has leaked.
/// </summary>
/// <remarks>
/// A ledger belongs to one thread at a time. It has entries, and an <em>intent</em> for each thread that has used it: the offset that the
/// thread is about to publish, or to take out of an entry (its own or another's) and free. A thread writes its intent first, so wherever it
/// is killed, each published offset is in an entry or in an intent. An intent of the dead may be stale; that it names something says
/// nothing by itself, so the table is settled only when everybody has stopped.
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

    /// <summary>Frees all that the table names, and the table. Nobody else may be at work.</summary>
    /// <param name="ledgers">How many ledgers it was created with.</param>
    /// <returns>What was wrong; empty if nothing.</returns>
    internal List<string> Settle(int ledgers)
    {
        var named = new SortedSet<ulong>();
        for (var word = 0; word < ledgers * (EntriesPerLedger + intentsPerLedger); word++)
        {
            named.Add(Volatile.Read(ref Word(word)));
        }

        named.Remove(0);
        var faults = new List<string>();
        foreach (var name in named.Select(value => new ShmOffset(value)).Where(name => heap.UsableSize(name) != 0))
        {
            if (!Contents.HasStamp(heap, name))
            {
                faults.Add($"{name} is published, and its contents are damaged");
            }

            if (heap.Free(name) is var status and not ShmStatus.Ok)
            {
                faults.Add($"{name} is published, and freeing it gave {status}");
            }
        }

        heap.Free(offset);
        return faults;
    }

    private ref ulong Word(int index) => ref heap.GetReference<ulong>(new ShmOffset(offset.Value + ((ulong)index * sizeof(ulong))));
}
