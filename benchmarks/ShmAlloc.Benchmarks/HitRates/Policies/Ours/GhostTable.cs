namespace ShmAlloc.Benchmarks.HitRates.Policies.Ours;

/// <summary>
/// What was evicted lately, as 32-bit words in buckets of four: a new word pushes the oldest of its bucket out. Everything in it is a hint: it may be
/// torn, lost, or say of a key what is true of another one.
/// <code>
/// 31        30..20             19..0
/// hand      when (mod 512)     tag of the key, never 0
/// </code>
/// When: the bytes that this hand had evicted, in 256ths of the capacity.
/// </summary>
internal sealed class GhostTable
{
    internal const int WordBytes = 4;

    private const int Ways = 4;
    private const int TagBits = 20;
    private const uint TagMask = (1u << TagBits) - 1;
    private const uint WhenMask = 2047;

    private readonly uint[] _words;

    internal GhostTable(long words) => _words = new uint[Math.Max(Ways, words / Ways * Ways)];

    internal void Add(ulong key, Hand hand, uint when)
    {
        ulong hash = Hash(key);
        Span<uint> bucket = Bucket(hash);
        bucket[..^1].CopyTo(bucket[1..]);
        bucket[0] = ((uint)hand << 31) | ((when & WhenMask) << TagBits) | Tag(hash);
    }

    /// <summary>Looks a key up, and forgets it.</summary>
    internal bool Remove(ulong key, out Hand hand, out uint when)
    {
        ulong hash = Hash(key);
        foreach (ref uint word in Bucket(hash))
        {
            if ((word & TagMask) == Tag(hash))
            {
                hand = (Hand)(word >> 31);
                when = (word >> TagBits) & WhenMask;
                word = 0;
                return true;
            }
        }

        (hand, when) = (default, 0);
        return false;
    }

    /// <summary>How long ago, as far as the eleven bits can tell.</summary>
    internal static uint Age(uint when, uint now) => (now - when) & WhenMask;

    private static uint Tag(ulong hash) => Math.Max((uint)hash & TagMask, 1);

    /// <summary>The finalizer of SplitMix64.</summary>
    private static ulong Hash(ulong key)
    {
        key = (key ^ (key >> 30)) * 0xBF58476D1CE4E5B9;
        key = (key ^ (key >> 27)) * 0x94D049BB133111EB;
        return key ^ (key >> 31);
    }

    private Span<uint> Bucket(ulong hash) => _words.AsSpan((int)(((hash >> 32) * (ulong)(_words.Length / Ways)) >> 32) * Ways, Ways);
}
