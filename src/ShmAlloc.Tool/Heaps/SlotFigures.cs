using ShmAlloc.Caching;
using ShmAlloc.Inspection;

namespace ShmAlloc.Tool.Heaps;

/// <summary>What the users of a slot have done with all caches since these were made.</summary>
internal sealed record SlotFigures(uint Epoch, long Hits, long Misses, long Sets)
{
    internal static Dictionary<int, SlotFigures> Read(ShmInspector inspector, IReadOnlyList<SharedCache> caches)
    {
        ShmParticipant[] slots = new ShmParticipant[inspector.Geometry.Slots];
        int count = inspector.ReadParticipants(slots);
        Dictionary<int, SlotFigures> figures = [];
        foreach (ShmParticipant slot in slots.AsSpan(0, count))
        {
            SlotFigures sum = new(slot.Epoch, 0, 0, 0);
            foreach (CacheStatistics one in caches.Select(cache => cache.GetStatistics(slot.Slot)))
            {
                sum = new SlotFigures(slot.Epoch, sum.Hits + one.Hits, sum.Misses + one.Misses, sum.Sets + one.Sets);
            }

            figures.Add(slot.Slot, sum);
        }

        return figures;
    }
}
