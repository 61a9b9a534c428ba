using System.Runtime;
using System.Runtime.InteropServices;
using ShmAlloc.Caching;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Memory.Linux;
using ShmAlloc.Native.Process;
using ShmAlloc.Participants;

namespace ShmAlloc.Native.Exports;

/// <summary><c>struct shm_cache_key</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct BatchKey
{
    internal byte* Key;
    internal ulong KeyBytes;

    internal readonly bool IsSane => KeyBytes <= ItemShape.MaxKeyBytes && (Key != null || KeyBytes == 0);
}

/// <summary><c>struct shm_cache_read</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct BatchResult
{
    internal ulong Offset;
    internal ulong ValueBytes;
    internal int Error;
    internal uint Reserved;
}

/// <summary>Many keys in one call.</summary>
internal static unsafe class CacheBatches
{
    [RuntimeExport("shm_cache_get_many")]
    internal static bool GetMany(int cache, BatchKey* keys, ulong count, byte* buffer, ulong capacity, BatchResult* results)
    {
        int error = Libc.Error;
        if (!Caching.TryFind(cache, out Attachment* heap, out CacheTable* table))
        {
            return false;
        }

        if (count != 0 && (keys == null || results == null))
        {
            return LastError.Fail(ErrorCode.Of(Detail.Null));
        }

        const int most = BatchPrefetch<Hardware>.Keys;
        ulong* hashes = stackalloc ulong[most];
        BatchRead<Hardware> reads = new(heap, table, buffer, buffer == null ? 0 : capacity);
        for (ulong begin = 0; begin < count; begin += most)
        {
            int length = (int)Math.Min(most, count - begin);
            for (int number = 0; number < length; number++)
            {
                BatchKey key = keys[begin + (uint)number];
                hashes[number] = key.IsSane ? Caching.KeyOf(heap, key.Key, (int)key.KeyBytes).Hash : 0;
            }

            BatchPrefetch<Hardware>.ForReading(heap, table, hashes, length);
            for (int number = 0; number < length; number++)
            {
                BatchKey key = keys[begin + (uint)number];
                BatchResult* result = results + begin + (uint)number;
                *result = default;
                if (!key.IsSane)
                {
                    result->Error = key.Key == null ? ErrorCode.Of(ShmFailure.InvalidOption) : (int)ShmStatus.TooLarge;
                    continue;
                }

                CacheStatus status = reads.Next(
                    new CacheKey(key.Key, (int)key.KeyBytes, hashes[number]), new Caching.Clock(heap), out result->Offset, out ItemShape shape, out _);
                result->ValueBytes = shape.ValueBytes;
                result->Error = status == CacheStatus.Ok ? 0 : ErrorCode.Of(status);
            }
        }

        reads.Count();
        Libc.Error = error;
        return true;
    }
}
