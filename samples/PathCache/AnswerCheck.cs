using PathCache.Files;
using PathCache.Sharing;

namespace PathCache;

/// <summary>What comparing every cached answer with the file system gave.</summary>
/// <param name="Paths">Paths that were walked.</param>
/// <param name="Checked">Answers found in the cache.</param>
/// <param name="Matched">Answers that are right.</param>
/// <param name="ChangedMeanwhile">Answers that are not right any more, because the file was changed since the demo began.</param>
/// <param name="Mismatches">Answers that are wrong, or are of no path, each with a sentence.</param>
/// <param name="MissingAnswers">Paths without an answer.</param>
/// <param name="Entries">Entries of the cache.</param>
internal sealed record CheckResult(
    int Paths, int Checked, int Matched, int ChangedMeanwhile, IReadOnlyList<string> Mismatches, int MissingAnswers, int Entries);

/// <summary>Asks the file system again about every answer in the cache.</summary>
internal static class AnswerCheck
{
    /// <summary>Time stamps of files come from a clock that moves in ticks of up to 10 ms, so they may lie a little in the past.</summary>
    private const long ClockTickNanoseconds = 10_000_000;

    /// <summary>Checks.</summary>
    /// <param name="cache">Where the answers are.</param>
    /// <param name="paths">What the workers walked.</param>
    /// <param name="startNanoseconds">When the demo began, since 1970: an answer may differ only if the file was changed later than that.</param>
    /// <param name="progress">Hears how many paths were checked so far.</param>
    /// <param name="cancellation">Ends it.</param>
    public static CheckResult Run(AnswerCache cache, PathList paths, long startNanoseconds, Action<long> progress, CancellationToken cancellation)
    {
        byte[] buffer = new byte[FileSystem.HashedBytes];
        var mismatches = new List<string>();
        int found = 0;
        int matched = 0;
        int changed = 0;
        for (int number = 0; number < paths.Count; number++)
        {
            cancellation.ThrowIfCancellationRequested();
            progress(number + 1);
            ReadOnlySpan<byte> path = paths.WithZero(number);
            if (!cache.TryFind(path, out Answer cached))
            {
                continue;
            }

            found++;
            Answer now = FileSystem.Ask(path, buffer);
            if (now == cached)
            {
                matched++;
            }
            else if (WasChangedSince(path, startNanoseconds))
            {
                changed++;
            }
            else
            {
                mismatches.Add($"'{PathList.Display(path)}': cached {Describe(cached)}, in truth {Describe(now)}");
            }
        }

        int entries = cache.CountEntries();
        if (entries != found)
        {
            mismatches.Add($"the cache has {entries} entries, and answers for {found} paths");
        }

        return new CheckResult(paths.Count, found, matched, changed, mismatches, paths.Count - found, entries);
    }

    /// <summary>
    /// Every change of a file sets its change time, which no program can set back. A file that is gone leaves its trace in the folder it was in.
    /// </summary>
    private static bool WasChangedSince(ReadOnlySpan<byte> path, long startNanoseconds)
    {
        long? changed = FileSystem.ChangedNanoseconds(path);
        while (changed == null && path.LastIndexOf((byte)'/') is var slash and > 0)
        {
            byte[] folder = [.. path[..slash], 0];
            changed = FileSystem.ChangedNanoseconds(folder);
            path = folder;
        }

        return changed >= startNanoseconds - ClockTickNanoseconds;
    }

    private static string Describe(in Answer answer) =>
        $"{answer.Kind}, {answer.SizeBytes} bytes, modified {answer.ModifiedNanoseconds} ns, hash {answer.ContentHash:x16}, error {answer.Error}";
}
