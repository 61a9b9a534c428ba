namespace ShmAlloc.Benchmarks.HitRates.Traces;

/// <summary>Random draws that are the same on every machine and with every version of .NET: Marsaglia's xorshift64*.</summary>
internal sealed class Draw(ulong seed)
{
    private ulong _state = (seed * 0x9E3779B97F4A7C15) ^ 0xD1B54A32D192ED03;

    internal ulong Next()
    {
        _state ^= _state >> 12;
        _state ^= _state << 25;
        _state ^= _state >> 27;
        return _state * 0x2545F4914F6CDD1D;
    }

    /// <summary>From 0 to 1, without 1.</summary>
    internal double Uniform() => (Next() >> 11) * (1.0 / (1L << 53));

    /// <summary>From 0 to a bound, without the bound.</summary>
    internal int Below(int bound) => (int)(((Next() >> 32) * (ulong)bound) >> 32);

    /// <summary>Mean 0, variance 1 (Box and Muller).</summary>
    internal double Normal() => Math.Sqrt(-2 * Math.Log(1 - Uniform())) * Math.Cos(2 * Math.PI * Uniform());

    internal double Exponential(double mean) => -mean * Math.Log(1 - Uniform());

    /// <summary>0 to the length, in random order (Fisher and Yates).</summary>
    internal int[] Permutation(int length)
    {
        int[] result = [.. Enumerable.Range(0, length)];
        for (int last = length - 1; last > 0; last--)
        {
            int other = Below(last + 1);
            (result[last], result[other]) = (result[other], result[last]);
        }

        return result;
    }
}
