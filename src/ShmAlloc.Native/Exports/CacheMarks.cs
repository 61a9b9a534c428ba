using System.Runtime;
using System.Runtime.InteropServices;
using ShmAlloc.Caching;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Memory.Linux;
using ShmAlloc.Native.Process;
using ShmAlloc.Participants;

namespace ShmAlloc.Native.Exports;

/// <summary><c>struct shm_cache_mark</c>: places as numbers, so that one that was written over leads to nowhere but into the heap.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Mark
{
    /// <summary>The stamp of the item; 0: no value.</summary>
    internal ulong Version;

    /// <summary>The attachment that made it; 0: nothing is marked.</summary>
    internal ulong Attachment;

    /// <summary>The number of the cache, and above it that of the entry among all words of its buckets.</summary>
    internal ulong CacheAndEntry;
    internal ulong EntryBits;
    internal ulong Unit;
    internal ulong Shape;
    internal ulong Until;

    internal const int EntryAt = 8;
}

/// <summary>Values that a process keeps copies of.</summary>
internal static unsafe class CacheMarks
{
    [RuntimeExport("shm_cache_get_marked")]
    internal static bool GetMarked(int cache, byte* key, ulong keyBytes, byte* buffer, ulong capacity, ulong* valueBytes, Mark* mark)
    {
        int error = Libc.Error;
        if (valueBytes != null)
        {
            *valueBytes = 0;
        }

        if (mark == null)
        {
            return LastError.Fail(ErrorCode.Of(Detail.Null));
        }

        *mark = default;
        if (!Caching.TryFind(cache, key, keyBytes, out Attachment* heap, out CacheTable* table, out CacheKey found))
        {
            return false;
        }

        ulong room = buffer == null ? 0 : capacity;
        ulong now = HeapClock.Now(heap);
        CacheStatus status = CacheCalls<Hardware>.Read(heap, table, found, buffer, room, new Caching.Clock(heap), counts: true, out ItemFacts facts);
        if (valueBytes != null)
        {
            *valueBytes = facts.Shape.ValueBytes;
        }

        mark->Version = facts.Stamp;
        if (Marks<Hardware>.TryMark(heap, facts, now, null, out MarkedItem marked))
        {
            mark->Attachment = heap->Number;
            mark->CacheAndEntry = ((ulong)(marked.Entry - table->Buckets) << Mark.EntryAt) | (uint)cache;
            mark->EntryBits = marked.EntryBits;
            mark->Unit = facts.Unit;
            mark->Shape = facts.Shape.Bits;
            mark->Until = marked.Until;
        }

        return Caching.Done(status, error);
    }

    [RuntimeExport("shm_cache_is_current")]
    internal static bool IsCurrent(int cache, Mark* mark)
    {
        int error = Libc.Error;
        if (!Caching.TryFind(cache, out Attachment* heap, out CacheTable* table))
        {
            return false;
        }

        if (mark == null)
        {
            return LastError.Fail(ErrorCode.Of(Detail.Null));
        }

        if (mark->Attachment == 0)
        {
            return Caching.Done(CacheStatus.Changed, error);
        }

        ItemShape shape = new(mark->Shape);
        ulong entry = mark->CacheAndEntry >> Mark.EntryAt;
        bool isOurs = mark->Attachment == heap->Number && (byte)mark->CacheAndEntry == cache
            && entry < table->BucketCount * TableLayout.BucketWords && entry % TableLayout.BucketWords < TableLayout.EntriesOfBucket
            && ItemAccess<Hardware>.Fits(heap, mark->Unit, shape.TotalBytes);
        if (!isOurs)
        {
            return LastError.Fail(ErrorCode.Foreign);
        }

        MarkedItem marked = default;
        marked.Entry = table->Buckets + entry;
        marked.EntryBits = mark->EntryBits;
        marked.Item = ItemAccess<Hardware>.At(heap, mark->Unit);
        marked.Stamp = mark->Version;
        marked.Until = mark->Until;
        return Caching.Done(
            Marks<Hardware>.IsCurrent(heap, table, marked, shape, new Caching.Clock(heap)) ? CacheStatus.Ok : CacheStatus.Changed, error);
    }
}
