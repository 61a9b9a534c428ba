using PageCache.Workers;

namespace PageCache.Scenes;

/// <summary>
/// Expiry and stale values: the front page lives for a moment only. When it has expired, one worker renders it; the others do not wait, but take the old one.
/// The rendering ends only when they have it.
/// </summary>
internal static class ThePageExpires
{
    private const int LifetimeMilliseconds = 50;
    private const string Gate = "the others have the old page";

    public static Scene Play(Stage stage)
    {
        var failures = new List<string>();
        var order = new Order(stage.FrontPage, 1, Stage.PageBytes, 0) { LifetimeMilliseconds = LifetimeMilliseconds, AllowStale = true };
        stage.Workers[0].Begin(order);
        Reply first = stage.Workers[0].End();
        if (!stage.Until(() => !stage.Has(stage.FrontPage)))
        {
            failures.Add("The front page did not expire.");
        }

        // One renders, and is kept at it; then the others ask.
        WorkerProcess renderer = stage.Workers[0];
        renderer.Begin(order with { Gate = Gate, LifetimeMilliseconds = 0 });
        if (!stage.Until(() => stage.Articles.Renderings(stage.FrontPage) == 2))
        {
            failures.Add("Nobody rendered the front page when it had expired.");
        }

        WorkerProcess[] others = [.. stage.Workers.Skip(1)];
        Array.ForEach(others, worker => worker.Begin(order));
        Reply[] stale = Array.ConvertAll(others, worker => worker.End());
        stage.Articles.Open(Gate);
        Reply[] replies = [first, renderer.End(), .. stale];
        failures.AddRange(replies.SelectMany(reply => reply.Wrong));
        int old = stale.Count(reply => reply.LastRendering == 1);
        if (old != stale.Length)
        {
            failures.Add($"{stale.Length - old} workers did not get the old front page while the new one was rendered.");
        }

        return new Scene(
            "The front page expires",
            replies.Sum(reply => reply.Asked),
            stage.Articles.Renderings(stage.FrontPage),
            2,
            $"It lived for {LifetimeMilliseconds} ms. One worker rendered it anew; the {old} others took the old one meanwhile, "
                + FormattableString.Invariant($"the slowest within {stale.Max(reply => reply.Milliseconds):0.0} ms."),
            failures);
    }
}
