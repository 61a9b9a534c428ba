using ShmAlloc.Caching;
using ShmAlloc.Inspection;

namespace ShmAlloc.Tests.Inspection;

/// <summary>Everything that can be asked of a heap by who may only look.</summary>
internal static class Inspections
{
    internal static readonly IReadOnlyDictionary<string, Action<ShmHeap>> All = new Dictionary<string, Action<ShmHeap>>
    {
        ["statistics"] = heap => heap.GetStatistics(),
        ["verify"] = heap => Assert.NotNull(new ShmInspector(heap).Verify()),
        ["blocks and units"] = ReadBlocks,
        ["participants and cells"] = ReadParticipants,
        ["caches"] = heap => new ShmInspector(heap).ReadCaches(),
        ["allocations"] = GoOverAllocations,
        ["walks"] = Walk,
        ["figures of caches"] = ReadFigures,
    };

    internal static void Do(ShmHeap heap)
    {
        foreach (var look in All.Values)
        {
            look(heap);
        }
    }

    private static void ReadBlocks(ShmHeap heap)
    {
        ShmInspector inspector = new(heap);
        var geometry = inspector.Geometry;
        var blocks = new ShmBlock[geometry.CommittedBlocks];
        var states = new byte[geometry.UnitsPerBlock];
        var count = inspector.ReadBlocks(0, blocks);
        foreach (var block in blocks.AsSpan(0, count))
        {
            Assert.InRange(block.UsedUnits + block.PrivateUnits + block.FreeUnits, 0, geometry.UnitsPerBlock);
            Assert.InRange(block.RunBlocks, 0, geometry.CommittedBlocks);
            Assert.InRange(block.Slot, -1, geometry.Slots - 1);
            Assert.Equal(geometry.UnitsPerBlock, inspector.ReadUnits(block.Index, states));
        }
    }

    private static void ReadParticipants(ShmHeap heap)
    {
        ShmInspector inspector = new(heap);
        var participants = new ShmParticipant[heap.MaxParticipants];
        var cells = new ShmCell[inspector.Geometry.Cells];
        Assert.Equal(participants.Length, inspector.ReadParticipants(participants));
        for (var slot = 0; slot < participants.Length; slot++)
        {
            Assert.InRange(inspector.ReadCells(slot, cells), 0, cells.Length);
        }
    }

    private static void GoOverAllocations(ShmHeap heap)
    {
        ulong last = 0;
        foreach (var allocation in new ShmInspector(heap).Allocations())
        {
            Assert.True(allocation.Offset.Value > last && allocation.Bytes > 0);
            last = allocation.Offset.Value;
            Assert.InRange(allocation.Bytes, heap.UnitBytes, heap.MaximumBytes);
        }
    }

    private static void Walk(ShmHeap heap)
    {
        ForEachCache(heap, cache =>
        {
            var copy = new byte[10_000];
            CacheWalk walk = cache.Walk();
            while (walk.MoveNext())
            {
                var entry = walk.Current;
                Assert.InRange(entry.State, CacheEntryState.Live, CacheEntryState.Unconfirmed);
                Assert.InRange(entry.Use, CacheUse.New, CacheUse.Used);
                Assert.InRange(entry.Tags, 0, 240);
                entry.HasTag("tag 3");
                for (var tag = 0; tag < entry.Tags; tag++)
                {
                    Assert.True(entry.TagPlace(tag) >= 0);
                }

                entry.CopyValue(copy);
                Assert.True(entry.TakesBytes >= entry.LengthBytes + entry.Key.Length + entry.HeaderBytes);
                Assert.True(entry.Bucket >= 0 && entry.IndexInBucket is >= 0 and < 7 && entry.Offset.Value > 0);
                _ = (entry.Expires, entry.Sliding, entry.StaleUntil, entry.ComputingSlot, entry.IsPinned, entry.HasChecksum, entry.Version);
            }

            Assert.True(walk.Damaged >= 0);
            Assert.True(cache.Enumerate().Count() >= 0);
        });
    }

    private static void ReadFigures(ShmHeap heap) => ForEachCache(heap, cache =>
    {
        cache.GetStatistics();
        for (var slot = 0; slot < heap.MaxParticipants; slot++)
        {
            cache.GetStatistics(slot);
        }
    });

    private static void ForEachCache(ShmHeap heap, Action<SharedCache> look)
    {
        foreach (var cache in new ShmInspector(heap).ReadCaches())
        {
            try
            {
                look(SharedCache.Open(heap, cache.Name));
            }
            catch (Exception refused) when (refused is InvalidOperationException and not ObjectDisposedException or ArgumentException)
            {
                // A name that was scribbled over is not found, or no name.
            }
        }
    }
}
