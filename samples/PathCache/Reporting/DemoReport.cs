using PathCache.Workers;
using ShmAlloc;
using ShmAlloc.Caching;

namespace PathCache.Reporting;

/// <summary>Everything that the demo found out; what is printed, as a table or as JSON, comes from here.</summary>
internal sealed record DemoReport
{
    public required DemoOptions Options { get; init; }

    public required int Paths { get; init; }

    public required bool WasCut { get; init; }

    public required int UnlistedFolders { get; init; }

    public required PhaseResult Alone { get; init; }

    public required PhaseResult Together { get; init; }

    public required CheckResult Check { get; init; }

    public required ShmVerification Verification { get; init; }

    public required ShmStatistics Statistics { get; init; }

    /// <summary>Of the cache, after the workers and before the check.</summary>
    public required CacheStatistics Cache { get; init; }

    /// <summary>Published allocations to which nothing leads: there must be none, whoever was killed.</summary>
    public required long Unlinked { get; init; }

    /// <summary>How many times more lookups per second with sharing than without.</summary>
    public double SpeedUp => Together.LookupsPerSecond / Alone.LookupsPerSecond;

    public long NoRoom => Together.Scores.Sum(score => score.NoRoom);

    /// <summary>Answers that were dropped to make room for others.</summary>
    public long Evictions => Cache.EvictionsForRoom + Cache.EvictionsForLimit + Cache.EvictionsForEntry;

    /// <summary>Every reason for an exit code that is not 0.</summary>
    public IReadOnlyList<string> Failures
    {
        get
        {
            List<string> failures = [.. Alone.Failures, .. ReferenceEquals(Alone, Together) ? [] : Together.Failures];
            if (failures.Count > 0)
            {
                return failures;
            }

            failures.AddRange(Check.Mismatches.Select(mismatch => $"Wrong answer: {mismatch}."));
            failures.AddRange(Verification.Violations.Select(violation => $"Verify: {violation}"));
            if (Check.MissingAnswers > 0 && NoRoom + Evictions == 0)
            {
                failures.Add($"{Check.MissingAnswers:N0} paths have no answer.");
            }

            if (Options.Kill && Together.Killed == null)
            {
                failures.Add("The worker that was to be killed ended by itself.");
            }

            if (Unlinked != 0)
            {
                failures.Add($"{Unlinked:N0} allocations belong to nobody.");
            }

            if (Statistics.Participants > 1)
            {
                failures.Add($"{Statistics.Participants - 1} participants are left although all workers have ended.");
            }

            return failures;
        }
    }
}
