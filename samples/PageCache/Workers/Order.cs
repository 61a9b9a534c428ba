namespace PageCache.Workers;

/// <summary>What a worker is to do: ask once for each page of a range, in an order of its own. It travels as a line of JSON.</summary>
/// <param name="FirstPage">The first page.</param>
/// <param name="Pages">How many.</param>
/// <param name="PageBytes">Bytes of a page that it renders.</param>
/// <param name="RenderMilliseconds">How long a rendering takes.</param>
internal sealed record Order(int FirstPage, int Pages, int PageBytes, int RenderMilliseconds)
{
    /// <summary>How long a page lives that it renders; 0: until there is no room for it.</summary>
    public int LifetimeMilliseconds { get; init; }

    /// <summary>Whether it takes a page that has expired rather than wait for one that is being rendered.</summary>
    public bool AllowStale { get; init; }

    /// <summary>What a rendering waits for; null: nothing.</summary>
    public string? Gate { get; init; }
}

/// <summary>What came of an order; a line of JSON again.</summary>
/// <param name="Asked">Pages that it asked for.</param>
/// <param name="Rendered">Of these, how many it rendered itself.</param>
/// <param name="Milliseconds">How long all of it took.</param>
/// <param name="LastRendering">The number of the rendering that the last page came from.</param>
/// <param name="Wrong">What was wrong with pages, each with a sentence.</param>
internal sealed record Reply(int Asked, int Rendered, double Milliseconds, long LastRendering, IReadOnlyList<string> Wrong);
