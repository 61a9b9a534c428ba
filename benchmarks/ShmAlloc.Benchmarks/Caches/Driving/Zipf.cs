using ShmAlloc.Benchmarks.Driving;

namespace ShmAlloc.Benchmarks.Caches.Driving;

/// <summary>
/// Draws ranks by Zipf's law, the one of rank r with a weight of r^-0.99: rejection-inversion of W. Hörmann and G. Derflinger, "Rejection-inversion to
/// generate variates from monotone discrete distributions" (1996). No table, whatever the number of ranks.
/// </summary>
internal sealed class Zipf
{
    private const double Exponent = 0.99;

    private readonly double _count;
    private readonly double _integralOfFirst;
    private readonly double _integralOfAll;
    private readonly double _threshold;

    internal Zipf(uint count)
    {
        _count = count;
        _integralOfFirst = Integral(1.5) - 1;
        _integralOfAll = Integral(count + 0.5);
        _threshold = 2 - InverseIntegral(Integral(2.5) - Weight(2));
    }

    /// <summary>A rank, counted from 0.</summary>
    internal uint Next(ref ulong state)
    {
        while (true)
        {
            double uniform = (Sizes.Next(ref state) >> 11) * (1.0 / (1L << 53));
            double area = _integralOfAll + (uniform * (_integralOfFirst - _integralOfAll));
            double x = InverseIntegral(area);
            double rank = Math.Clamp(Math.Floor(x + 0.5), 1, _count);
            if (rank - x <= _threshold || area >= Integral(rank + 0.5) - Weight(rank))
            {
                return (uint)rank - 1;
            }
        }
    }

    private static double Weight(double x) => Math.Pow(x, -Exponent);

    private static double Integral(double x) => (Math.Pow(x, 1 - Exponent) - 1) / (1 - Exponent);

    private static double InverseIntegral(double area) => Math.Pow(1 + (area * (1 - Exponent)), 1 / (1 - Exponent));
}
