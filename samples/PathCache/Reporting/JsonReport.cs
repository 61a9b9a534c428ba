using System.Text.Json;
using PathCache.Sharing;
using PathCache.Workers;

namespace PathCache.Reporting;

/// <summary>The results for programs.</summary>
internal static class JsonReport
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static string Write(DemoReport report)
    {
        DemoOptions options = report.Options;
        return JsonSerializer.Serialize(
            new
            {
                Ok = report.Failures.Count == 0,
                report.Failures,
                options.Folder,
                report.Paths,
                report.WasCut,
                report.UnlistedFolders,
                options.Workers,
                options.Seed,
                Alone = Phase(report.Alone),
                Together = Phase(report.Together),
                SpeedUp = Finite(report.SpeedUp),
                report.Together.Killed,
                Check = new
                {
                    report.Check.Checked,
                    report.Check.Matched,
                    report.Check.ChangedMeanwhile,
                    Wrong = report.Check.Mismatches.Count,
                    report.Check.MissingAnswers,
                    report.Check.Entries,
                    report.NoRoom,
                    report.Unlinked,
                },
                report.Cache,
                report.Evictions,
                Verify = new { report.Verification.IsSound, report.Verification.Violations, report.Verification.Allocations, report.Verification.PrivateAllocations },
                Heap = new { Path = options.HeapPath, Kept = options.Keep, report.Statistics },
            },
            Options);
    }

    private static object Phase(PhaseResult phase) => new
    {
        phase.Elapsed.TotalSeconds,
        phase.Lookups,
        LookupsPerSecond = Finite(phase.LookupsPerSecond),
        Workers = phase.Scores.Select(Score),
    };

    private static object Score(WorkerScore score) => new
    {
        score.Lookups,
        score.Hits,
        score.Misses,
        score.LostRaces,
        score.NoRoom,
        score.HitNanoseconds,
        score.MissNanoseconds,
        Finished = score.FinishedAt != 0,
    };

    /// <summary>JSON knows no infinity: a phase that failed took no time.</summary>
    private static double Finite(double value) => double.IsFinite(value) ? value : 0;
}
