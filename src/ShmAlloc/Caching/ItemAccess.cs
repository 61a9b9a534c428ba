using System.Runtime.CompilerServices;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>Reads items. What is read may be somebody else's memory by now: nothing is believed before the entry and the stamp were looked at again.</summary>
internal static unsafe class ItemAccess<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Whether the header of an item may be read there: it may be longer than a unit, and the unit the last one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool IsInside(Attachment* heap, ulong unit) => Fits(heap, unit, ItemHeader.Size);

    /// <summary>Whether so many bytes from the start of a unit on lie within the heap, which somebody else may have made larger meanwhile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool Fits(Attachment* heap, ulong unit, ulong bytes) => bytes <= KnownRoom(heap, unit) || FitsInGrown(heap, unit, bytes);

    /// <summary>
    /// Whether so many bytes from the start of a unit on, which did not fit, lie outside the heap for certain. If not, this process cannot find out how large
    /// others have made it, and what an entry leads to is not known: which is another thing than not there.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static bool IsOutside(Attachment* heap, ulong unit, ulong bytes) => bytes > heap->WholeBytes
        || Allocation.Growth<TMachine>.IsOutside(heap, heap->Geometry.BlocksFor((unit << heap->Geometry.UnitShift) + bytes));

    /// <summary>The same of the header of an item.</summary>
    internal static bool IsOutside(Attachment* heap, ulong unit) => IsOutside(heap, unit, ItemHeader.Size);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ItemHeader* At(Attachment* heap, ulong unit) => (ItemHeader*)(heap->UserBase + heap->OffsetOf(unit));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Stamp(ItemHeader* item) => TMachine.Read(&item->Stamp);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Hash(ItemHeader* item) => TMachine.Read(&item->Hash);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Deadline(ItemHeader* item) => TMachine.Read(&item->Deadline);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ItemShape Shape(ItemHeader* item) => new(TMachine.Read(&item->Shape));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Word(ItemHeader* item, uint at) => TMachine.Read((ulong*)((byte*)item + at));

    /// <summary>Whether an item has a key. Its length was checked against the heap by the caller.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool HasKey(ItemHeader* item, ItemShape shape, in CacheKey key) =>
        shape.KeyBytes == key.Length && TMachine.IsEqual((byte*)item + shape.KeyBegins, key.Bytes, (ulong)key.Length);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Tag(ItemHeader* item, ItemShape shape, int number) => Word(item, shape.TagsBegin + ((uint)number * 8));

    /// <summary>Where the work word of a worked item lies.</summary>
    internal static ulong* WorkOf(ItemHeader* item, ItemShape shape) => (ulong*)((byte*)item + shape.WorkAt);

    internal static ulong* TagsOf(ItemHeader* item, ItemShape shape) => (ulong*)((byte*)item + shape.TagsBegin);

    /// <summary>Whether one of its tags was removed since the item was made.</summary>
    internal static bool IsTagRemoved(CacheTable* table, ItemHeader* item, ItemShape shape)
    {
        for (int index = 0; index < shape.Tags; index++)
        {
            ulong tag = Tag(item, shape, index);
            if ((uint)TMachine.Read(table->GenerationOf(tag)) != (uint)tag)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether an item that the caller holds is a value that readers may have.</summary>
    internal static bool IsLive(CacheTable* table, ItemHeader* item, ItemShape shape, ulong now) =>
        !shape.Is(ItemShape.Placeholder) && !IsExpired(Deadline(item), now) && !IsTagRemoved(table, item, shape);

    /// <summary>Whether an item with such a deadline is nobody's value, and perhaps never will be.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool IsUnconfirmed(ulong deadline) => deadline is ItemHeader.Tentative or ItemHeader.Revoked;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool IsExpired(ulong deadline, ulong now) => deadline != 0 && deadline <= now;

    /// <summary>Bytes from the start of a unit to the end of the heap as this process knows it; 0 if the unit lies behind it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong KnownRoom(Attachment* heap, ulong unit)
    {
        ulong start = unit << heap->Geometry.UnitShift;
        ulong end = Volatile.Read(ref heap->Blocks) << heap->Geometry.BlockShift;
        return start < end ? end - start : 0;
    }

    /// <summary>What <see cref="Fits"/> says when they do not fit into the heap as it was known.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool FitsInGrown(Attachment* heap, ulong unit, ulong bytes)
    {
        // Whatever the answer: another thread may have found out a moment before.
        Allocation.Growth<TMachine>.Refresh(heap);
        return bytes <= KnownRoom(heap, unit);
    }
}
