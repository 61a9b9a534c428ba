using PageCache.Scenes;
using ShmAlloc;
using ShmAlloc.Caching;

namespace PageCache;

/// <summary>What is left when the workers have gone.</summary>
/// <param name="Cache">Figures of the cache of pages.</param>
/// <param name="Violations">What <see cref="ShmHeap.Verify"/> found.</param>
/// <param name="Allocations">Allocations that it walked.</param>
/// <param name="Failures">What should not be.</param>
internal sealed record Ending(CacheStatistics Cache, IReadOnlyList<string> Violations, long Allocations, IReadOnlyList<string> Failures);

/// <summary>The scenes, one after the other.</summary>
internal static class Show
{
    /// <summary>What is left of two empty caches.</summary>
    private const int Indexes = 2;

    private static readonly Func<Stage, Scene>[] Scenes =
    [
        EveryPageOnce.First, EveryPageOnce.Again, AnArticleChanges.Play, ThePageExpires.Play, AWorkerIsKilled.Play, TooManyPages.Play,
    ];

    public static int Run(ShowOptions options, CancellationToken cancellation)
    {
        var report = new Report(options);
        using var stage = new Stage(options, cancellation);
        report.Begin(stage);
        foreach (Func<Stage, Scene> play in Scenes)
        {
            cancellation.ThrowIfCancellationRequested();
            Scene scene = play(stage);
            string? wrongCount = scene.Needed is { } needed && needed != scene.Rendered ? $"{scene.Rendered} renderings, where {needed} were needed." : null;
            report.Add(wrongCount == null ? scene : scene with { Failures = [.. scene.Failures, wrongCount] });
        }

        stage.Leave();
        return report.End(Finish(stage)) ? ExitCode.Success : ExitCode.CheckFailed;
    }

    private static Ending Finish(Stage stage)
    {
        var failures = new List<string>();
        CacheStatistics cache = stage.Pages.GetStatistics();
        stage.Heap.RecoverDead();
        ShmVerification verification = stage.Heap.Verify();
        failures.AddRange(verification.Violations.Select(violation => $"Verify: {violation}"));
        stage.Pages.Clear();
        stage.Articles.Clear();
        ShmStatistics statistics = stage.Heap.GetStatistics();
        if (statistics.Allocations != Indexes)
        {
            failures.Add($"{statistics.Allocations - Indexes} allocations are left of empty caches.");
        }

        if (statistics.Participants != 1)
        {
            failures.Add($"{statistics.Participants - 1} participants are left although all workers have ended.");
        }

        return new Ending(cache, [.. verification.Violations.Select(violation => $"{violation}")], verification.Allocations, failures);
    }
}
