using ShmAlloc.Allocation;
using ShmAlloc.Caching;
using ShmAlloc.Histories;
using ShmAlloc.Layout;
using ShmAlloc.Participants;
using ShmAlloc.Simulation.Machine;
using ShmAlloc.Simulation.Programs;
using Recorded = ShmAlloc.Histories.Operation;

namespace ShmAlloc.Simulation.Exploring;

/// <summary>
/// Looks at the cache after everybody died and was recovered: every entry leads to an item of its own that belongs there, nothing half done is left, and
/// one order of the operations explains what they answered and what is there now.
/// </summary>
internal sealed unsafe class CacheJudge(World world)
{
    private const long Nothing = -1;

    private readonly HashSet<ulong> _explained = [];

    /// <summary>Checks all entries, and takes the table and the linked items from the list of what is published.</summary>
    /// <returns>The value of each key.</returns>
    internal static long[] Check(World world, Attachment* heap, List<(int Unit, int Units)> published)
    {
        ulong offset = heap->Header->Cache[0];
        CacheTable* table = Directory<Simulated>.Find(heap, 0);
        if (offset == 0)
        {
            return [];
        }

        Require(table != null, "the directory leads to no table");
        int unitOfTable = (int)((offset - Geometry.Page) >> world.Geometry.UnitShift);
        Require(published.RemoveAll(found => found.Unit == unitOfTable) == 1, "the table is not published");
        HashSet<ulong> hashes = [];
        for (ulong bucket = 0; bucket < table->BucketCount; bucket++)
        {
            for (int index = 0; index < TableLayout.EntriesOfBucket; index++)
            {
                EntryWord entry = new(table->Buckets[(bucket * TableLayout.BucketWords) + (uint)index]);
                if (!entry.IsEmpty)
                {
                    string name = $"entry {index} of bucket {bucket} ({entry})";
                    int taken = published.FindIndex(found => found.Unit == (int)entry.Unit);
                    Require(taken >= 0, $"{name} leads to nothing that is published, or to what another entry leads to");
                    CheckItem(heap, table, bucket, entry, published[taken].Units, name);
                    published.RemoveAt(taken);
                    Require(hashes.Add(ItemAccess<Simulated>.At(heap, entry.Unit)->Hash), $"{name} is not the only one of its key");
                }
            }
        }

        return [.. Enumerable.Range(0, CacheKeys.Count).Select(key => Read(heap, table, key))];
    }

    /// <summary>Takes everything out, as users would; what is left is nobody's.</summary>
    internal static void Empty(World world, Attachment* heap)
    {
        CacheTable* table = Directory<Simulated>.Find(heap, 0);
        if (table == null)
        {
            return;
        }

        for (int key = 0; key < CacheKeys.Count; key++)
        {
            CacheStore<Simulated>.Remove(heap, table, CacheKeys.Of(key), 0, Now(heap));
            Require(Read(heap, table, key) == Nothing, $"key {key} has a value after it was removed");
        }

        for (ulong at = 0; at < table->BucketCount * TableLayout.BucketWords; at++)
        {
            bool isEntry = at % TableLayout.BucketWords < TableLayout.EntriesOfBucket;
            Require(!isEntry || new EntryWord(table->Buckets[at]).IsEmpty, "an entry is left after all keys were removed");
        }

        ulong offset = heap->Header->Cache[0];
        heap->Header->Cache[0] = 0;
        Require(Heap<Simulated>.Free(heap, offset) == ShmStatus.Ok, "the table cannot be freed");
    }

    /// <summary>Whether one order of the operations explains all answers and the values at the end.</summary>
    internal string? FindFault(long[] finals)
    {
        ulong state = world.History.State;
        foreach (long final in finals)
        {
            state = Hash.Mix(state, (ulong)final);
        }

        if (finals.Length == 0 || _explained.Contains(state))
        {
            return null;
        }

        long now = world.History.Now;
        IEnumerable<Recorded> looks = finals.Select((final, key) => new Recorded
        {
            Kind = OperationKind.Get,
            Key = key,
            Worker = world.Threads.Length,
            Invoked = now + 1,
            Responded = now + 2,
            Outcome = final == Nothing ? Outcome.Missing : Outcome.Found,
            Result = final == Nothing ? 0 : final,
        });
        Verdict verdict = HistoryChecker.Check([.. world.History.Operations, .. looks], world.Shape.IsMap ? CacheModel.Map : CacheModel.Cache);
        if (verdict.Kind != VerdictKind.Linearizable)
        {
            return verdict.ToString();
        }

        _explained.Add(state);
        return null;
    }

    private static void CheckItem(Attachment* heap, CacheTable* table, ulong bucket, EntryWord entry, int units, string name)
    {
        ItemHeader* item = ItemAccess<Simulated>.At(heap, entry.Unit);
        ItemShape shape = new(item->Shape);
        Require(item->Stamp != ItemHeader.InvalidStamp, $"{name} leads to an item without a stamp");
        Require(shape.IsKnown && !shape.Is(ItemShape.Table) && shape.KeyBytes == sizeof(ulong), $"{name} leads to {shape}");
        Require(heap->UnitsFor(shape.TotalBytes) <= units, $"{name} leads to an item that is longer than its allocation");
        WorkWord work = new(shape.Is(ItemShape.Worked) ? *ItemAccess<Simulated>.WorkOf(item, shape) : WorkWord.NotBefore(0).Bits);
        Require(work.IsTime || work.IsOwned, $"{name} leads to an item whose work word is {work}");
        Require(Flight<Simulated>.IsVoid(heap, work), $"{name} leads to an item on which somebody works for ever: {work}");
        Require(!shape.Is(ItemShape.Placeholder) || (shape.Is(ItemShape.Worked) && shape.ValueBytes == 0), $"{name} leads to a placeholder with a value");
        Require(item->Deadline is not (ItemHeader.Tentative or ItemHeader.Revoked), $"{name} leads to an item that was never confirmed");
        BucketPair buckets = table->FindBuckets(item->Hash);
        ulong* mine = table->Buckets + (bucket * TableLayout.BucketWords);
        Require(mine == buckets.First || mine == buckets.Second, $"{name} leads to an item of other buckets");
        Require(EntryWord.TagOf(item->Hash) == entry.Tag, $"{name} leads to an item of another tag");
        int key = (int)(*(ulong*)((byte*)item + shape.KeyBegins) - CacheKeys.BytesOf(0));
        Require(key is >= 0 and < CacheKeys.Count && CacheKeys.HashOf(key) == item->Hash, $"{name} leads to an item with a key that nobody has set");
    }

    private static long Read(Attachment* heap, CacheTable* table, int key)
    {
        ulong* value = stackalloc ulong[CacheActor.ValueWords];
        CacheStatus status = CacheReader<Simulated>.TryReadAnywhere(
            heap, table, CacheKeys.Of(key), (byte*)value, CacheActor.ValueWords * sizeof(ulong), out ItemFacts facts);
        bool isGone = status == CacheStatus.Missing || facts.Shape.Is(ItemShape.Placeholder) || facts.IsTagRemoved
            || ItemAccess<Simulated>.IsExpired(facts.Deadline, Now(heap));
        Require(isGone || (status == CacheStatus.Ok && CacheKeys.IsValueOf(key, (long)value[0])), $"key {key} cannot be read at the end: {status}");
        return isGone ? Nothing : (long)value[0];
    }

    private static ulong Now(Attachment* heap) => heap->Header->Root[1] + CacheActor.Start;

    private static void Require(bool condition, string message)
    {
        if (!condition)
        {
            throw new ViolationException(message);
        }
    }
}
