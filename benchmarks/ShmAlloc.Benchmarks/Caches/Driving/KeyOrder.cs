using System.Numerics;
using ShmAlloc.Benchmarks.Driving;

namespace ShmAlloc.Benchmarks.Caches.Driving;

/// <summary>
/// The order in which a worker asks for keys, drawn beforehand. The keys lie in memory in the order of their use, as if each had just been made: the
/// processor fetches them ahead, so that they cost next to nothing, and strings are other objects than the ones in a dictionary.
/// </summary>
internal sealed class KeyOrder
{
    private const int Longest = 1 << 20;

    private const int IndexBits = 25;
    private const uint IndexMask = (1U << IndexBits) - 1;
    private const uint Percent = 100;

    /// <summary>Multiplied by this prime, ranks are spread over all keys.</summary>
    private const ulong Spread = 2_654_435_761;

    private readonly uint[] _draws;
    private readonly byte[] _utf8;
    private readonly string[]? _texts;

    internal KeyOrder(uint keys, bool isZipf, bool wantsText, int worker)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(keys, IndexMask);
        ulong state = Sizes.Seed(worker);
        Zipf zipf = new(keys);
        _draws = new uint[LengthFor(keys)];
        _utf8 = wantsText ? [] : new byte[_draws.Length * Key.Length];
        _texts = wantsText ? new string[_draws.Length] : null;
        for (int position = 0; position < _draws.Length; position++)
        {
            uint rank = isZipf ? zipf.Next(ref state) : (uint)Sizes.Victim(Sizes.Next(ref state), keys);
            uint index = (uint)(rank * Spread % keys);
            _draws[position] = index | ((uint)Sizes.Victim(Sizes.Next(ref state), Percent) << IndexBits);
            if (_texts is not null)
            {
                _texts[position] = Key.TextOf(index);
            }
            else
            {
                Key.WriteUtf8(index, _utf8.AsSpan(position * Key.Length, Key.Length));
            }
        }
    }

    /// <summary>After so many keys it begins again: a power of two.</summary>
    internal int Length => _draws.Length;

    /// <summary>Longer than the number of keys, so that most of them occur; where that takes too much memory, more than any processor caches.</summary>
    internal static int LengthFor(uint keys) => (int)Math.Min(Longest, BitOperations.RoundUpToPowerOf2(2 * keys));

    /// <summary>How often each key occurs, the most frequent one first.</summary>
    internal IEnumerable<int> Frequencies => _draws.CountBy(draw => draw & IndexMask).Select(pair => pair.Value).OrderDescending();

    internal Key this[int position]
    {
        get
        {
            uint index = _draws[position] & IndexMask;
            return _texts is null ? new Key(index, "", _utf8.AsSpan(position * Key.Length, Key.Length)) : new Key(index, _texts[position], default);
        }
    }

    /// <summary>The key at a position, as bytes: only of an order that has no texts.</summary>
    internal ReadOnlyMemory<byte> MemoryAt(int position) => _utf8.AsMemory(position * Key.Length, Key.Length);

    /// <summary>Whether the operation at a position is one of so many in a hundred that set.</summary>
    internal bool IsSet(int position, uint setPercent) => _draws[position] >> IndexBits < setPercent;
}
