using System.Runtime.InteropServices;
using ShmAlloc.Benchmarks.Caches.Driving;
using ShmAlloc.Caching;

namespace ShmAlloc.Benchmarks.Caches.Alone.Driving;

/// <summary>Gets in a drawn order, one by one or 32 in a call. The first process that comes sets all keys.</summary>
internal sealed class GetCalls : ICalls
{
    private const int Batch = 32;
    private const int ValueBytes = 100;

    private readonly SharedCache _cache;
    private readonly bool _isMany;
    private readonly ReadOnlyMemory<byte>[] _keys;
    private readonly byte[] _found = new byte[Batch * ValueBytes];
    private readonly CacheRead[] _reads = new CacheRead[Batch];
    private int _position;

    internal GetCalls(ShmHeap heap, AloneParameters parameters)
    {
        _cache = SharedCache.Open(heap, "gets", new SharedCacheOptions { Capacity = parameters.Keys * 3L / 2 });
        _isMany = parameters.IsMany;
        Load(parameters.Keys);
        KeyOrder order = new(parameters.Keys, isZipf: false, wantsText: false, worker: _isMany ? 1 : 0);
        _keys = [.. Enumerable.Range(0, order.Length).Select(order.MemoryAt)];
    }

    public long Make(int count)
    {
        int begin = _position;
        _position = (begin + count) & (_keys.Length - 1);
        return _isMany ? GetMany(begin, count) : GetEach(begin, count);
    }

    private long GetEach(int begin, int count)
    {
        long failures = 0;
        Span<byte> found = _found.AsSpan(0, ValueBytes);
        foreach (ReadOnlyMemory<byte> key in _keys.AsSpan(begin, count))
        {
            failures += _cache.TryGet(key.Span, found, out int length) && length == ValueBytes ? 0 : 1;
        }

        return failures;
    }

    private long GetMany(int begin, int count)
    {
        long failures = 0;
        for (int done = 0; done < count; done += Batch)
        {
            failures += Batch - _cache.GetMany(_keys.AsSpan(begin + done, Batch), _found, _reads);
        }

        return failures;
    }

    private void Load(uint keys)
    {
        byte[] utf8 = new byte[Key.Length];
        byte[] value = new byte[ValueBytes];
        Key.WriteUtf8(keys - 1, utf8);
        for (uint index = 0; index < keys && !_cache.Contains(utf8); index++)
        {
            Key.WriteUtf8(index, utf8);
            MemoryMarshal.Write(value, (ulong)index);
            if (_cache.Set(utf8, value) != CacheStatus.Ok)
            {
                throw new InvalidOperationException($"Key {index} could not be set.");
            }

            Key.WriteUtf8(keys - 1, utf8);
        }
    }
}
