using System.Globalization;

namespace ShmAlloc.Benchmarks.Measuring;

/// <summary>The figures of one round: times and managed bytes for one operation, and counts.</summary>
internal sealed record Round(double WallNanoseconds, double CpuNanoseconds, long Failures, long CompiledMethods, double AllocatedBytes)
{
    /// <summary>Reads what a driver answers: names and figures in turns. The native driver knows no managed memory.</summary>
    internal static Round Parse(string answer)
    {
        string[] words = answer.Split(' ');
        return new Round(
            double.Parse(words[1], CultureInfo.InvariantCulture),
            double.Parse(words[3], CultureInfo.InvariantCulture),
            long.Parse(words[5], CultureInfo.InvariantCulture),
            long.Parse(words[7], CultureInfo.InvariantCulture),
            words.Length > 9 ? double.Parse(words[9], CultureInfo.InvariantCulture) : 0);
    }

    /// <summary>The round of several processes that worked side by side.</summary>
    internal static Round Join(IReadOnlyList<Round> rounds) => new(
        rounds.Average(round => round.WallNanoseconds),
        rounds.Average(round => round.CpuNanoseconds),
        rounds.Sum(round => round.Failures),
        rounds.Sum(round => round.CompiledMethods),
        rounds.Average(round => round.AllocatedBytes));
}
