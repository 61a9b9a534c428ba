namespace ShmAlloc.Benchmarks.HitRates.Policies;

/// <summary>
/// S3-FIFO (Yang, Zhang, Qiu, Yue, Vigfusson: "FIFO queues are all you need for cache eviction", SOSP '23): a small queue of a tenth of the bytes,
/// a main queue, and a ghost queue of keys.
/// <list type="bullet">
/// <item>A hit only counts, up to 3.</item>
/// <item>New keys join the small queue; keys that the ghost queue remembers join the main queue.</item>
/// <item>The tail of the small queue moves to the main queue if it was hit more than once, else to the ghost queue.</item>
/// <item>The tail of the main queue joins its head again with a count that is one less, until that is 0.</item>
/// </list>
/// </summary>
internal sealed class S3Fifo : IEvictionPolicy
{
    private const byte InSmall = 0;
    private const byte InMain = 1;
    private const byte MostVisits = 3;

    private readonly long _capacityBytes;
    private readonly long _smallBytes;
    private readonly Entries _entries = new();
    private readonly EntryQueue _small;
    private readonly EntryQueue _main;
    private readonly GhostQueue _ghosts;

    internal S3Fifo(long capacityBytes)
    {
        _capacityBytes = capacityBytes;
        _smallBytes = capacityBytes / 10;
        _small = new EntryQueue(_entries);
        _main = new EntryQueue(_entries);
        _ghosts = new GhostQueue(capacityBytes - _smallBytes);
    }

    public long ResidentBytes => _entries.Bytes;

    public bool Request(ulong key, int sizeBytes)
    {
        int number = _entries.Find(key);
        if (number != Entries.None)
        {
            ref byte visits = ref _entries[number].Visits;
            visits = Math.Min((byte)(visits + 1), MostVisits);
            return true;
        }

        if (sizeBytes <= _capacityBytes)
        {
            bool isKnown = _ghosts.Remove(key);
            while (_entries.Bytes + sizeBytes > _capacityBytes)
            {
                if (_small.Bytes >= _smallBytes || _main.Tail == Entries.None)
                {
                    EvictFromSmall();
                }
                else
                {
                    EvictFromMain();
                }
            }

            Join(_entries.Add(key, sizeBytes), isKnown ? InMain : InSmall);
        }

        return false;
    }

    private void EvictFromSmall()
    {
        int number = _small.Tail;
        if (number == Entries.None)
        {
            EvictFromMain();
            return;
        }

        _small.Remove(number);
        if (_entries[number].Visits > 1)
        {
            _entries[number].Visits = 0;
            Join(number, InMain);
            return;
        }

        _ghosts.Add(_entries[number].Key, _entries[number].SizeBytes);
        _entries.Remove(number);
    }

    private void EvictFromMain()
    {
        int number = _main.Tail;
        _main.Remove(number);
        if (_entries[number].Visits == 0)
        {
            _entries.Remove(number);
            return;
        }

        _entries[number].Visits--;
        Join(number, InMain);
    }

    private void Join(int number, byte queue)
    {
        _entries[number].Queue = queue;
        (queue == InMain ? _main : _small).AddHead(number);
    }
}
