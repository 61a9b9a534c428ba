using PathCache.Files;
using PathCache.Reporting;
using PathCache.Sharing;
using PathCache.Workers;
using ShmAlloc;
using ShmAlloc.Caching;

namespace PathCache;

/// <summary>The demo from beginning to end: list, warm up, walk alone, walk together, check, report.</summary>
internal static class Demo
{
    /// <summary>What the parent allocates for itself: the indexes of two caches, the list, and the scores of both phases.</summary>
    private const int OwnAllocations = 5;

    /// <summary>The heap begins with so much, and grows while the workers use it.</summary>
    private const long FirstHeapBytes = 4 << 20;

    public static int Run(DemoOptions options, CancellationToken cancellation)
    {
        long startNanoseconds = (DateTime.UtcNow - DateTime.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick;
        if (options.Kill && options.Workers < 2)
        {
            throw new UsageException("--kill needs two workers at least: one to die, one to go on.");
        }

        string folder = Path.GetFullPath(options.Folder);
        if (!Directory.Exists(folder))
        {
            throw new UsageException($"There is no folder '{options.Folder}'.");
        }

        using ShmHeap heap = ShmHeap.Create(options.HeapPath, new ShmHeapOptions
        {
            SizeBytes = Math.Min(FirstHeapBytes, options.HeapBytes),
            MaximumSizeBytes = options.HeapBytes,
            MaxParticipants = options.Workers + 8,
        });
        try
        {
            DemoReport report = Run(options with { Folder = folder }, heap, startNanoseconds, cancellation);
            return report.Failures.Count == 0 ? ExitCode.Success : ExitCode.CheckFailed;
        }
        finally
        {
            // Only a heap of our own making comes here: Create refuses a path where there is something already.
            if (!options.Keep)
            {
                File.Delete(options.HeapPath);
            }
        }
    }

    private static DemoReport Run(DemoOptions options, ShmHeap heap, long startNanoseconds, CancellationToken cancellation)
    {
        Output output = Output.For(options);
        FolderWalk walk = output.Stage(
            $"Listing {options.Folder}", null, progress => FolderWalk.Run(options.Folder, options.Limit, progress, cancellation));
        PathList paths = walk.Paths;
        output.Note(ListNote(options, walk, paths));

        SharedPaths.Store(heap, paths);
        AnswerCache cache = AnswerCache.Create(heap, paths.Count);
        output.Stage("Warming up the page cache", paths.Count, progress => WarmUp(paths, progress, cancellation));
        PhaseResult alone = RunPhase(heap, options, paths.Count, sharing: false, output, cancellation);
        PhaseResult together = alone.Failures.Count == 0 ? RunPhase(heap, options, paths.Count, sharing: true, output, cancellation) : alone;

        CacheStatistics cacheStatistics = cache.GetStatistics();
        if (options.Damage)
        {
            cache.Falsify(paths.WithZero(0));
        }

        CheckResult check = output.Stage(
            "Checking every answer", paths.Count, progress => AnswerCheck.Run(cache, paths, startNanoseconds, progress, cancellation));
        heap.RecoverDead();
        var report = new DemoReport
        {
            Options = options,
            Paths = paths.Count,
            WasCut = walk.WasCut,
            UnlistedFolders = walk.Unlisted,
            Alone = alone,
            Together = together,
            Check = check,
            Verification = heap.Verify(),
            Cache = cacheStatistics,
            Statistics = heap.GetStatistics(),
            Unlinked = heap.GetStatistics().Allocations - OwnAllocations - check.Entries,
        };
        output.Report(report);
        return report;
    }

    private static PhaseResult RunPhase(ShmHeap heap, DemoOptions options, int paths, bool sharing, Output output, CancellationToken cancellation)
    {
        string title = sharing ? "Walking, with the shared cache" : "Walking, each on its own";
        using var phase = new Phase(heap, options, paths, sharing);
        return output.Stage(title, (long)paths * options.Workers, progress => phase.Run(progress, cancellation));
    }

    /// <summary>Reads everything once, so that neither phase is the one that waits for the disk.</summary>
    private static bool WarmUp(PathList paths, Action<long> progress, CancellationToken cancellation)
    {
        byte[] buffer = new byte[FileSystem.HashedBytes];
        for (int index = 0; index < paths.Count; index++)
        {
            cancellation.ThrowIfCancellationRequested();
            FileSystem.Ask(paths.WithZero(index), buffer);
            progress(index + 1);
        }

        return true;
    }

    private static string ListNote(DemoOptions options, FolderWalk walk, PathList paths)
    {
        string cut = walk.WasCut ? $" (there are more: --limit {options.Limit})" : "";
        string unlisted = walk.Unlisted > 0 ? $" {walk.Unlisted:N0} folders could not be listed." : "";
        return $"{paths.Count:N0} paths{cut}, {options.Workers} worker{(options.Workers == 1 ? "" : "s")}, seed {options.Seed}.{unlisted}";
    }
}

/// <summary>What was asked for makes no sense.</summary>
internal sealed class UsageException(string message) : Exception(message);
