using System.Runtime.CompilerServices;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>
/// What most gets are, in as few instructions as possible: the value is where the first matching tag leads to, nothing lies between its header and its key
/// but the tag that all items of its cache have, if they have one; it fits, and nobody is in the way. Everything else is left to
/// <see cref="CacheReader{TMachine}"/>; also what has expired, as the caller finds out by its deadline, and what is not confirmed: its deadline is one that has
/// long passed.
/// </summary>
/// <remarks>
/// Why few: a processor that waits for the item goes on with the next get, as far as some hundred instructions reach. The order of the looks, and what they
/// prove, is that of the other.
/// </remarks>
internal static unsafe class QuickRead<TMachine>
    where TMachine : struct, IMachine
{
    /// <returns>Whether the value was copied; if not, nothing was learned.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool TryRead(
        Attachment* heap, CacheTable* table, CacheKey key, byte* to, ulong capacity, out ulong shape, out ulong stamp, out ulong deadline)
    {
        Unsafe.SkipInit(out shape);
        Unsafe.SkipInit(out stamp);
        Unsafe.SkipInit(out deadline);
        BucketPair buckets = table->FindBuckets(key.Hash);
        uint matches = buckets.Match<TMachine>(EntryWord.TagOf(key.Hash));
        if (matches == 0)
        {
            return false;
        }

        int index = BucketPair.Next(ref matches);
        ulong* address = buckets.AddressOf(index);
        EntryWord entry = new(TMachine.Read(address));
        ulong keyBytes = (uint)key.Length;
        ulong keyAt = ItemHeader.Size + table->CommonTagBytes;
        ulong at = entry.Unit << heap->Geometry.UnitShift;
        ulong end = Volatile.Read(ref heap->Blocks) << heap->Geometry.BlockShift;
        if (entry.IsEmpty || at + keyAt + keyBytes > end)
        {
            return false;
        }

        // The lines of an item of average size are waited for at once, not one after the other.
        ItemHeader* item = (ItemHeader*)(heap->UserBase + Geometry.Page + at);
        TMachine.Prefetch((byte*)item + TableLayout.Line);
        TMachine.Prefetch((byte*)item + (2 * TableLayout.Line));
        stamp = ItemAccess<TMachine>.Stamp(item);
        if (ItemAccess<TMachine>.Hash(item) != key.Hash)
        {
            return false;
        }

        shape = TMachine.Read(&item->Shape);
        deadline = ItemAccess<TMachine>.Deadline(item);
        ulong valueBytes = new ItemShape(shape).ValueBytes;
        if (!new ItemShape(shape).IsPlainWithKey(keyBytes, table->CommonTagBytes)
            || stamp == ItemHeader.InvalidStamp
            || valueBytes > capacity
            || at + keyAt + keyBytes + valueBytes > end
            || !TMachine.IsEqual((byte*)item + keyAt, key.Bytes, keyBytes)
            || (table->KeepsGeneration && ItemAccess<TMachine>.IsTagRemoved(table, item, new ItemShape(shape))))
        {
            return false;
        }

        TMachine.CopyOut((byte*)item + keyAt + keyBytes, to, valueBytes);
        if (TMachine.Read(address) != entry.Bits || ItemAccess<TMachine>.Stamp(item) != stamp)
        {
            return false;
        }

        CacheReader<TMachine>.Touch(heap, buckets, index);
        return true;
    }
}
