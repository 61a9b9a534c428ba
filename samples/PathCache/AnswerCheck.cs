using PathCache.Files;
using PathCache.Sharing;
using ShmAlloc;

namespace PathCache;

/// <summary>What comparing every cached answer with the file system gave.</summary>
/// <param name="Paths">Paths that were walked.</param>
/// <param name="Checked">Answers found in the shared memory.</param>
/// <param name="Matched">Answers that are right.</param>
/// <param name="ChangedMeanwhile">Answers that are not right any more, because the file was changed since the demo began.</param>
/// <param name="Mismatches">Answers that are wrong, or records that are damaged, each with a sentence.</param>
/// <param name="MissingAnswers">Paths without an answer.</param>
internal sealed record CheckResult(int Paths, int Checked, int Matched, int ChangedMeanwhile, IReadOnlyList<string> Mismatches, int MissingAnswers);

/// <summary>Asks the file system again about every answer in the heap.</summary>
internal static class AnswerCheck
{
    /// <summary>Time stamps of files come from a clock that moves in ticks of up to 10 ms, so they may lie a little in the past.</summary>
    private const long ClockTickNanoseconds = 10_000_000;

    /// <summary>Checks.</summary>
    /// <param name="heap">Where the answers are.</param>
    /// <param name="paths">What the workers walked.</param>
    /// <param name="startNanoseconds">When the demo began, since 1970: an answer may differ only if the file was changed later than that.</param>
    /// <param name="progress">Hears how many answers were checked so far.</param>
    /// <param name="cancellation">Ends it.</param>
    public static CheckResult Run(ShmHeap heap, PathList paths, long startNanoseconds, Action<long> progress, CancellationToken cancellation)
    {
        AnswerIndex index = AnswerIndex.Open(heap);
        byte[] buffer = new byte[FileSystem.HashedBytes];
        var seen = new HashSet<ulong>();
        var mismatches = new List<string>();
        int records = 0;
        int matched = 0;
        int changed = 0;
        foreach (ShmOffset offset in index.Records())
        {
            cancellation.ThrowIfCancellationRequested();
            progress(++records);
            string? wrong = AnswerRecord.TryReadAny(heap, offset, out ReadOnlySpan<byte> path, out Answer cached);
            if (wrong == null && !seen.Add(AnswerIndex.HashOf(path)))
            {
                wrong = $"'{PathList.Display(path)}' has two answers";
            }
            else if (wrong == null && FileSystem.Ask(path, buffer) is var now && now != cached)
            {
                changed += WasChangedSince(path, startNanoseconds) ? 1 : 0;
                wrong = WasChangedSince(path, startNanoseconds) ? null : $"'{PathList.Display(path)}': cached {Describe(cached)}, in truth {Describe(now)}";
            }
            else if (wrong == null)
            {
                matched++;
            }

            if (wrong != null)
            {
                mismatches.Add(wrong);
            }
        }

        int missing = Enumerable.Range(0, paths.Count).Count(number => !seen.Contains(AnswerIndex.HashOf(paths.WithZero(number))));
        return new CheckResult(paths.Count, records, matched, changed, mismatches, missing);
    }

    /// <summary>Flips one bit of some answer, to show that the check finds it.</summary>
    public static unsafe void DamageOne(ShmHeap heap)
    {
        ShmOffset record = AnswerIndex.Open(heap).Records().First();
        heap.GetReference<AnswerRecord>(record).SizeBytes ^= 1;
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
