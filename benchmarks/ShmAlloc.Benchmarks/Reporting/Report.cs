using ShmAlloc.Benchmarks.Measuring;

namespace ShmAlloc.Benchmarks.Reporting;

/// <summary>What a run has found out so far.</summary>
internal sealed class Report
{
    internal required IReadOnlyList<string> Machine { get; init; }

    /// <summary>How busy the machine was, at the beginning and after each group.</summary>
    internal List<string> Loads { get; } = [];

    internal List<string> Skipped { get; } = [];

    internal List<Result> Results { get; } = [];

    internal List<Room> Rooms { get; } = [];

    internal List<Ageing> Ageings { get; } = [];
}
