using PageCache.Site;
using PageCache.Workers;
using ShmAlloc.Caching;

namespace PageCache.Scenes;

/// <summary>Eviction: everybody asks for more pages than the heap has room for. Pages are dropped for others; what is pinned stays; no page is wrong.</summary>
internal static class TooManyPages
{
    private const int RoomMultiple = 2;

    public static Scene Play(Stage stage)
    {
        var failures = new List<string>();
        int pages = (int)(stage.Heap.GetStatistics().CapacityBytes * RoomMultiple / Stage.PageBytes);
        long[] revisions = Revisions(stage);
        Reply[] replies = stage.All(new Order(stage.FirstOldPage, pages, Stage.PageBytes, 0));
        failures.AddRange(replies.SelectMany(reply => reply.Wrong));
        long rendered = replies.Sum(reply => reply.Rendered);
        CacheStatistics statistics = stage.Pages.GetStatistics();
        if (statistics.EvictionsForRoom == 0)
        {
            failures.Add("Nothing was dropped although there was no room for everything.");
        }

        if (rendered < pages)
        {
            failures.Add($"{pages} pages were asked for, and {rendered} rendered.");
        }

        if (!revisions.SequenceEqual(Revisions(stage)))
        {
            failures.Add("The articles are not what they were, although they are pinned.");
        }

        return new Scene(
            "Too many pages for the heap",
            replies.Sum(reply => reply.Asked),
            rendered,
            null,
            FormattableString.Invariant($"{pages} pages, {RoomMultiple} times as many as fit. {statistics.EvictionsForRoom:N0} times ")
                + "one was dropped to make room for another; the pinned articles stayed.",
            failures);
    }

    private static long[] Revisions(Stage stage) => [.. Enumerable.Range(0, Articles.Count).Select(stage.Articles.Revision)];
}
