namespace ShmAlloc.Benchmarks.HitRates.Policies;

/// <summary>
/// CLOCK, the second chance (Corbató, "A Paging Experiment with the Multics System", 1968): a hit sets a bit; the hand takes the oldest entry, and
/// if its bit is set clears it and lets the entry begin anew, else evicts it. Written as a queue: where the hand stands is the tail.
/// </summary>
internal sealed class Clock : IEvictionPolicy
{
    private readonly long _capacityBytes;
    private readonly Entries _entries = new();
    private readonly EntryQueue _queue;

    internal Clock(long capacityBytes)
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
                MoveHand();
            }

            _queue.AddHead(_entries.Add(key, sizeBytes));
        }

        return false;
    }

    private void MoveHand()
    {
        int number = _queue.Tail;
        _queue.Remove(number);
        if (_entries[number].Visits == 0)
        {
            _entries.Remove(number);
            return;
        }

        _entries[number].Visits = 0;
        _queue.AddHead(number);
    }
}
