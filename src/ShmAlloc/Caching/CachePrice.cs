using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>
/// What it costs to drop what lies in a place: the weights of the items, times their use. What has expired or lost a tag costs nothing, and what is
/// pinned, or is no item of a cache, cannot be paid for.
/// <list type="bullet">
/// <item>For a run the weight is the memory: else thousands of small items that nobody has asked for would outweigh any large one that is used.</item>
/// <item>Within a block it is the root of the memory, between that (which drops the small ones, and with them the most hits) and one for each item (which
/// drops the large ones, and leaves holes).</item>
/// </list>
/// </summary>
/// <remarks>
/// Uses are hints and may change meanwhile: a sum may be a little wrong. That it is hits per byte which count: GreedyDual-Size-Frequency (Cherkasova, HP
/// Laboratories, 1998).
/// </remarks>
internal static unsafe class CachePrice<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>The price of what cannot be dropped: more than all items of a heap, and few enough of a block have a sum.</summary>
    internal const ulong Obstacle = 1UL << 50;

    /// <summary>
    /// The prices of a weight of 1: in a run, a value that is used stays as long as sixteen times its bytes can be had of values that nobody has asked for.
    /// </summary>
    internal const ulong New = 1;
    internal const ulong Cold = 2;
    internal const ulong Used = 16;

    /// <summary>What somebody works on goes after all else, and only for a caller that takes it.</summary>
    private const ulong InWork = 1024;

    /// <summary>The weight of an item within a block, in sixteenths: blocks have at most 4096 units.</summary>
    internal static ulong WeightInBlock(uint units) => (ulong)(int)Math.Sqrt((int)(units << 8));

    /// <summary>The price of one allocation, which is anybody's until an entry is found that leads to it.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="unit">Where it lies.</param>
    /// <param name="weight">How much its use counts.</param>
    /// <param name="now">What has expired by then costs nothing, and what is spared is in the way.</param>
    /// <param name="takesWork">As the errand that is to drop it: if not, what somebody works on is in the way.</param>
    internal static ulong Of(Attachment* heap, ulong unit, ulong weight, Moment now, bool takesWork)
    {
        // Or raw memory that looks so: in the way either way, and there is no need to look for its entry.
        if (CacheVictim<TMachine>.LooksKept(heap, unit, now))
        {
            return Obstacle;
        }

        Probe probeOfKey;
        Probe* probe = &probeOfKey;
        if (!CacheVictim<TMachine>.TryFind(heap, unit, probe, out CacheTable* table, out int index)
            || !CacheVictim<TMachine>.MayDrop(heap, table, unit, now, takesWork, out bool isExpired))
        {
            return Obstacle;
        }

        ItemShape shape = ItemAccess<TMachine>.Shape(ItemAccess<TMachine>.At(heap, unit));
        return Flight<TMachine>.IsInWork(heap, unit, shape) ? weight * InWork : isExpired ? 0 : weight * EntryHints<TMachine>.Read(probe, index) switch
        {
            HintWord.New => New,
            HintWord.Cold => Cold,
            _ => Used,
        };
    }
}
