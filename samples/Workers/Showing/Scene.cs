namespace Workers.Showing;

/// <summary>What came of a scene.</summary>
/// <param name="Title">What happened.</param>
/// <param name="Asked">How often workers were asked for articles.</param>
/// <param name="Read">How often the slow service was asked for them.</param>
/// <param name="Needed">How often it had to be.</param>
/// <param name="Stale">Answers that were older than the last removal that had been answered.</param>
/// <param name="Milliseconds">How long it took.</param>
internal sealed record Scene(string Title, long Asked, int Read, int Needed, long Stale, double Milliseconds)
{
    public bool IsWell => Read == Needed && Stale == 0;
}

/// <summary>What is under load is not counted in advance: whether it was answered rightly is.</summary>
/// <param name="Requests">Answers of all workers.</param>
/// <param name="Changes">Articles that changed meanwhile.</param>
/// <param name="Reads">How often the slow service was asked.</param>
/// <param name="Stale">Answers that were older than the last removal that had been answered.</param>
/// <param name="Seconds">How long it took.</param>
internal sealed record LoadResult(long Requests, int Changes, int Reads, long Stale, double Seconds);
