using System.Runtime;
using System.Runtime.InteropServices;
using ShmAlloc.Caching;
using ShmAlloc.Inspection;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Memory.Linux;
using ShmAlloc.Native.Process;
using ShmAlloc.Participants;

namespace ShmAlloc.Native.Exports;

/// <summary><c>struct shm_statistics</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Statistics
{
    internal ulong StructSize;
    internal ulong CapacityBytes;
    internal ulong CommittedBytes;
    internal ulong UsedBytes;
    internal ulong PrivateBytes;
    internal ulong FreeBytes;
    internal ulong ManagementBytes;
    internal ulong LargestFreeBytes;
    internal ulong Allocations;
    internal ulong UnitBytes;
    internal uint Participants;
    internal uint MaxParticipants;
    internal ulong GivenBackBytes;
    internal uint IsFileCurrent;
    internal uint Reserved;
}

/// <summary><c>struct shm_cache_statistics</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CacheFigures
{
    internal ulong StructSize;
    internal ulong Entries;
    internal ulong Bytes;
    internal ulong Capacity;
    internal ulong LimitBytes;
    internal ulong Hits;
    internal ulong Misses;
    internal ulong Sets;
    internal ulong Removals;
    internal ulong EvictionsForRoom;
    internal ulong EvictionsForLimit;
    internal ulong EvictionsForEntry;
    internal ulong Expirations;
    internal ulong FailedFlights;
}

/// <summary><c>struct shm_verification</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Verification
{
    internal ulong StructSize;
    internal ulong Violations;
    internal ulong Allocations;
    internal ulong PrivateAllocations;
    internal ulong BlocksWalked;
    internal ulong FirstPlace;
    internal ulong FirstWord;
    internal uint FirstKind;
    internal uint FirstIndex;
}

/// <summary>Looking at the whole heap.</summary>
internal static unsafe class Inspection
{
    [RuntimeExport("shm_get_statistics")]
    internal static bool GetStatistics(Statistics* to)
    {
        if (to == null || to->StructSize != (ulong)sizeof(Statistics))
        {
            return LastError.Fail(ErrorCode.Of(to == null ? Detail.Null : Detail.StructSize));
        }

        int error = Libc.Error;
        Attachment* heap = ProcessHeap.Find();
        if (heap == null)
        {
            return LastError.FailNoHeap();
        }

        HeapCounts counts;
        CountingWalk<Hardware>.Count(heap, &counts);
        ref readonly Geometry geometry = ref heap->Geometry;
        to->CapacityBytes = geometry.MaximumBlocks << geometry.BlockShift;
        to->CommittedBytes = counts.Blocks << geometry.BlockShift;
        to->UsedBytes = (ulong)counts.UsedBytes(geometry);
        to->PrivateBytes = (ulong)counts.PrivateBytes(geometry);
        to->FreeBytes = (ulong)counts.FreeBytes(geometry);
        to->ManagementBytes = (ulong)counts.ManagementBytes(geometry);
        to->LargestFreeBytes = (ulong)counts.LargestFreeBytes(geometry);
        to->Allocations = (ulong)counts.Allocations;
        to->UnitBytes = 1UL << geometry.UnitShift;
        to->Participants = (uint)counts.Participants;
        to->MaxParticipants = geometry.Slots;
        to->GivenBackBytes = (ulong)counts.GivenBackBytes(geometry);
        to->IsFileCurrent = SlotLock.IsFileCurrent(heap) ? 1u : 0;
        to->Reserved = 0;
        Libc.Error = error;
        return true;
    }

    [RuntimeExport("shm_is_file_current")]
    internal static bool IsFileCurrent()
    {
        int error = Libc.Error;
        Attachment* heap = ProcessHeap.Find();
        if (heap == null)
        {
            return LastError.FailNoHeap();
        }

        bool isCurrent = SlotLock.IsFileCurrent(heap);
        Libc.Error = error;
        return isCurrent || LastError.Fail((int)ShmStatus.FileNotCurrent);
    }

    [RuntimeExport("shm_cache_get_statistics")]
    internal static bool GetCacheStatistics(int cache, CacheFigures* to)
    {
        int error = Libc.Error;
        if (to == null || to->StructSize != (ulong)sizeof(CacheFigures))
        {
            return LastError.Fail(ErrorCode.Of(to == null ? Detail.Null : Detail.StructSize));
        }

        if (!Caching.TryFind(cache, out Attachment* heap, out CacheTable* table))
        {
            return false;
        }

        CacheCounts<Hardware>.FlushAll(heap, table);
        CacheRecount<Hardware>.RunIfNeeded(heap, table);
        to->Entries = Figure(heap, table, CacheCounter.Entries);
        to->Bytes = Figure(heap, table, CacheCounter.Bytes);
        to->Capacity = table->BucketCount * TableLayout.EntriesOfBucket;
        to->LimitBytes = Hardware.Read(&table->Layout->LimitBytes, "", 0);
        to->Hits = Figure(heap, table, CacheCounter.Hits);
        to->Misses = Figure(heap, table, CacheCounter.Misses);
        to->Sets = Figure(heap, table, CacheCounter.Sets);
        to->Removals = Figure(heap, table, CacheCounter.Removals);
        to->EvictionsForRoom = Figure(heap, table, CacheCounter.EvictionsForRoom);
        to->EvictionsForLimit = Figure(heap, table, CacheCounter.EvictionsForLimit);
        to->EvictionsForEntry = Figure(heap, table, CacheCounter.EvictionsForEntry);
        to->Expirations = Figure(heap, table, CacheCounter.Expirations);
        to->FailedFlights = Figure(heap, table, CacheCounter.FailedFlights);
        Libc.Error = error;
        return true;
    }

    /// <returns>Whether the heap is sound.</returns>
    [RuntimeExport("shm_verify")]
    internal static bool Verify(Verification* to)
    {
        if (to != null && to->StructSize != (ulong)sizeof(Verification))
        {
            return LastError.Fail(ErrorCode.Of(Detail.StructSize));
        }

        int error = Libc.Error;
        Attachment* heap = ProcessHeap.Find();
        if (heap == null)
        {
            return LastError.FailNoHeap();
        }

        Violation first = default;
        VerificationReport report = new() { Listed = &first, Capacity = 1 };
        InvariantWalk<Hardware>.Walk(heap, ref report);
        if (to != null)
        {
            to->Violations = (ulong)report.Violations;
            to->Allocations = (ulong)report.Allocations;
            to->PrivateAllocations = (ulong)report.Private;
            to->BlocksWalked = report.Blocks;
            to->FirstPlace = first.Place;
            to->FirstWord = first.Word;
            to->FirstKind = (uint)first.Kind;
            to->FirstIndex = first.Index;
        }

        Libc.Error = error;
        return report.Violations == 0 || LastError.Fail(ErrorCode.NotSound);
    }

    private static ulong Figure(Attachment* heap, CacheTable* table, CacheCounter counter) =>
        (ulong)Math.Max(0, CacheCounts<Hardware>.Sum(heap, table, counter));
}
