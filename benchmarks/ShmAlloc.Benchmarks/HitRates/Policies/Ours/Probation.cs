namespace ShmAlloc.Benchmarks.HitRates.Policies.Ours;

/// <summary>
/// How long a new entry may wait for its first hit, as a share of the capacity that is inserted meanwhile: found by comparing what a little more
/// would bring to either side.
/// <list type="bullet">
/// <item>Each hand counts the bytes that it has evicted, and notes the count in the ghost word of each key.</item>
/// <item>A key that comes back before its hand has evicted another twentieth of the capacity would have been a hit if that side had been so much
/// larger: the share grows or shrinks by 16 times the size of the entry.</item>
/// <item>A key that the probation hand evicted, and that comes back before that hand has evicted three quarters of the capacity, needs no second
/// probation.</item>
/// </list>
/// The idea of the small queue and its ghosts is S3-FIFO's (SOSP '23), that ghosts move the border is ARC's (Megiddo and Modha, FAST '03).
/// </summary>
internal sealed class Probation
{
    private const double LeastShare = 0.05;
    private const double MostShare = 0.95;
    private const int Step = 16;

    /// <summary>The unit of counts in ghost words: so many are the capacity.</summary>
    private const int TicksOfCapacity = 256;

    private const int MarginTicks = TicksOfCapacity / 20;
    private const int MemoryTicks = TicksOfCapacity * 3 / 4;

    private readonly long _capacityBytes;
    private readonly GhostTable _ghosts;
    private readonly long[] _evictedBytes = new long[2];
    private long _insertedBytes;

    internal Probation(long capacityBytes, GhostTable ghosts)
    {
        _capacityBytes = capacityBytes;
        _ghosts = ghosts;
    }

    internal double Share { get; private set; } = 0.1;

    /// <summary>The time of the probation: bytes that were inserted as new.</summary>
    internal long Now => _insertedBytes;

    internal bool IsOver(long since) => _insertedBytes - since > Share * _capacityBytes;

    /// <summary>Called for each entry that is inserted.</summary>
    /// <returns>The hint that it starts with.</returns>
    internal byte Admit(ulong key, int sizeBytes)
    {
        if (_ghosts.Remove(key, out Hand hand, out uint when))
        {
            uint age = GhostTable.Age(when, Ticks(hand));
            if (age <= MarginTicks)
            {
                double change = (double)Step * sizeBytes / _capacityBytes;
                Share = Math.Clamp(hand == Hand.Probation ? Share + change : Share - change, LeastShare, MostShare);
            }

            if (hand == Hand.Probation && age <= MemoryTicks)
            {
                return Hint.Cold;
            }
        }

        _insertedBytes += sizeBytes;
        return Hint.New;
    }

    /// <summary>Called for each entry that is evicted: new ones count as the probation hand's, whichever found them.</summary>
    internal void Evicted(ulong key, int sizeBytes, byte hint)
    {
        Hand hand = hint == Hint.New ? Hand.Probation : Hand.Main;
        _evictedBytes[(int)hand] += sizeBytes;
        _ghosts.Add(key, hand, Ticks(hand));
    }

    private uint Ticks(Hand hand) => (uint)(_evictedBytes[(int)hand] * TicksOfCapacity / _capacityBytes);
}
