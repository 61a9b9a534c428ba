using ShmAlloc.Caching;

namespace ShmAlloc.Benchmarks.Caches.Alone.Driving;

/// <summary>Asks of a few marks whether they are current.</summary>
internal sealed class MarkCalls : ICalls
{
    private const int Count = 64;

    private readonly SharedCache _cache;
    private readonly CacheMark[] _marks = new CacheMark[Count];

    internal MarkCalls(ShmHeap heap, AloneParameters parameters)
    {
        _cache = SharedCache.Open(heap);
        byte[] value = new byte[100];
        CacheEntryOptions options = new()
        {
            Lifetime = parameters.HasDeadline ? TimeSpan.FromHours(10) : null,
            Tags = parameters.Tags == 0 ? default : CacheTags.Of([.. Enumerable.Range(0, parameters.Tags).Select(number => $"tag {number}")]),
        };
        for (int number = 0; number < Count; number++)
        {
            string key = $"marked, {parameters.HasDeadline}, {parameters.Tags}, {number}";
            _cache.Set(key, value, options);
            _cache.GetMarked(key, value.AsSpan(), out int _, out _marks[number]);
        }
    }

    /// <summary>All of them, again and again: so many calls must be a multiple of them.</summary>
    public long Make(int count)
    {
        long failures = 0;
        for (int done = 0; done < count; done += Count)
        {
            foreach (ref readonly CacheMark mark in _marks.AsSpan())
            {
                failures += _cache.IsCurrent(in mark) ? 0 : 1;
            }
        }

        return failures;
    }
}
