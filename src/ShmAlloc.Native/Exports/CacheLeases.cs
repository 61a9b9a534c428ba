using System.Runtime;
using System.Runtime.InteropServices;
using ShmAlloc.Allocation;
using ShmAlloc.Caching;
using ShmAlloc.Memory;
using ShmAlloc.Memory.Linux;
using ShmAlloc.Native.Process;
using ShmAlloc.Participants;

namespace ShmAlloc.Native.Exports;

/// <summary><c>struct shm_cache_lease</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Lease
{
    internal byte* Value;
    internal ulong ValueBytes;
    internal ulong Attachment;
    internal ulong Ticket;
    internal ulong Cell;
}

/// <summary>Values that are read where they lie.</summary>
internal static unsafe class CacheLeases
{
    [RuntimeExport("shm_cache_lease")]
    internal static bool Take(int cache, byte* key, ulong keyBytes, Lease* lease)
    {
        int error = Libc.Error;
        if (lease == null)
        {
            return LastError.Fail(ErrorCode.Of(Detail.Null));
        }

        *lease = default;
        if (!Caching.TryFind(cache, key, keyBytes, out Attachment* heap, out CacheTable* table, out CacheKey found))
        {
            return false;
        }

        CacheStatus status = Grips<Hardware>.TryTake(heap, lasting: true, out int cell);
        if (status != CacheStatus.Ok)
        {
            return Caching.Done(status, error);
        }

        status = CacheCalls<Hardware>.Hold(heap, table, found, cell, new Caching.Clock(heap), out ItemFacts facts);
        if (status == CacheStatus.Ok)
        {
            HandedOut.NoteLease(heap, cell);
            Interlocked.MemoryBarrier();
            if (Volatile.Read(ref heap->Closing) != 0)
            {
                // Whoever leaves the heap may have looked before there was a note of it.
                Leaving.GiveBackHandedOut(heap, cell);
                return Caching.Done(CacheStatus.Closed, error);
            }

            lease->Value = (byte*)ItemAccess<Hardware>.At(heap, facts.Unit) + facts.Shape.ValueBegins;
            lease->ValueBytes = facts.Shape.ValueBytes;
            lease->Attachment = heap->Number;
            lease->Ticket = Cells<Hardware>.TicketOf(heap, cell).Bits;
            lease->Cell = (ulong)cell;
        }
        else
        {
            Cells<Hardware>.Release(heap, cell);
        }

        CacheCounts<Hardware>.Add(heap, table, status == CacheStatus.Ok ? CacheCounter.Hits : CacheCounter.Misses, 1);
        return Caching.Done(status, error);
    }

    [RuntimeExport("shm_cache_release")]
    internal static void Release(Lease* lease)
    {
        int error = Libc.Error;
        Attachment* heap = ProcessHeap.Find();
        bool isOurs = lease != null && heap != null && lease->Attachment == heap->Number && lease->Cell <= int.MaxValue;
        int cell = isOurs ? (int)lease->Cell : 0;
        if (isOurs && HandedOut.IsLease(heap, cell) && Cells<Hardware>.TryStartWork(heap, cell, new Ticket(lease->Ticket)))
        {
            HandedOut.Forget(heap, cell);
            Cells<Hardware>.Release(heap, cell);
            Refusals<Hardware>.Forget(heap);
            *lease = default;
        }

        Libc.Error = error;
    }
}
