namespace ShmAlloc.Benchmarks.HitRates.Policies;

/// <summary>Least recently used: a hit moves the entry to the head of a list, and the tail is evicted.</summary>
internal sealed class Lru : IEvictionPolicy
{
    private readonly long _capacityBytes;
    private readonly Entries _entries = new();
    private readonly EntryQueue _queue;

    internal Lru(long capacityBytes)
    {
        _capacityBytes = capacityBytes;
        _queue = new EntryQueue(_entries);
    }

    public long ResidentBytes => _entries.Bytes;

    public bool Request(ulong key, int sizeBytes)
    {
        int number = _entries.Find(key);
        if (number != Entries.None)
        {
            _queue.Remove(number);
            _queue.AddHead(number);
            return true;
        }

        if (sizeBytes <= _capacityBytes)
        {
            while (_entries.Bytes + sizeBytes > _capacityBytes)
            {
                int victim = _queue.Tail;
                _queue.Remove(victim);
                _entries.Remove(victim);
            }

            _queue.AddHead(_entries.Add(key, sizeBytes));
        }

        return false;
    }
}
