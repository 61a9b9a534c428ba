namespace ShmAlloc.Benchmarks.Driving;

/// <summary>The random choices of a workload: the twin in C, <c>benchmarks/peers/random.c</c>, makes the same ones.</summary>
internal static class Sizes
{
    internal const int Count = 1024;

    internal static uint[] Choices { get; } = new uint[Count];

    /// <summary>Where worker number so-and-so begins.</summary>
    internal static ulong Seed(int worker) => 0x9E3779B97F4A7C15 * (ulong)(worker + 1);

    /// <summary>Marsaglia's xorshift64.</summary>
    internal static ulong Next(ref ulong state)
    {
        ulong x = state;
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        return state = x;
    }

    internal static uint Size(ulong random) => Choices[random & (Count - 1)];

    internal static ulong Victim(ulong random, ulong count) => ((random >> 32) * count) >> 32;

    internal static void Fill(Parameters parameters)
    {
        ulong state = Seed(1000);
        for (int index = 0; index < Count; index++)
        {
            if (parameters.Median != 0)
            {
                // Box and Muller.
                double radius = Math.Sqrt(-2 * Math.Log(1 - Uniform(ref state)));
                double size = parameters.Median * Math.Exp(radius * Math.Cos(2 * Math.PI * Uniform(ref state)));
                Choices[index] = (uint)Math.Clamp(size, 1, 32768);
            }
            else
            {
                ulong range = parameters.Largest - parameters.Smallest + 1;
                Choices[index] = parameters.Smallest + (uint)(((Next(ref state) >> 32) * range) >> 32);
            }
        }
    }

    /// <summary>A checksum by which a test compares the choices of both drivers.</summary>
    internal static ulong Checksum(Parameters parameters)
    {
        ulong state = Seed(0);
        ulong sum = 0;
        for (int draw = 0; draw < 10_000; draw++)
        {
            ulong random = Next(ref state);
            sum = (sum * 31) + Size(random) + Victim(random, (ulong)parameters.Live);
        }

        return sum;
    }

    private static double Uniform(ref ulong state) => (Next(ref state) >> 11) * (1.0 / (1L << 53));
}
