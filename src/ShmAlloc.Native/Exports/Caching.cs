using System.Runtime;
using System.Runtime.InteropServices;
using ShmAlloc.Caching;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Memory.Linux;
using ShmAlloc.Native.Process;
using ShmAlloc.Participants;

namespace ShmAlloc.Native.Exports;

/// <summary><c>struct shm_cache_options</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CacheOptions
{
    internal ulong StructSize;
    internal ulong Capacity;
    internal ulong LimitBytes;
    internal uint TagSlots;
    internal uint Flags;
}

/// <summary>The cache: opening it, and what is done with one key.</summary>
internal static unsafe class Caching
{
    private const uint Checksums = 1;
    private const uint Pinned = 1;
    private const uint Add = 2;
    private const ulong BytesPerEntry = 512;
    private const ulong DefaultTagSlots = 4096;
    private const int MostAttempts = 1000;

    [RuntimeExport("shm_cache_open")]
    internal static int Open(byte* name, CacheOptions* options)
    {
        int error = Libc.Error;
        Attachment* heap = ProcessHeap.Find();
        int length = 0;
        for (; name != null && length <= TableLayout.MaxNameBytes && name[length] != 0; length++)
        {
        }

        bool isSane = length is > 0 and <= TableLayout.MaxNameBytes && (options == null || options->StructSize == (ulong)sizeof(CacheOptions));
        if (heap == null || !isSane)
        {
            return heap == null ? FailOpen(LastError.WhyNoHeap) : FailOpen(ErrorCode.Of(ShmFailure.InvalidOption));
        }

        for (int attempt = 0; attempt < MostAttempts; attempt++)
        {
            int number = Directory<Hardware>.Find(heap, name, length, out int free);
            if (number >= 0)
            {
                Libc.Error = error;
                return number;
            }

            ShmStatus status = free == Directory<Hardware>.Unknown ? ShmStatus.Contended
                : heap->ReadOnly ? ShmStatus.ReadOnly
                : free < 0 ? ShmStatus.OutOfMemory
                : Make(heap, (uint)free, name, length, options);
            if (status is not (ShmStatus.Ok or ShmStatus.Contended))
            {
                return FailOpen(free < 0 && !heap->ReadOnly ? ErrorCode.TooManyCaches : (int)status);
            }
        }

        return FailOpen((int)ShmStatus.Contended);
    }

    [RuntimeExport("shm_cache_get")]
    internal static bool Get(int cache, byte* key, ulong keyBytes, byte* buffer, ulong capacity, ulong* valueBytes)
    {
        int error = Libc.Error;
        if (valueBytes != null)
        {
            *valueBytes = 0;
        }

        if (!TryFind(cache, key, keyBytes, out Attachment* heap, out CacheTable* table, out CacheKey found))
        {
            return false;
        }

        ulong room = buffer == null ? 0 : capacity;
        CacheStatus status = CacheStatus.Ok;
        uint length;
        if (QuickRead<Hardware>.TryRead(heap, table, found, buffer, room, out ulong shape, out _, out ulong deadline)
            && (deadline == 0 || !HeapClock.IsPast(heap, deadline)))
        {
            length = new ItemShape(shape).ValueBytes;
        }
        else
        {
            status = CacheReader<Hardware>.TryGet(heap, table, found, buffer, room, new Clock(heap), out ItemFacts facts, out ulong now);
            length = facts.Shape.ValueBytes;
            if (status is CacheStatus.Ok or CacheStatus.BufferTooSmall
                && facts.Shape.Is(ItemShape.Sliding) && !heap->ReadOnly && facts.IsRenewalDue(now))
            {
                CacheStore<Hardware>.Refresh(heap, table, found, HeapClock.Now(heap));
            }
        }

        bool isHit = status is CacheStatus.Ok or CacheStatus.BufferTooSmall;
        CacheCounts<Hardware>.Add(heap, table, isHit ? CacheCounter.Hits : CacheCounter.Misses, 1);
        if (isHit && valueBytes != null)
        {
            *valueBytes = length;
        }

        return Done(status, error);
    }

    [RuntimeExport("shm_cache_set")]
    internal static bool Set(int cache, byte* key, ulong keyBytes, byte* value, ulong valueBytes, ulong lifetimeMilliseconds, uint flags)
    {
        int error = Libc.Error;
        if (!TryFind(cache, key, keyBytes, out Attachment* heap, out CacheTable* table, out CacheKey found))
        {
            return false;
        }

        if ((value == null && valueBytes != 0) || valueBytes > int.MaxValue || (flags & ~(Pinned | Add)) != 0)
        {
            return LastError.Fail(ErrorCode.Of(ShmFailure.InvalidOption));
        }

        ulong now = HeapClock.Now(heap);
        ItemOptions options = default;
        options.Flags = (flags & Pinned) != 0 ? ItemShape.Pinned : 0;
        options.Deadline = lifetimeMilliseconds == 0 ? 0 : now + Math.Min(lifetimeMilliseconds, long.MaxValue - now);
        PutMode mode = (flags & Add) != 0 ? PutMode.Add : PutMode.Set;
        return Done(CacheStore<Hardware>.Put(heap, table, found, value, (uint)valueBytes, options, mode, 0, now), error);
    }

    [RuntimeExport("shm_cache_remove")]
    internal static bool Remove(int cache, byte* key, ulong keyBytes)
    {
        int error = Libc.Error;
        return TryFind(cache, key, keyBytes, out Attachment* heap, out CacheTable* table, out CacheKey found)
            && Done(CacheStore<Hardware>.Remove(heap, table, found, 0, HeapClock.Now(heap)), error);
    }

    [RuntimeExport("shm_cache_increment")]
    internal static bool Increment(int cache, byte* key, ulong keyBytes, long change, long* result)
    {
        int error = Libc.Error;
        if (!TryFind(cache, key, keyBytes, out Attachment* heap, out CacheTable* table, out CacheKey found))
        {
            return false;
        }

        CacheStatus status = CacheStatus.Contended;
        for (int attempt = 0; attempt < MostAttempts; attempt++)
        {
            long number = 0;
            status = CacheReader<Hardware>.TryGet(
                heap, table, found, (byte*)&number, sizeof(long), new Clock(heap), out ItemFacts facts, out _);
            bool isMissing = status == CacheStatus.Missing;
            if (!isMissing && (status != CacheStatus.Ok || facts.Shape.ValueBytes != sizeof(long)))
            {
                return Done(status is CacheStatus.Ok or CacheStatus.BufferTooSmall ? CacheStatus.WrongKind : status, error);
            }

            long next = unchecked((isMissing ? 0 : number) + change);
            ItemOptions options = default;
            options.Deadline = isMissing ? 0 : facts.Deadline;
            status = CacheStore<Hardware>.Put(
                heap, table, found, (byte*)&next, sizeof(long), options, isMissing ? PutMode.Add : PutMode.Replace, facts.Stamp, HeapClock.Now(heap));
            if (status is not (CacheStatus.Exists or CacheStatus.Changed or CacheStatus.Missing or CacheStatus.Contended))
            {
                if (result != null)
                {
                    *result = next;
                }

                return Done(status, error);
            }
        }

        return Done(CacheStatus.Contended, error);
    }

    private readonly struct Clock(Attachment* heap) : IClock
    {
        public ulong Now => HeapClock.Now(heap);
    }

    /// <summary>The table of a number and a key's hash.</summary>
    internal static bool TryFind(int cache, byte* key, ulong keyBytes, out Attachment* heap, out CacheTable* table, out CacheKey found)
    {
        table = null;
        found = default;
        heap = ProcessHeap.Find();
        if (heap == null)
        {
            return LastError.FailNoHeap();
        }

        table = cache is >= 0 and < HeaderLayout.Caches ? Directory<Hardware>.Find(heap, (uint)cache) : null;
        if (table == null || (key == null && keyBytes != 0))
        {
            return LastError.Fail(ErrorCode.NoCache);
        }

        if (keyBytes > ItemShape.MaxKeyBytes)
        {
            return LastError.Fail((int)ShmStatus.TooLarge);
        }

        ulong* seed = (ulong*)&heap->Header->HashSeed;
        found = new CacheKey(key, (int)keyBytes, KeyHash.Of(key, (int)keyBytes, Hardware.Read(seed, "", 0), Hardware.Read(seed + 1, "", 0)));
        return true;
    }

    internal static bool Done(CacheStatus status, int error)
    {
        Libc.Error = error;
        return status == CacheStatus.Ok || LastError.Fail(ErrorCode.Of(status));
    }

    private static ShmStatus Make(Attachment* heap, uint number, byte* name, int length, CacheOptions* options)
    {
        ulong wanted = options == null || options->Capacity == 0
            ? (heap->Geometry.MaximumBlocks << heap->Geometry.BlockShift) / BytesPerEntry
            : Math.Min(options->Capacity, TableLayout.MaxBuckets);
        ulong buckets = Math.Max(2, (wanted + TableLayout.EntriesOfBucket - 1) / TableLayout.EntriesOfBucket);
        ulong tags = PowerOfTwo(options == null || options->TagSlots == 0 ? DefaultTagSlots : Math.Min(options->TagSlots, TableLayout.MaxTagSlots));
        ulong limit = options == null ? 0 : Math.Min(options->LimitBytes, long.MaxValue);
        ulong flags = options != null && (options->Flags & Checksums) != 0 ? ItemShape.Checked : 0;
        return Directory<Hardware>.TryMake(heap, number, name, length, buckets, tags, limit, flags);
    }

    private static ulong PowerOfTwo(ulong value) => 1UL << Geometry.CeilingLog2(value);

    private static int FailOpen(int code)
    {
        LastError.Fail(code);
        return -1;
    }
}
