namespace ShmAlloc.Benchmarks.HitRates.Policies;

/// <summary>Remembers the keys, not the values, of what was evicted last: as many as would fill so many bytes.</summary>
internal sealed class GhostQueue(long capacityBytes)
{
    private readonly Dictionary<ulong, long> _turnOf = [];
    private readonly Queue<(ulong Key, int SizeBytes, long Turn)> _queue = new();
    private long _bytes;
    private long _turn;

    internal void Add(ulong key, int sizeBytes)
    {
        _turnOf[key] = ++_turn;
        _queue.Enqueue((key, sizeBytes, _turn));
        _bytes += sizeBytes;
        while (_bytes > capacityBytes)
        {
            (ulong oldKey, int oldBytes, long oldTurn) = _queue.Dequeue();
            _bytes -= oldBytes;
            // Removed and added again since: then the later one counts.
            if (_turnOf.TryGetValue(oldKey, out long turn) && turn == oldTurn)
            {
                _turnOf.Remove(oldKey);
            }
        }
    }

    /// <summary>Forgets a key, and says whether it was remembered.</summary>
    internal bool Remove(ulong key) => _turnOf.Remove(key);
}
