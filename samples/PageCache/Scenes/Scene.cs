namespace PageCache.Scenes;

/// <summary>What came of one scene.</summary>
/// <param name="Title">What happens in it.</param>
/// <param name="Asked">How many pages were asked for, by all workers.</param>
/// <param name="Rendered">How many renderings were begun, as counted in the heap.</param>
/// <param name="Needed">How many had to be begun; null if that depends on chance.</param>
/// <param name="Text">A sentence or two on what was seen.</param>
/// <param name="Failures">What should not have been, each with a sentence.</param>
internal sealed record Scene(string Title, long Asked, long Rendered, long? Needed, string Text, IReadOnlyList<string> Failures);
