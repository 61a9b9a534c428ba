using System.Diagnostics;
using Workers.Serving;

namespace Workers.Showing;

/// <summary>All workers are asked as fast as one connection each goes, while articles change.</summary>
internal static class Load
{
    private static readonly TimeSpan BetweenChanges = TimeSpan.FromMilliseconds(20);

    public static async Task<LoadResult> RunAsync(Stage stage, TimeSpan time, CancellationToken cancellation)
    {
        long begun = Stopwatch.GetTimestamp();
        int readsBefore = stage.Service.Reads;

        // What has been removed, as far as the removal was answered.
        long[] removed = [.. Enumerable.Range(0, stage.Articles).Select(stage.Service.RevisionOf)];
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        end.CancelAfter(time);
        Task<int> changing = ChangeAsync(stage, removed, end.Token, cancellation);
        (long Requests, long Stale)[] asked = await Task.WhenAll(stage.Workers.Select(worker => AskAsync(worker, removed, end.Token, cancellation)));
        int changes = await changing;
        return new LoadResult(
            asked.Sum(worker => worker.Requests),
            changes,
            stage.Service.Reads - readsBefore,
            asked.Sum(worker => worker.Stale),
            Stopwatch.GetElapsedTime(begun).TotalSeconds);
    }

    private static async Task<int> ChangeAsync(Stage stage, long[] removed, CancellationToken end, CancellationToken cancellation)
    {
        // A connection carries one request at a time: so removals wait their turn among the reads of the worker.
        int changes = 0;
        while (!end.IsCancellationRequested)
        {
            int number = changes % stage.Articles;
            long revision = stage.Service.Change(number);
            await stage.Workers[changes % stage.Workers.Count].TellChangedAsync(number, cancellation);
            Volatile.Write(ref removed[number], revision);
            changes++;
            await Task.Delay(BetweenChanges, cancellation);
        }

        return changes;
    }

    private static async Task<(long Requests, long Stale)> AskAsync(
        WorkerProcess worker, long[] removed, CancellationToken end, CancellationToken cancellation)
    {
        long requests = 0;
        long stale = 0;
        while (!end.IsCancellationRequested)
        {
            int number = Random.Shared.Next(removed.Length);
            long least = Volatile.Read(ref removed[number]);
            Article answer = await worker.ReadAsync(number, cancellation);
            requests++;
            stale += answer.Revision < least ? 1 : 0;
        }

        return (requests, stale);
    }
}
