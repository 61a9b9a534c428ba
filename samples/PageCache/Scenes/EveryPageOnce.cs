using PageCache.Workers;

namespace PageCache.Scenes;

/// <summary>Single flight: all workers ask for all pages at once, each in its own order; each page is rendered by one of them. Then they ask again.</summary>
internal static class EveryPageOnce
{
    public static Scene First(Stage stage)
    {
        Scene scene = Ask(stage, "All workers ask for all pages", stage.Options.Pages, out double milliseconds);
        return scene with
        {
            Text = "Each was rendered by one of them; the others waited for it, or found it. "
                + FormattableString.Invariant($"All of it took {milliseconds:0} ms; without the cache it is {scene.Asked} renderings."),
        };
    }

    public static Scene Again(Stage stage)
    {
        if (stage.Options.Damage)
        {
            byte[] page = stage.Pages.Get(WorkerRun.KeyOf(0))!;
            page[^1] ^= 1;
            stage.Pages.Set(WorkerRun.KeyOf(0), page);
        }

        Scene scene = Ask(stage, "They ask again", 0, out double milliseconds);
        return scene with
        {
            Text = FormattableString.Invariant(
                $"Everything was in the cache: {milliseconds * 1000 / stage.Options.Pages:0} µs for a page, most of that for checking each of its bytes."),
        };
    }

    private static Scene Ask(Stage stage, string title, long needed, out double milliseconds)
    {
        long before = stage.Renderings(0, stage.Options.Pages);
        Reply[] replies = stage.All(stage.AllPages);
        milliseconds = replies.Max(reply => reply.Milliseconds);
        long rendered = stage.Renderings(0, stage.Options.Pages) - before;
        return new Scene(title, replies.Sum(reply => reply.Asked), rendered, needed, "", [.. replies.SelectMany(reply => reply.Wrong)]);
    }
}
