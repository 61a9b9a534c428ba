using System.Buffers.Binary;
using System.Numerics;
using ShmAlloc.Benchmarks.HitRates.Traces;
using ShmAlloc.Benchmarks.Measuring;
using ShmAlloc.Caching;

namespace ShmAlloc.Benchmarks.HitRates.Policies;

/// <summary>
/// This library's cache itself, in a heap in a file, which is removed at the end. All blocks of the heap together are the capacity: its index, the rounding
/// of items to units and what fragmentation loses are charged to it. Not charged is what does not grow with a cache: the header and the slots.
/// </summary>
/// <remarks>
/// An item has a header of 32 bytes; an entry of a trace, an overhead of <see cref="Request.OverheadBytes"/>, in which the index is included. So an item is
/// 16 bytes smaller than the entry that it stands for, and the index comes on top.
/// </remarks>
internal sealed class SharedCachePolicy : IEvictionPolicy, IDisposable
{
    /// <summary>As the defaults are: smaller blocks in heaps of less than 8 MiB, and at least so many.</summary>
    private const long FewestBlocks = 64;
    private const long FewestBytesOfLargestBlocks = 8 << 20;
    private const int LargestBlockBytes = 64 << 10;
    private const int SmallestBlockBytes = 4096;

    private const int KeyBytes = sizeof(ulong);

    /// <summary>Entries that the index gets room for, for ten that are expected: of an index that is nearly full, entries have to make room for others.</summary>
    private const long TenthsOfCapacity = 13;

    private readonly Place _place = new();
    private readonly ShmHeap? _heap;
    private readonly SharedCache _cache;
    private readonly byte[] _key = new byte[KeyBytes];
    private byte[] _value = [];

    /// <param name="capacityBytes">Of the heap's blocks.</param>
    /// <param name="expectedEntries">What a user would say who knows how large the entries are.</param>
    internal SharedCachePolicy(long capacityBytes, long expectedEntries)
    {
        long blockBytes = (long)BitOperations.RoundUpToPowerOf2((ulong)(capacityBytes / FewestBlocks) + 1) / 2;
        long largest = capacityBytes >= FewestBytesOfLargestBlocks ? LargestBlockBytes : LargestBlockBytes / 2;
        blockBytes = Math.Clamp(blockBytes, SmallestBlockBytes, largest);
        ShmHeapOptions size = new() { SizeBytes = capacityBytes / blockBytes * blockBytes, BlockBytes = (int)blockBytes, MaxParticipants = 4 };
        SharedCacheOptions options = new() { Capacity = Math.Max(1, expectedEntries * TenthsOfCapacity / 10), TagSlots = 1 };
        try
        {
            _heap = ShmHeap.Open(_place.Heap, size);
            _cache = SharedCache.Open(_heap, "hitrate", options);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The bytes of all items, each rounded to units, without the index.</summary>
    public long ResidentBytes => _cache.GetStatistics().Bytes;

    public bool Request(ulong key, int sizeBytes)
    {
        int valueBytes = Math.Max(0, sizeBytes - Traces.Request.OverheadBytes - KeyBytes);
        _value = _value.Length < valueBytes ? new byte[valueBytes] : _value;
        BinaryPrimitives.WriteUInt64LittleEndian(_key, key);
        if (_cache.TryGet(_key, _value, out _))
        {
            return true;
        }

        _cache.Set(_key, _value.AsSpan(0, valueBytes));
        return false;
    }

    public void Dispose()
    {
        _heap?.Dispose();
        _place.Dispose();
    }
}
