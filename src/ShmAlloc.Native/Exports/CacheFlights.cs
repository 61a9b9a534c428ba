using System.Runtime;
using System.Runtime.CompilerServices;
using ShmAlloc.Caching;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Memory.Linux;
using ShmAlloc.Native.Process;
using ShmAlloc.Participants;

namespace ShmAlloc.Native.Exports;

/// <summary>Values that one works out while others wait.</summary>
internal static unsafe class CacheFlights
{
    [SkipLocalsInit]
    [RuntimeExport("shm_cache_begin_flight")]
    internal static int Begin(
        int cache, byte* key, ulong keyBytes, byte* buffer, ulong capacity, ulong* valueBytes, FlightOptions* options, FlightHandle* flight)
    {
        int error = Libc.Error;
        if (valueBytes != null)
        {
            *valueBytes = 0;
        }

        if (flight == null)
        {
            return Fail(ErrorCode.Of(Detail.Null));
        }

        flight->State = 0;
        if (!Caching.TryFind(cache, key, keyBytes, out Attachment* heap, out CacheTable* table, out CacheKey found))
        {
            return FlightCall.Failed;
        }

        Detail wrong = FlightOptions.FaultOf(options);
        if (wrong != Detail.None)
        {
            return Fail(ErrorCode.Of(wrong));
        }

        Unsafe.SkipInit(out FlightCall call);
        call.Clear();
        call.Heap = heap;
        call.Table = table;
        call.Cache = cache;
        call.Key = found;
        call.Buffer = buffer;
        call.Room = buffer == null ? 0 : capacity;
        call.Options = options;
        call.Flight = flight;
        int answer = call.Run();
        if (valueBytes != null)
        {
            *valueBytes = call.ValueBytes;
        }

        Libc.Error = error;
        return answer != FlightCall.Failed ? answer : Fail(ErrorCode.Of(call.Status));
    }

    [RuntimeExport("shm_cache_complete_flight")]
    internal static bool Complete(
        int cache, byte* key, ulong keyBytes, byte* value, ulong valueBytes, EntryOptions* options, FlightHandle* flight)
    {
        int error = Libc.Error;
        if (!CacheEntries.TryFind(cache, key, keyBytes, options, EntryOptions.PinnedFlag, out Attachment* heap, out CacheTable* table, out CacheKey found)
            || !CacheEntries.IsThere(value, valueBytes))
        {
            return false;
        }

        Detail wrong = options == null ? Detail.None
            : options->TagCount != 0 ? Detail.TagsOfFlight
            : options->Version != 0 ? Detail.VersionHere
            : Detail.None;
        int code = wrong != Detail.None ? ErrorCode.Of(wrong) : FlightHandle.FaultOf(flight, heap, cache, found);
        if (code != 0 || !FlightHandle.TryEnd(flight))
        {
            return LastError.Fail(code != 0 ? code : ErrorCode.StaleFlight);
        }

        code = Land(heap, table, found, value, valueBytes, options, flight);
        Libc.Error = error;
        return code == 0 || LastError.Fail(code);
    }

    [RuntimeExport("shm_cache_end_flight")]
    internal static bool End(int cache, byte* key, ulong keyBytes, bool hasFailed, FlightHandle* flight)
    {
        int error = Libc.Error;
        if (!Caching.TryFind(cache, key, keyBytes, out Attachment* heap, out CacheTable* table, out CacheKey found))
        {
            return false;
        }

        int code = FlightHandle.FaultOf(flight, heap, cache, found);
        if (code != 0 || !FlightHandle.TryEnd(flight))
        {
            return LastError.Fail(code != 0 ? code : ErrorCode.StaleFlight);
        }

        GiveUp(heap, table, found, flight, FlightEnding.RestAfterEnd(hasFailed, flight->IsPlaceholder != 0, flight->Pause), hasFailed: true);
        if (hasFailed)
        {
            CacheCounts<Hardware>.Add(heap, table, CacheCounter.FailedFlights, 1);
        }

        Libc.Error = error;
        return true;
    }

    /// <summary>Inlined: calls are sparing with the stack.</summary>
    /// <returns>0: it was stored; or the code of why not.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Land(
        Attachment* heap, CacheTable* table, in CacheKey key, byte* value, ulong valueBytes, EntryOptions* options, FlightHandle* flight)
    {
        if (flight->Refusal != 0)
        {
            return ErrorCode.Of((CacheStatus)flight->Refusal);
        }

        // What is called here is not inlined, so that it is not on the stack while room is made.
        ulong now = HeapClock.Now(heap);
        bool isAhead = EntryOptions.TryRead(options, now, out ItemOptions item);
        CacheStatus status = CacheStatus.Changed;
        if (isAhead)
        {
            item.Tags = flight->Tags;
            item.TagCount = (int)flight->TagCount;
            item.TagOfAll = flight->TagOfAll;
            FlightLook look = default;
            (look.Stamp, look.Word, look.IsPlaceholder) = (flight->Stamp, new WorkWord(flight->Word), flight->IsPlaceholder != 0);
            status = valueBytes > int.MaxValue ? CacheStatus.TooLarge : Flight<Hardware>.Complete(
                heap, table, key, value, (uint)valueBytes, item, ref look, now, new Caching.Clock(heap), out _);
            (flight->Stamp, flight->IsPlaceholder) = (look.Stamp, look.IsPlaceholder ? 1UL : 0UL);
        }

        if (!isAhead || status != CacheStatus.Ok)
        {
            bool isPlaceholder = flight->IsPlaceholder != 0;
            bool passes = !isAhead || status is CacheStatus.NoRoom or CacheStatus.TooLarge;
            GiveUp(heap, table, key, flight, FlightEnding.RestAfterValue(passes, isPlaceholder, flight->Pause), hasFailed: !isPlaceholder);
        }

        return isAhead ? ErrorCode.Of(status) : ErrorCode.Expired;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void GiveUp(Attachment* heap, CacheTable* table, in CacheKey key, FlightHandle* flight, ulong rest, bool hasFailed)
    {
        WorkWord mine = new(flight->Word);
        if (mine.IsOwned)
        {
            WorkWord next = FlightEnding.WordOf(rest, hasFailed, HeapClock.Now(heap));
            if (!Flight<Hardware>.TryGiveUp(heap, table, key.Hash, flight->Stamp, mine, next))
            {
                UntoldEnds<Hardware>.Note(heap, table, key.Hash, flight->Stamp, mine, next);
            }
        }
    }

    private static int Fail(int code)
    {
        LastError.Fail(code);
        return FlightCall.Failed;
    }
}
