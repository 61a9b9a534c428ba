using Workers.Serving;

namespace Workers.Showing;

/// <summary>The scenes, in the order in which they are played: each goes on with what the one before left in the cache.</summary>
internal static class Scenes
{
    public static readonly IReadOnlyList<Func<Stage, CancellationToken, Task<Scene>>> All =
    [
        (stage, cancellation) => AllAskAsync(stage, "All workers are asked for everything", stage.Articles, cancellation),
        (stage, cancellation) => AllAskAsync(stage, "The same again", 0, cancellation),
        ArticlesChangeAsync,
        TheReaderIsKilledAsync,
        ANewWorkerBeginsAsync,
    ];

    private static async Task<Scene> AllAskAsync(Stage stage, string title, int needed, CancellationToken cancellation)
    {
        long begun = stage.Begin();
        int[] stale = await Task.WhenAll(stage.Workers.Select(worker => stage.AskForAllAsync(worker, cancellation)));
        return stage.End(title, begun, stage.Articles * stage.Workers.Count, needed, stale.Sum());
    }

    /// <summary>One worker is told; from its answer on, none may answer with what was.</summary>
    private static async Task<Scene> ArticlesChangeAsync(Stage stage, CancellationToken cancellation)
    {
        long begun = stage.Begin();
        int stale = 0;
        for (int number = 0; number < stage.Articles; number++)
        {
            long revision = stage.Service.Change(number);
            await stage.Workers[number % stage.Workers.Count].TellChangedAsync(number, cancellation);
            Article[] answers = await Task.WhenAll(stage.Workers.Select(worker => worker.ReadAsync(number, cancellation)));
            stale += answers.Count(answer => answer.Revision < revision);
        }

        return stage.End("Articles change; one worker removes the tag", begun, stage.Articles * stage.Workers.Count, stage.Articles, stale);
    }

    /// <summary>The slow service never answers the worker that reads first, which is killed then: another one must read.</summary>
    private static async Task<Scene> TheReaderIsKilledAsync(Stage stage, CancellationToken cancellation)
    {
        const int number = 0;
        stage.Service.Change(number);
        await stage.Workers[0].TellChangedAsync(number, cancellation);
        Task<int> held = stage.Service.HoldNext(number);
        long begun = stage.Begin();
        Task<Article>[] answers = [.. stage.Workers.Select(worker => worker.ReadAsync(number, cancellation))];
        int reader = await held.WaitAsync(cancellation);
        WorkerProcess killed = stage.Workers.Single(worker => worker.Id == reader);
        killed.Kill();

        // HttpClient asks once more on a new connection, which one of the others gets: so also the one whose worker is gone has an answer.
        Article[] all = await Task.WhenAll(answers);
        Scene scene = stage.End(
            $"Process {reader}, which reads, is killed", begun, all.Length, needed: 2, all.Count(answer => answer.Revision < stage.Service.RevisionOf(number)));
        await stage.ReplaceAsync(killed, cancellation);
        return scene;
    }

    private static async Task<Scene> ANewWorkerBeginsAsync(Stage stage, CancellationToken cancellation)
    {
        // Two tags may share a generation, and be removed together: what was removed by chance is read again here.
        WorkerProcess newest = stage.Workers.MaxBy(worker => worker.StartedAt)!;
        await stage.AskForAllAsync(stage.Workers.First(worker => worker != newest), cancellation);
        long begun = stage.Begin();
        int stale = await stage.AskForAllAsync(newest, cancellation);
        return stage.End("A new worker takes its place, and is asked", begun, stage.Articles, needed: 0, stale);
    }
}
