namespace ShmAlloc.Benchmarks.HitRates.Policies;

/// <summary>
/// SIEVE (Zhang, Yang, Yue, Vigfusson, Rashmi: "SIEVE is Simpler than LRU", NSDI '24): a queue in the order of insertion and one bit. The hand goes
/// from the tail to the head: it clears the bit of visited entries and leaves them where they are, and evicts the first that was not visited. New
/// entries join at the head, so the hand meets them soon, and those that nobody asks for again leave quickly.
/// </summary>
internal sealed class Sieve : IEvictionPolicy
{
    private readonly long _capacityBytes;
    private readonly Entries _entries = new();
    private readonly EntryQueue _queue;
    private int _hand = Entries.None;

    internal Sieve(long capacityBytes)
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
            _entries[number].Visits = 1;
            return true;
        }

        if (sizeBytes <= _capacityBytes)
        {
            while (_entries.Bytes + sizeBytes > _capacityBytes)
            {
                Evict();
            }

            _queue.AddHead(_entries.Add(key, sizeBytes));
        }

        return false;
    }

    private void Evict()
    {
        int number = _hand == Entries.None ? _queue.Tail : _hand;
        while (_entries[number].Visits != 0)
        {
            _entries[number].Visits = 0;
            number = _entries[number].Previous == Entries.None ? _queue.Tail : _entries[number].Previous;
        }

        _hand = _entries[number].Previous;
        _queue.Remove(number);
        _entries.Remove(number);
    }
}
