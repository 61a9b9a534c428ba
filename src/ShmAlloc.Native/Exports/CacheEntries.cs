using System.Runtime;
using System.Runtime.CompilerServices;
using ShmAlloc.Caching;
using ShmAlloc.Memory;
using ShmAlloc.Memory.Linux;
using ShmAlloc.Native.Process;
using ShmAlloc.Participants;

namespace ShmAlloc.Native.Exports;

/// <summary>Sets, and adding to numbers.</summary>
internal static unsafe class CacheEntries
{
    [RuntimeExport("shm_cache_set")]
    internal static bool Set(int cache, byte* key, ulong keyBytes, byte* value, ulong valueBytes, ulong lifetimeMilliseconds, uint flags)
    {
        EntryOptions options = default;
        options.StructSize = (ulong)sizeof(EntryOptions);
        options.Lifetime = lifetimeMilliseconds;
        options.Flags = flags;
        return SetWith(cache, key, keyBytes, value, valueBytes, &options);
    }

    [RuntimeExport("shm_cache_set_with")]
    internal static bool SetWith(int cache, byte* key, ulong keyBytes, byte* value, ulong valueBytes, EntryOptions* options)
    {
        int error = Libc.Error;
        const uint known = EntryOptions.PinnedFlag | EntryOptions.AddFlag;
        if (!TryFind(cache, key, keyBytes, options, known, out Attachment* heap, out CacheTable* table, out CacheKey found)
            || !IsThere(value, valueBytes))
        {
            return false;
        }

        if (valueBytes > int.MaxValue)
        {
            return LastError.Fail((int)ShmStatus.TooLarge);
        }

        int code = Put(heap, table, found, value, (uint)valueBytes, options);
        Libc.Error = error;
        return code == 0 || LastError.Fail(code);
    }

    [RuntimeExport("shm_cache_set_or_remove")]
    internal static bool SetOrRemove(int cache, byte* key, ulong keyBytes, byte* value, ulong valueBytes, EntryOptions* options, byte* isStored)
    {
        int error = Libc.Error;
        if (isStored != null)
        {
            *isStored = 0;
        }

        if (!TryFind(cache, key, keyBytes, options, EntryOptions.PinnedFlag, out Attachment* heap, out CacheTable* table, out CacheKey found)
            || !IsThere(value, valueBytes))
        {
            return false;
        }

        if (options != null && options->Version != 0)
        {
            return LastError.Fail(ErrorCode.Of(Detail.VersionHere));
        }

        bool stored = valueBytes <= int.MaxValue && Put(heap, table, found, value, (uint)valueBytes, options) == 0;
        CacheStatus status = CacheCalls<Hardware>.RemoveUnless(heap, table, found, stored, new Caching.Clock(heap));
        if (isStored != null)
        {
            *isStored = stored ? (byte)1 : (byte)0;
        }

        return Caching.Done(status, error);
    }

    [RuntimeExport("shm_cache_increment")]
    internal static bool Increment(int cache, byte* key, ulong keyBytes, long change, long* result) =>
        IncrementWith(cache, key, keyBytes, change, null, result);

    [RuntimeExport("shm_cache_increment_with")]
    internal static bool IncrementWith(int cache, byte* key, ulong keyBytes, long change, EntryOptions* options, long* result)
    {
        int error = Libc.Error;
        const uint known = EntryOptions.PinnedFlag | EntryOptions.KeepsExpiryFlag;
        if (!TryFind(cache, key, keyBytes, options, known, out Attachment* heap, out CacheTable* table, out CacheKey found))
        {
            return false;
        }

        if (options != null && options->Version != 0)
        {
            return LastError.Fail(ErrorCode.Of(Detail.VersionHere));
        }

        int code = Add(heap, table, found, change, options, out long sum);
        if (code == 0 && result != null)
        {
            *result = sum;
        }

        Libc.Error = error;
        return code == 0 || LastError.Fail(code);
    }

    internal static bool IsThere(byte* value, ulong valueBytes) => value != null || valueBytes == 0 || LastError.Fail(ErrorCode.Of(Detail.Null));

    /// <summary>Finds the cache, and looks whether the options make sense. Not inlined: see Prepare.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static bool TryFind(
        int cache, byte* key, ulong keyBytes, EntryOptions* options, uint flags, out Attachment* heap, out CacheTable* table, out CacheKey found)
    {
        if (!Caching.TryFind(cache, key, keyBytes, out heap, out table, out found))
        {
            return false;
        }

        Detail wrong = EntryOptions.FaultOf(options, flags);
        return wrong == Detail.None || LastError.Fail(ErrorCode.Of(wrong));
    }

    /// <summary>Inlined: calls are sparing with the stack.</summary>
    /// <returns>0, or the code of the failure.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Put(Attachment* heap, CacheTable* table, in CacheKey key, byte* value, uint valueBytes, EntryOptions* options)
    {
        ulong now = HeapClock.Now(heap);
        int code = Prepare(heap, table, options, now, out ItemOptions item);
        if (code != 0)
        {
            return code;
        }

        ulong version = options == null ? 0 : options->Version;
        PutMode mode = version != 0 ? PutMode.Replace
            : options != null && (options->Flags & EntryOptions.AddFlag) != 0 ? PutMode.Add
            : PutMode.Set;
        return ErrorCode.Of(CacheCalls<Hardware>.Put(heap, table, key, value, valueBytes, item, mode, version, now, new Caching.Clock(heap)));
    }

    /// <returns>0, or the code of the failure.</returns>
    private static int Add(Attachment* heap, CacheTable* table, in CacheKey key, long change, EntryOptions* options, out long sum)
    {
        sum = 0;
        int code = Prepare(heap, table, options, HeapClock.Now(heap), out ItemOptions item);
        if (code != 0)
        {
            return code;
        }

        bool keepsExpiry = options != null && (options->Flags & EntryOptions.KeepsExpiryFlag) != 0;
        Kept kept = CacheCalls<Hardware>.KeptOf(
            options != null && options->SaysExpiry, keepsExpiry, options != null && options->TagCount != 0, areTagsCaptured: true);
        return ErrorCode.Of(CacheCalls<Hardware>.Increment(heap, table, key, change, item, kept, new Caching.Clock(heap), out sum));
    }

    /// <summary>Not inlined: what it needs for a moment would be on the stack during all that follows.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Prepare(Attachment* heap, CacheTable* table, EntryOptions* options, ulong now, out ItemOptions item) =>
        !EntryOptions.TryRead(options, now, out item) ? ErrorCode.Expired
        : CacheTagging.TryAdd(heap, table, options, ref item) ? 0
        : ErrorCode.Foreign;
}
