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

/// <summary>The cache: opening it, gets, removals, and what all its functions begin and end with.</summary>
internal static unsafe class Caching
{
    private const uint Checksums = 1;
    private const uint AllowsRemoveAll = 2;
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

        if (heap == null)
        {
            return FailOpen(LastError.WhyNoHeap);
        }

        Detail wrong = length is 0 or > TableLayout.MaxNameBytes ? Detail.CacheName : FaultOf(options);
        if (wrong != Detail.None)
        {
            return FailOpen(ErrorCode.Of(wrong));
        }

        CacheStatus begun = HeapClock.TryBegin(heap);
        if (begun != CacheStatus.Ok)
        {
            return FailOpen((int)(begun == CacheStatus.NoParticipantSlot ? ShmStatus.NoParticipantSlot : ShmStatus.Contended));
        }

        for (int attempt = 0; attempt < MostAttempts; attempt++)
        {
            int number = Directory<Hardware>.Find(heap, name, length, out int free);
            if (number >= 0)
            {
                CacheTable* table = Directory<Hardware>.Find(heap, (uint)number);
                CacheOption option = Specify(options).Contradiction(heap, table, out _);
                if (option != CacheOption.None)
                {
                    return FailOpen(ErrorCode.Of(ShmFailure.OptionsContradict, ErrorCode.DetailOf(option)));
                }

                Libc.Error = error;
                return number;
            }

            ShmStatus status = free == Directory<Hardware>.Unknown ? ShmStatus.Contended
                : heap->ReadOnly ? ShmStatus.ReadOnly
                : free < 0 ? ShmStatus.OutOfMemory
                : Directory<Hardware>.TryMake(heap, (uint)free, name, length, Specify(options));
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
        CacheStatus status = CacheCalls<Hardware>.Get(heap, table, found, buffer, room, new Clock(heap), out ulong shape, out _);
        bool isHit = status is CacheStatus.Ok or CacheStatus.BufferTooSmall;
        CacheCounts<Hardware>.Add(heap, table, isHit ? CacheCounter.Hits : CacheCounter.Misses, 1);
        if (isHit && valueBytes != null)
        {
            *valueBytes = new ItemShape(shape).ValueBytes;
        }

        return Done(status, error);
    }

    [RuntimeExport("shm_cache_remove")]
    internal static bool Remove(int cache, byte* key, ulong keyBytes)
    {
        int error = Libc.Error;
        return TryFind(cache, key, keyBytes, out Attachment* heap, out CacheTable* table, out CacheKey found)
            && Done(CacheCalls<Hardware>.Remove(heap, table, found, expected: 0, new Clock(heap)), error);
    }

    [RuntimeExport("shm_cache_remove_all")]
    internal static bool RemoveAll(int cache)
    {
        int error = Libc.Error;
        if (!TryFind(cache, out Attachment* heap, out CacheTable* table))
        {
            return false;
        }

        CacheStatus status = CacheCalls<Hardware>.RemoveAll(heap, table);
        return status == CacheStatus.WrongKind ? LastError.Fail(ErrorCode.Of(ShmFailure.OptionsContradict, Detail.RemoveAll)) : Done(status, error);
    }

    [RuntimeExport("shm_cache_touch")]
    internal static bool Touch(int cache, byte* key, ulong keyBytes, ulong lifetimeMilliseconds)
    {
        int error = Libc.Error;
        if (!TryFind(cache, key, keyBytes, out Attachment* heap, out CacheTable* table, out CacheKey found))
        {
            return false;
        }

        ulong now = HeapClock.Now(heap);
        ItemOptions options = default;
        options.Deadline = ItemLife.After(now, lifetimeMilliseconds);
        return Done(CacheCalls<Hardware>.Touch(heap, table, found, options, now, new Clock(heap)), error);
    }

    internal readonly struct Clock(Attachment* heap) : IClock
    {
        public ulong Now => HeapClock.Now(heap);

        public bool IsPast(ulong deadline) => HeapClock.IsPast(heap, deadline);
    }

    /// <summary>The table of a number.</summary>
    internal static bool TryFind(int cache, out Attachment* heap, out CacheTable* table)
    {
        table = null;
        heap = ProcessHeap.Find();
        if (heap == null)
        {
            return LastError.FailNoHeap();
        }

        table = cache is >= 0 and < HeaderLayout.Caches ? Directory<Hardware>.Find(heap, (uint)cache) : null;
        return table != null || LastError.Fail(ErrorCode.NoCache);
    }

    /// <summary>The same, and a key's hash.</summary>
    internal static bool TryFind(int cache, byte* key, ulong keyBytes, out Attachment* heap, out CacheTable* table, out CacheKey found)
    {
        found = default;
        if (!TryFind(cache, out heap, out table))
        {
            return false;
        }

        if (key == null && keyBytes != 0)
        {
            return LastError.Fail(ErrorCode.NoCache);
        }

        if (keyBytes > ItemShape.MaxKeyBytes)
        {
            return LastError.Fail((int)ShmStatus.TooLarge);
        }

        UntoldEnds<Hardware>.Tell(heap);
        found = KeyOf(heap, key, (int)keyBytes);
        return true;
    }

    internal static CacheKey KeyOf(Attachment* heap, byte* key, int keyBytes)
    {
        ulong* seed = (ulong*)&heap->Header->HashSeed;
        return new CacheKey(key, keyBytes, KeyHash.Of(key, keyBytes, Hardware.Read(seed, "", 0), Hardware.Read(seed + 1, "", 0)));
    }

    internal static bool Done(CacheStatus status, int error)
    {
        Libc.Error = error;
        return status == CacheStatus.Ok || LastError.Fail(ErrorCode.Of(status));
    }

    private static Detail FaultOf(CacheOptions* options) => options == null ? Detail.None
        : options->StructSize != (ulong)sizeof(CacheOptions) ? Detail.StructSize
        : (options->Flags & ~(Checksums | AllowsRemoveAll)) != 0 ? Detail.Flags
        : ErrorCode.DetailOf(Specify(options).TooLarge);

    private static CacheSpecification Specify(CacheOptions* options) => options == null ? default : new()
    {
        Capacity = options->Capacity,
        LimitBytes = options->LimitBytes,
        TagSlots = options->TagSlots,
        Checksums = (options->Flags & Checksums) != 0,
        AllowsRemoveAll = (options->Flags & AllowsRemoveAll) != 0,
    };

    private static int FailOpen(int code)
    {
        LastError.Fail(code);
        return -1;
    }
}
