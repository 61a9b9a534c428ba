namespace ShmAlloc.Benchmarks.Measuring;

/// <summary>How long and how often.</summary>
internal sealed record Effort(int Rounds, double RoundMilliseconds, double WarmUpMilliseconds, long AgeingOperations)
{
    internal static readonly Effort Full = new(11, 60, 500, 10_000_000);
    internal static readonly Effort Quick = new(10, 12, 250, 1_000_000);
    internal static readonly Effort Smoke = new(1, 0.1, 0, 1000);
}
