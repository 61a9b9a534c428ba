using System.Runtime.CompilerServices;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>
/// Gets of many keys, whose values go into one buffer, one behind the other. A value for which there is no room left is passed over, and what fits after it is
/// copied.
/// </summary>
internal unsafe struct BatchRead<TMachine>(Attachment* heap, CacheTable* table, byte* buffer, ulong capacity)
    where TMachine : struct, IMachine
{
    private ulong _used;
    private long _asked;
    private long _found;

    /// <summary>Values that were copied.</summary>
    internal int Copied { get; private set; }

    /// <summary>Whether every key had a value, copied or not.</summary>
    internal readonly bool IsAllFound => _found == _asked;

    /// <summary>Gets the next value.</summary>
    /// <param name="key">The key.</param>
    /// <param name="clock">Of the cache.</param>
    /// <param name="offset">Where in the buffer the value begins; 0 if it was not copied.</param>
    /// <param name="shape">Of the item, also if its value does not fit; 0 if there is none.</param>
    /// <param name="stamp">Of the item; 0 if there is none.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal CacheStatus Next<TClock>(CacheKey key, TClock clock, out ulong offset, out ItemShape shape, out ulong stamp)
        where TClock : struct, IClock
    {
        CacheStatus status = CacheCalls<TMachine>.Get(heap, table, key, buffer + _used, capacity - _used, clock, out ulong bits, out stamp);
        shape = new ItemShape(bits);
        offset = 0;
        _asked++;
        _found += status is CacheStatus.Ok or CacheStatus.BufferTooSmall ? 1 : 0;
        if (status == CacheStatus.Ok)
        {
            Copied++;
            offset = _used;
            _used += shape.ValueBytes;
        }

        return status;
    }

    /// <summary>Counts the gets.</summary>
    internal readonly void Count()
    {
        CacheCounts<TMachine>.Add(heap, table, CacheCounter.Hits, _found);
        CacheCounts<TMachine>.Add(heap, table, CacheCounter.Misses, _asked - _found);
    }
}
