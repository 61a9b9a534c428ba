namespace ShmAlloc.Benchmarks.Flights.Measuring;

/// <summary>Figures of one kind, of all rounds.</summary>
/// <param name="Title">The table that they belong to.</param>
/// <param name="Row">What was counted or timed.</param>
/// <param name="Unit">What of: times are in µs.</param>
/// <param name="Values">In the order in which they came.</param>
internal sealed record FlightSeries(string Title, string Row, string Unit, IReadOnlyList<double> Values)
{
    private readonly double[] _sorted = [.. Values.Order()];

    internal double Median => Percentile(50);

    internal double Least => _sorted.Length == 0 ? double.NaN : _sorted[0];

    internal double Most => _sorted.Length == 0 ? double.NaN : _sorted[^1];

    /// <summary>The smallest figure that so many of a hundred do not exceed.</summary>
    internal double Percentile(double percent) =>
        _sorted.Length == 0 ? double.NaN : _sorted[Math.Max(0, (int)Math.Ceiling(_sorted.Length * percent / 100) - 1)];
}
