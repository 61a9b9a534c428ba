using System.Diagnostics;
using PageCache.Workers;

namespace PageCache.Scenes;

/// <summary>Death: a worker is killed while it renders, and the others wait for it. One of them takes over at once; nobody waits for a time limit.</summary>
internal static class AWorkerIsKilled
{
    private static readonly TimeSpan AtOnce = TimeSpan.FromSeconds(10);

    public static Scene Play(Stage stage)
    {
        var failures = new List<string>();
        var order = new Order(stage.FatalPage, 1, Stage.PageBytes, stage.Options.RenderMilliseconds);
        WorkerProcess victim = stage.Workers[^1];
        victim.Begin(order with { Gate = "never" });
        if (!stage.Until(() => stage.Articles.Renderings(stage.FatalPage) == 1))
        {
            failures.Add("The worker that was to be killed did not begin to render.");
        }

        WorkerProcess[] others = [.. stage.Workers.SkipLast(1)];
        Array.ForEach(others, worker => worker.Begin(order));
        long death = Stopwatch.GetTimestamp();
        victim.Kill();
        Reply[] replies = Array.ConvertAll(others, worker => worker.End());
        TimeSpan delay = Stopwatch.GetElapsedTime(death);
        int process = victim.Id;
        stage.Remove(victim);
        failures.AddRange(replies.SelectMany(reply => reply.Wrong));
        if (replies.Sum(reply => reply.Rendered) is not 1 and var rendered)
        {
            failures.Add($"{rendered} of the others rendered the page.");
        }

        if (delay > AtOnce)
        {
            failures.Add(FormattableString.Invariant($"The others had the page {delay.TotalSeconds:0.0} s after the death."));
        }

        return new Scene(
            "A worker is killed at its work",
            1 + replies.Sum(reply => reply.Asked),
            stage.Articles.Renderings(stage.FatalPage),
            2,
            $"Process {process} was killed (SIGKILL) while it rendered a page for which the {others.Length} others waited. "
                + FormattableString.Invariant($"One of them took over; all had the page {delay.TotalMilliseconds:0} ms after the death."),
            failures);
    }
}
