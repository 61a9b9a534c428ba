using ShmAlloc.Allocation;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>What an item is to be like, besides its key and value.</summary>
internal unsafe struct ItemOptions
{
    /// <summary>Milliseconds of the heap's clock; 0: never.</summary>
    internal ulong Deadline;

    /// <summary>
    /// Of a sliding item: the milliseconds without use after which it expires, 0: no such; of a worked one, which does not slide, its <see cref="WorkWord"/>.
    /// </summary>
    internal ulong Window;

    /// <summary>
    /// Of a sliding item: up to when its expiry is renewed at most, 0: without end; of a worked one: for how many milliseconds
    /// after its deadline it may be given out as a stale value, 0: not.
    /// </summary>
    internal ulong LastDeadline;

    internal uint Flags;

    /// <summary>Of one of the two below. Beside the flags: what is larger than 64 bytes is copied by the runtime, which the C library does not have.</summary>
    internal int TagCount;

    /// <summary>A slot number in the upper half and the generation in the lower one, each.</summary>
    internal ulong* Tags;

    /// <summary>
    /// Instead of them: those of an item that the new one replaces, and of no other. Nobody holds it, so what is read there may be nonsense; then it is not
    /// replaced, because the stamp by which it is known is given once.
    /// </summary>
    internal ulong* KeptTags;

    /// <summary>In a cache that removes all at once, the tag that stands for all, if it was captured before; 0: what counts when the item is made.</summary>
    internal ulong TagOfAll;

    /// <summary>Words between one tag and the next: C has more to say of each, and they are not copied, because calls are sparing with the stack.</summary>
    internal int TagGap;

    internal ulong Work
    {
        readonly get => Window;
        set => Window = value;
    }

    internal ulong StaleFor
    {
        readonly get => LastDeadline;
        set => LastDeadline = value;
    }
}

/// <summary>An item that is being made: private to this thread, named by its cell, and not linked yet.</summary>
internal unsafe struct NewItem
{
    internal ulong Unit;
    internal int Cell;
    internal ulong Stamp;
    internal ulong Hash;
    internal ItemShape Shape;
    internal byte* Value;
}

/// <summary>Makes items: claimed, named LINKING, filled, stamped, published. Only then may an entry lead to them.</summary>
/// <remarks>
/// Death before it is published: private and named by a cell of the dead, so garbage after recovery. After: recovery finds no entry that leads to it, and
/// retires it; or finds one, and it stays.
/// </remarks>
internal static unsafe class NewItems<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Stamps that a cell takes at a time.</summary>
    private const int StampBits = 16;

    /// <summary>Bytes that are prefetched before they are written.</summary>
    private const ulong MostFetched = 512;

    /// <summary>Claims room, without making any, and writes all but the value.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="shard">Of this thread.</param>
    /// <param name="table">The cache.</param>
    /// <param name="key">The key.</param>
    /// <param name="valueBytes">Length of the value.</param>
    /// <param name="options">What else.</param>
    /// <param name="cell">A cell whose ticket the caller has. It names the item until the caller releases it.</param>
    /// <param name="quickly">Whether to give up before the search of the whole heap.</param>
    /// <param name="item">The item, with the place of its value.</param>
    internal static ShmStatus TryBegin(
        Attachment* heap, Shard* shard, CacheTable* table, in CacheKey key, uint valueBytes, in ItemOptions options, int cell, bool quickly, out NewItem item)
    {
        item = default;
        ItemShape shape = ShapeOf(table, options, key.Length, valueBytes);
        item.Shape = shape;
        if (shape.TotalBytes > heap->WholeBytes)
        {
            return ShmStatus.TooLarge;
        }

        ShmStatus status = Reservations<TMachine>.Claim(heap, shard, shape.TotalBytes, cell, quickly, out ulong unit);
        if (status != ShmStatus.Ok)
        {
            return status;
        }

        NameWhole(heap, cell, CellKind.Linking, unit);
        item.Unit = unit;
        item.Cell = cell;
        item.Hash = key.Hash;
        item.Stamp = NextStamp(heap, cell);
        ItemHeader* at = ItemAccess<TMachine>.At(heap, unit);
        for (ulong line = 0; line < Math.Min(shape.TotalBytes, MostFetched); line += TableLayout.Line)
        {
            TMachine.Prefetch((byte*)at + line);
        }

        // The old stamp goes before anything else changes: whoever still reads what lay here finds out.
        TMachine.Write(&at->Stamp, ItemHeader.InvalidStamp);
        TMachine.Write(&at->Hash, key.Hash);
        TMachine.Write(&at->Deadline, options.Deadline);
        TMachine.Write(&at->Shape, shape.Bits);
        WriteExtension(table, at, shape, options);
        TMachine.CopyIn(key.Bytes, (byte*)at + shape.KeyBegins, (ulong)key.Length);
        item.Value = (byte*)at + shape.ValueBegins;
        return ShmStatus.Ok;
    }

    /// <summary>What an item with such options consists of.</summary>
    internal static ItemShape ShapeOf(CacheTable* table, in ItemOptions options, int keyBytes, uint valueBytes) =>
        new(options.Flags | table->ItemFlags, table->Number, options.TagCount + (AddsTagOfAll(table, options) ? 1 : 0), keyBytes, valueBytes);

    /// <summary>Tags that are kept have the one for all among them.</summary>
    private static bool AddsTagOfAll(CacheTable* table, in ItemOptions options) =>
        table->KeepsGeneration && options.KeptTags == null && (options.Flags & ItemShape.Placeholder) == 0;

    /// <summary>The value is complete: seals it with its checksum, stamps and publishes.</summary>
    internal static bool TryPublish(Attachment* heap, in NewItem item)
    {
        ItemHeader* at = ItemAccess<TMachine>.At(heap, item.Unit);
        if (item.Shape.Is(ItemShape.Checked))
        {
            TMachine.Write((ulong*)((byte*)at + item.Shape.ChecksumAt), Checksum.Of(item.Value, item.Shape.ValueBytes));
        }

        TMachine.Write(&at->Stamp, item.Stamp);
        return Reservations<TMachine>.End(heap, item.Unit, item.Cell, publish: true) == ShmStatus.Ok;
    }

    /// <summary>Gives back what was not published.</summary>
    /// <remarks>
    /// LINKING → CLAIMING comes first, a release store: recovery of a cell that says LINKING would look at what lies there, and once the place is free that is
    /// another's. Death before it: a private item, which recovery leaves to a sweep; after it: as of any claim that was given up.
    /// </remarks>
    internal static void Abandon(Attachment* heap, in NewItem item)
    {
        NameWhole(heap, item.Cell, CellKind.Claiming, item.Unit);
        Reservations<TMachine>.End(heap, item.Unit, item.Cell, publish: false);
        Refusals<TMachine>.Forget(heap);
    }

    /// <summary>Names all of a claimed place: while it is given back, piece by piece, a sweep must not find the rest unnamed.</summary>
    private static void NameWhole(Attachment* heap, int cell, CellKind kind, ulong unit)
    {
        uint units = heap->ReservedRuns[cell] != 0 ? 1 : heap->ReservedUnits[cell];
        TMachine.Write(Cells<TMachine>.AddressOf(heap, heap->Slot, cell), new CellWord(kind, unit, units).Bits);
    }

    /// <summary>Says in the cell what becomes of an item that this thread made.</summary>
    internal static void Name(Attachment* heap, int cell, CellKind kind, ulong unit) =>
        Grips<TMachine>.Become(Cells<TMachine>.AddressOf(heap, heap->Slot, cell), kind, unit);

    /// <summary>Another number each time, in the life of the heap: ranges are taken from a shared word, and used up by whoever has the cell's ticket.</summary>
    private static ulong NextStamp(Attachment* heap, int cell)
    {
        ulong last = heap->Stamps[cell];
        if ((last & ((1UL << StampBits) - 1)) == 0)
        {
            last = TakeRange(&heap->Header->StampRanges) << StampBits;
        }

        return heap->Stamps[cell] = last + 1;
    }

    private static ulong TakeRange(ulong* ranges)
    {
        // Repeats only when somebody else took one.
        while (true)
        {
            ulong taken = TMachine.Read(ranges);
            if (TMachine.CompareExchange(ranges, taken + 1, taken) == taken)
            {
                return taken;
            }
        }
    }

    private static void WriteExtension(CacheTable* table, ItemHeader* at, ItemShape shape, in ItemOptions options)
    {
        byte* item = (byte*)at;
        if (shape.Is(ItemShape.Sliding))
        {
            TMachine.Write((ulong*)(item + ItemShape.SlidingAt), options.Window);
            TMachine.Write((ulong*)(item + ItemShape.SlidingAt + 8), options.LastDeadline);
        }

        if (shape.Is(ItemShape.Worked))
        {
            TMachine.Write((ulong*)(item + shape.WorkAt), options.Work);
            TMachine.Write((ulong*)(item + shape.StaleForAt), options.StaleFor);
        }

        WriteTags(table, (ulong*)(item + shape.TagsBegin), shape, options);
    }

    /// <summary>The given tags, then the one for all; what is left over repeats the last.</summary>
    private static void WriteTags(CacheTable* table, ulong* to, ItemShape shape, in ItemOptions options)
    {
        ulong tag = 0;
        for (int index = 0; index < options.TagCount; index++)
        {
            tag = options.KeptTags != null ? TMachine.Read(options.KeptTags + index) : options.Tags[index * (1 + options.TagGap)];
            TMachine.Write(to + index, tag);
        }

        if (AddsTagOfAll(table, options))
        {
            tag = options.TagOfAll != 0 ? options.TagOfAll : CacheStore<TMachine>.TagOfAll(table);
        }

        for (int index = options.TagCount; index < shape.Tags; index++)
        {
            TMachine.Write(to + index, tag);
        }
    }
}
