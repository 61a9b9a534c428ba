using System.Numerics;

namespace ShmAlloc.Benchmarks.HitRates.Policies.Ours;

/// <summary>The room of one block of 64 KiB in units of 32 bytes, one bit each: what is not compacted is lost to fragmentation, as in a real heap.</summary>
internal sealed class BlockRoom
{
    internal const int UnitBytes = 32;
    internal const int BlockBytes = 64 << 10;
    internal const int Units = BlockBytes / UnitBytes;

    private const int WordBits = 64;

    private readonly ulong[] _taken = new ulong[Units / WordBits];

    internal int FreeUnits { get; private set; } = Units;

    internal static int UnitsOf(int sizeBytes) => (sizeBytes + UnitBytes - 1) / UnitBytes;

    /// <summary>Takes the first run of free units that is long enough.</summary>
    /// <returns>Where it begins, or -1.</returns>
    internal int Claim(int units)
    {
        if (units > FreeUnits)
        {
            return -1;
        }

        int run = 0;
        for (int unit = 0; unit < Units;)
        {
            ulong ahead = _taken[unit / WordBits] >> (unit % WordBits);
            int left = WordBits - (unit % WordBits);
            int free = Math.Min(BitOperations.TrailingZeroCount(ahead), left);
            run += free;
            unit += free;
            if (run >= units)
            {
                Mark(unit - run, units);
                FreeUnits -= units;
                return unit - run;
            }

            if (free < left)
            {
                unit += Math.Min(BitOperations.TrailingZeroCount(~(ahead >> free)), left - free);
                run = 0;
            }
        }

        return -1;
    }

    internal void Free(int unit, int units)
    {
        Mark(unit, units);
        FreeUnits += units;
    }

    /// <summary>Turns bits round: all of them are known to be the same.</summary>
    private void Mark(int unit, int units)
    {
        for (int end = unit + units; unit < end;)
        {
            int bit = unit % WordBits;
            int count = Math.Min(WordBits - bit, end - unit);
            _taken[unit / WordBits] ^= (ulong.MaxValue >> (WordBits - count)) << bit;
            unit += count;
        }
    }
}
