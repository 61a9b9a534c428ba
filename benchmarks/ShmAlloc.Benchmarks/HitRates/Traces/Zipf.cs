namespace ShmAlloc.Benchmarks.HitRates.Traces;

/// <summary>Draws ranks: rank k (from 0) in proportion to 1 / (k + 1)^s.</summary>
internal sealed class Zipf
{
    private readonly double[] _cumulated;

    internal Zipf(int ranks, double exponent)
    {
        _cumulated = new double[ranks];
        double sum = 0;
        for (int rank = 0; rank < ranks; rank++)
        {
            sum += Math.Pow(rank + 1, -exponent);
            _cumulated[rank] = sum;
        }
    }

    internal int Rank(Draw draw)
    {
        int found = Array.BinarySearch(_cumulated, draw.Uniform() * _cumulated[^1]);
        return found < 0 ? ~found : found + 1;
    }
}
