using PageCache.Site;
using PageCache.Workers;

namespace PageCache.Scenes;

/// <summary>Tags: an article changes, and with one step all pages that show it are gone, for all processes. They, and only they, are rendered anew.</summary>
internal static class AnArticleChanges
{
    private const int Article = 5;

    public static Scene Play(Stage stage)
    {
        int[] pages = [.. Enumerable.Range(0, stage.Options.Pages)];
        int[] showing = [.. pages.Where(page => Articles.OnPage(page).Contains(Article))];
        long before = stage.Renderings(0, pages.Length);
        long revision = stage.Articles.Change(Article);
        stage.Pages.RemoveByTag(Articles.TagOf(Article));

        // Tags that happen to share a place in the table of tags go together: so this may be more than the pages that show the article.
        int[] gone = [.. pages.Where(page => !stage.Has(page))];
        Reply[] replies = stage.All(stage.AllPages);
        var failures = new List<string>(replies.SelectMany(reply => reply.Wrong));
        failures.AddRange(showing.Except(gone).Select(page => $"Page {page} was still there after article {Article} had changed."));
        return new Scene(
            $"Article {Article} changes",
            replies.Sum(reply => reply.Asked),
            stage.Renderings(0, pages.Length) - before,
            gone.Length,
            $"One call removed the {gone.Length} pages that show it, in all processes at once. They were rendered anew, and everybody saw revision {revision}.",
            failures);
    }
}
